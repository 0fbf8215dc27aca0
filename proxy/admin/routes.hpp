// The admin port's routes as a table, and what answers them. No HTTP here: a request is a few values, and so is the answer.
//
// Handlers change nothing themselves: what is wanted goes to the control thread's desk as an intent, and the answer names it.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/control/control_thread.hpp"
#include "proxy/telemetry/metrics.hpp"

namespace pgtandem::admin {

struct context {
  control::control_thread& control;
  control::fleet& loops;
  telemetry::meter& metrics;
  std::function<std::string()> token;    // the present admin.token; empty = state changes are refused
  std::function<void()> reload;          // what SIGHUP does
};

struct request {
  std::string_view method, path;         // path without the query
  std::string_view body;
  std::string_view authorization;        // the header's value
};

struct reply {
  unsigned status = 200;
  std::string body;
  std::string_view content_type = "application/json";
};

struct route {
  std::string_view method, path;         // a path that ends in '/' takes one more word, the handler's parameter
  bool needs_token;
  bool blocking;                         // asks a database: not for the server's own thread
  reply (*handle)(const context& c, const request& r, std::string_view parameter);
  std::string_view help;
};
std::span<const route> routes();

struct match {
  const route* to = nullptr;
  std::string_view parameter;
  bool other_method = false;             // the path exists, the method does not
};
match find_route(std::string_view method, std::string_view path);

// 404, 405, 401, 403 and the handler's answer.
reply answer(const context& c, const request& r);

reply problem(unsigned status, std::string_view message);

}  // namespace pgtandem::admin
