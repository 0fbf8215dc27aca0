"""What the integration tests, the demo and the benchmarks share: clusters, proxies, a TCP gate, comparison, waiting."""
