// Builds what clients and servers say, and prints what was answered one message a word: "N R10 E:28P01 close".
#pragma once
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/backend_messages.hpp"
#include "protocol/error_response.hpp"
#include "protocol/frontend_messages.hpp"
#include "protocol/message.hpp"
#include "protocol/startup_packet.hpp"
#include "proxy/session/startup.hpp"

namespace pgtandem::session {

using pairs = std::vector<std::pair<std::string, std::string>>;

inline std::string startup_message(const pairs& parameters) {
  std::string out;
  protocol::write_startup(out, parameters);
  return out;
}

inline std::string error_message(std::string_view sqlstate, std::string_view message) {
  std::string out;
  protocol::write_error(out, {"FATAL", sqlstate, message});
  return out;
}

inline std::string ssl_request() {
  std::string out;
  protocol::write_ssl_request(out);
  return out;
}

inline std::string gssenc_request() { return std::string("\0\0\0\x08\x04\xd2\x16\x30", 8); }

inline startup_rules rules(auth_method method) { return {method, "shop", "salt key", "nonce of the proxy"}; }

// One word for a server's message: its type, of Authentication with its sub-type, of an error with its SQLSTATE.
inline std::string word(const protocol::frame& f) {
  if (f.type == protocol::backend::authentication)
    return "R" + std::to_string(protocol::decode_authentication(f.body)->type);
  if (f.type == protocol::backend::error_response)
    return "E:" + std::string(protocol::decode_error(f.body)->sqlstate());
  return std::string(1, f.type);
}

// All of `bytes`, which must be whole messages; the one-byte answers to SSLRequest and GSSENCRequest come first.
inline std::string words(std::string_view bytes) {
  std::string text;
  while (bytes.starts_with('N')) {
    text += "N ";
    bytes.remove_prefix(1);
  }
  while (!bytes.empty()) {
    const protocol::frame f = protocol::scan(bytes);
    REQUIRE(f.complete());
    text += word(f) + ' ';
    bytes.remove_prefix(f.size);
  }
  return text;
}

// What a startup wants, in words.
inline std::string heard(startup& s) {
  const startup_outbox out = s.take();
  std::string text = words(out.to_client);
  const std::size_t error = text.find("E:");
  CHECK(out.refused ==
        (error == std::string::npos ? "" : text.substr(error + 2, 5)));  // every refusal is counted as what it is
  if (out.lookup) text += "lookup ";
  if (out.log_in) text += "login ";
  if (out.cancel) text += "cancel:" + std::to_string(out.cancel->pid) + ":" + std::to_string(out.cancel->secret) + ' ';
  if (out.close_client) text += "close ";
  return text.empty() ? text : text.substr(0, text.size() - 1);
}

}  // namespace pgtandem::session
