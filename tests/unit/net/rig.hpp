// A proxy_server in front of a fake server, and clients for it.
#pragma once
#include <memory>
#include <thread>

#include "proxy/net/proxy_server.hpp"
#include "tests/unit/net/fake_server.hpp"

namespace pgtandem::net::test {

// Everyone is known, nobody has a secret.
class no_secrets : public secret_source {
 public:
  void ask(std::string, std::function<void(secret_answer)> answer) override { answer({.asked = true}); }
};

config::settings small_settings();  // one loop, any port, high water 64 KiB, drain 1 s

class rig {
 public:
  explicit rig(config::settings s = small_settings());
  ~rig();

  wire connect();  // no word said yet
  static std::string startup_packet(std::string_view database = "shop");
  wire log_in(std::string* greeting = nullptr);  // up to the first ReadyForQuery
  static std::string query(std::string_view sql);
  bool ended(int limit_ms = patience_ms);  // run() has returned

  fake_server server;
  telemetry::meter meter;
  no_secrets secrets;
  std::atomic<bool> serves{true};  // what the control thread would say
  std::unique_ptr<proxy_server> proxy;

 private:
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace pgtandem::net::test
