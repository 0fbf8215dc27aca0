// An admin port over a control thread whose databases cannot be reached.
#pragma once
#include <catch2/catch.hpp>
#include <string>

#include "proxy/admin/http_server.hpp"
#include "tests/unit/admin/http_client.hpp"
#include "tests/unit/control/fake_fleet.hpp"

namespace pgtandem::test {

inline control::control_settings nowhere() {
  control::control_settings s;
  s.name = "test:1";
  s.source = "host=127.0.0.1 port=1 user=x dbname=x connect_timeout=1";
  s.target = s.source;
  return s;
}

struct admin_port {
  fake_fleet loops;
  telemetry::meter meter;
  control::control_thread control{nowhere(), loops, meter};
  std::string token = "s3cret";
  int reloads = 0;
  admin::http_server server{{control, loops, meter, [this] { return token; }, [this] { ++reloads; }}};
  admin_port() { REQUIRE(server.start("127.0.0.1", 0).empty()); }
  std::string operator()(const std::string& method, const std::string& path, const std::string& body = {}, const std::string& header = {}) {
    return ask(server.port(), method, path, body, header);
  }
};

}  // namespace pgtandem::test
