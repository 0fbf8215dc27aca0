// Every setting of pgtandem as one plain value. The nesting is the nesting of the YAML file.
//
// Guarantees: a `settings` that came from load() is within the bounds of config/table.cpp. Defaults are the
// initializers here and nowhere else; name, unit, bounds and help of a setting are its row in config/table.cpp.
// Copyable, no ownership of anything outside. A duration or a size has its unit in its name.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace pgtandem::config {

struct scope_settings {
  std::vector<std::string> exclude;  // globs over "schema.table"
};

struct listen_settings {
  std::string address = "127.0.0.1";
  std::uint32_t port = 6432;
  std::uint32_t max_clients = 1000;
  std::uint32_t threads = 0;  // 0 = one per core
  std::uint32_t clients_together = 32;
  std::uint32_t drain_seconds = 30;
  std::uint32_t login_seconds = 60;
};

struct auth_settings {
  std::string method = "trust";  // trust | scram-sha-256
  std::string file;
  std::string query;
  bool scram() const { return method == "scram-sha-256"; }
};

struct admin_settings {
  std::string address = "127.0.0.1";
  std::uint32_t port = 6433;
  std::string token;
};

struct dual_write_settings {
  std::string policy = "degrade";  // degrade | strict
  std::uint32_t budget_ms = 250;
  std::uint32_t appliers = 2;
  std::uint32_t group_max = 64;
  std::uint32_t gather_us = 300;
  std::uint32_t queue_max = 4096;
  std::uint32_t breaker_failures = 5;
  std::uint32_t breaker_successes = 3;
  std::uint32_t probe_interval_ms = 500;
  std::vector<std::string> allowed_functions;
  std::uint64_t statement_max_bytes = 64u << 20;
  std::uint64_t write_set_max_bytes = 64u << 20;
  std::uint32_t keys_max = 100000;
  bool strict() const { return policy == "strict"; }
};

struct session_settings {
  std::uint64_t buffer_bytes = 64u << 10;
  std::uint64_t high_water_bytes = 1u << 20;
};

struct reconcile_settings {
  std::uint32_t audit_interval_ms = 50;
  std::uint32_t drain_batch = 200;
  std::uint32_t chunk_rows_max = 20000;
  std::uint32_t chunk_target_ms = 250;
  std::uint32_t backfill_workers = 2;
  std::uint64_t rows_per_second_max = 0;  // 0 = no limit
  std::uint32_t sweep_pair_seconds = 60;
  std::uint32_t sweep_leaf_rows = 2000;
  std::uint32_t sweep_pause_ms = 1000;
};

struct ledger_settings {
  std::uint32_t epoch_seconds = 21600;
  std::uint64_t partition_rows = 5000000;
};

struct cutover_settings {
  std::uint32_t unmovable_wait_ms = 5000;
  std::uint32_t hold_deadline_ms = 5000;
  std::uint32_t drain_deadline_ms = 10000;
  std::uint32_t lease_ms = 3000;
  std::uint64_t sequence_headroom = 10000;
  std::uint32_t sweep_max_age_seconds = 600;
};

struct log_settings {
  std::string level = "info";    // debug | info | warning | error
  std::string format = "plain";  // plain (key=value) | json
};

struct settings {
  std::string source, target;  // libpq connection strings or URIs
  scope_settings scope;
  listen_settings listen;
  auth_settings auth;
  admin_settings admin;
  dual_write_settings dual_write;
  session_settings session;
  reconcile_settings reconcile;
  ledger_settings ledger;
  cutover_settings cutover;
  log_settings log;
};

}  // namespace pgtandem::config
