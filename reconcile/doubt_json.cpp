#include "reconcile/doubt_json.hpp"

#include <cstdio>

namespace pgtandem::reconcile {

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + '"';
}

namespace {

std::string list(const cells& values) {
  std::string out = "[";
  for (const cell& c : values) {
    if (out.size() > 1) out += ',';
    out += c ? json_string(*c) : "null";
  }
  return out + ']';
}

std::string list(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const std::string& v : values) {
    if (out.size() > 1) out += ',';
    out += json_string(v);
  }
  return out + ']';
}

}  // namespace

std::string to_json(const std::vector<doubt>& doubts) {
  std::string out = "[";
  for (const doubt& d : doubts) {
    if (out.size() > 1) out += ',';
    out += '[' + json_string(d.relation) + ',' + (d.whole ? "null" : list(d.key)) + ',' +
           (d.scope.empty() ? "null" : list(d.scope)) + ']';
  }
  return out + ']';
}

}  // namespace pgtandem::reconcile
