#include "tests/unit/support/free_port.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

using namespace pgtandem::test;

namespace {

constexpr int processes = 4, draws = 120;  // more than two blocks each

// What a child has drawn, once it has drawn everything; it lives on, holding its blocks, until `leave` is closed.
struct child {
  int from = -1, leave = -1;
  pid_t pid = 0;
  child() {
    std::array<int, 2> out{}, stay{};
    REQUIRE((::pipe(out.data()) == 0 && ::pipe(stay.data()) == 0));
    pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      ::close(stay[1]);
      for (int n = 0; n < draws; ++n) {
        const int port = free_port();
        if (::write(out[1], &port, sizeof port) != sizeof port) ::_exit(1);
      }
      char nothing;
      ::_exit(::read(stay[0], &nothing, 1) == 0 ? 0 : 1);
    }
    ::close(out[1]);
    ::close(stay[0]);
    from = out[0];
    leave = stay[1];
  }
  std::vector<int> ports() const {
    std::vector<int> drawn(draws);
    for (int& port : drawn) REQUIRE(::read(from, &port, sizeof port) == sizeof port);
    return drawn;
  }
  // All are let go before one is waited for: each has inherited the pipes of those before it.
  void let_go() const {
    ::close(leave);
    ::close(from);
  }
  void wait() const {
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
  }
};

}  // namespace

TEST_CASE("ports: none is given twice, not even to processes that draw at the same time") {
  const auto [low, high] = ephemeral_range();
  std::set<int> seen{free_port(), free_port()};
  CHECK(seen.size() == 2);
  std::vector<child> children(processes);
  for (const auto& c : children)
    for (const int port : c.ports()) {
      CHECK(seen.insert(port).second);
      CHECK((port < low || port > high));
    }
  for (const auto& c : children) c.let_go();
  for (const auto& c : children) c.wait();
}

TEST_CASE("ports: a block is held under the name that the tests in Python use, too") {
  const int block = free_port() / block_ports * block_ports;
  std::ifstream held("/proc/net/unix");
  const std::string all((std::istreambuf_iterator<char>(held)), {});
  CHECK(all.find("@pgtandem-ports-" + std::to_string(block) + "\n") != std::string::npos);
}

TEST_CASE("ports: blocks lie below the ephemeral range, above it, or anywhere if it leaves no room") {
  struct row {
    int low, high, first, last;
  };
  const row rows[] = {{32768, 60999, 10000, 32700},
                      {15000, 64000, 10000, 14950},
                      {11000, 61017, 61050, 65450},
                      {1024, 65535, 10000, 65450}};
  for (const auto& [low, high, first, last] : rows) {
    const auto found = port_blocks({low, high});
    INFO(low << '-' << high);
    CHECK(found.front() == first);
    CHECK(found.back() == last);
  }
}
