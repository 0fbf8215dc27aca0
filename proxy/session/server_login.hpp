// Logging in to a server as a client's user: a pure core. Construct, then carry bytes both ways until `state()`
// changes.
//
// Answers trust, cleartext and md5 (if the password or md5 secret is known) and SCRAM-SHA-256 (password or learnt
// keys). Everything the server may send before its first ReadyForQuery is bounded by the constants below.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/scram_client.hpp"
#include "proxy/session/session.hpp"
#include "proxy/session/startup.hpp"

namespace pgtandem::session {

inline constexpr std::size_t login_message_max = 64 << 10;  // bytes of one message
inline constexpr std::size_t login_total_max = 1 << 20;     // bytes of all

enum class login_state : std::uint8_t { pending, ready, failed };

struct login_failure {
  std::string sqlstate, message;
  std::string raw;  // a whole ErrorResponse for the client: the server's own, byte for byte, if it sent one
};

class server_login {
 public:
  // `database`: as the server knows it. `nonce`: at least 18 random bytes, for this login only.
  server_login(identity who, std::string_view database, std::string_view nonce);

  void server_data(std::string_view bytes);
  void server_closed(std::string_view why);  // `why` is for the operator

  std::string take_output() { return std::exchange(to_server_, {}); }  // StartupMessage at first
  login_state state() const { return state_; }
  const server_hello& hello() const { return hello_; }       // when ready
  const login_failure& failure() const { return failure_; }  // when failed
  std::string_view notices() const { return notices_; }      // whole NoticeResponses, for the client
  std::string_view leftover() const { return buffer_; }      // sent by the server after its ReadyForQuery

 private:
  enum class sasl_step : std::uint8_t { none, first_sent, proof_sent, verified };

  void message(char type, std::string_view body, std::string_view whole);
  void after_authentication(char type, std::string_view body);
  void authentication(std::string_view body);
  void cleartext();
  void md5(std::string_view salt);
  void sasl(std::string_view mechanisms);
  void sasl_continue(std::string_view data);
  void sasl_final(std::string_view data);
  void server_error(std::string_view body, std::string_view whole);
  void no_secret_for(std::string_view method);
  void fail(std::string_view sqlstate, std::string message, std::string_view hint = {});
  void violation(std::string_view what);

  identity who_;
  std::string nonce_;
  login_state state_ = login_state::pending;
  bool authenticated_ = false;
  sasl_step step_ = sasl_step::none;
  std::optional<protocol::scram_client> scram_;
  std::size_t received_ = 0;  // bytes in all
  std::string buffer_, to_server_, notices_;
  server_hello hello_;
  login_failure failure_;
};

}  // namespace pgtandem::session
