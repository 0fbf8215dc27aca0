// A client's conversation before its session: requests, StartupMessage, authentication, the greeting. A pure core:
// events go in and run to their end; what they want is fetched with `take()` after every event.
//
//   client_data … -> take().lookup          find the secret of who().user, then secret_found() or secret_unknown()
//                 -> take().log_in          log in to the primary as who(), then complete() or refuse*()
//                 -> take().cancel          pass the request on to the session with this key; the connection closes
// After complete() the conversation is over: `leftover()` is what the client has sent beyond it, and belongs to the
// session. Bounds: a startup packet, a SASL message and what a client sends ahead of its time are limited by the
// constants below.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/credential.hpp"
#include "protocol/scram_server.hpp"
#include "protocol/startup_packet.hpp"
#include "proxy/session/session.hpp"

namespace pgtandem::session {

inline constexpr std::size_t early_bytes_max = 1 << 20;  // sent by the client while it had to wait
inline constexpr std::size_t name_max = 63;              // bytes of a user or database name; PostgreSQL cuts them too

enum class auth_method : std::uint8_t { trust, scram_sha_256 };

struct startup_rules {
  auth_method method = auth_method::scram_sha_256;
  std::string database;  // the one that is served; any other does not exist
  std::string salt_key;  // random, the same for all connections of the process (see protocol::scram_salt)
  std::string nonce;     // at least 18 random bytes, for this connection only
};

// Who the client is and what it wants of a server.
struct identity {
  std::string user, database;
  std::vector<std::pair<std::string, std::string>> parameters;  // of the StartupMessage, without user and database
  protocol::credential credential;                              // for the login to the server; known once authenticated
};

struct startup_outbox {
  std::string to_client;
  bool reads_client = true;
  bool lookup = false;
  bool log_in = false;
  std::optional<protocol::cancel_request> cancel;
  bool close_client = false;  // after to_client is flushed
  std::string refused;        // SQLSTATE of the refusal; empty = there was none
};

class startup {
 public:
  explicit startup(startup_rules rules);

  // --- events
  void client_data(std::string_view bytes);
  // `secret`: a password, an md5 secret or a SCRAM verifier. With auth_method::trust it is not asked of the client, and
  // only serves the login to the server.
  void secret_found(std::string_view secret);
  void secret_unknown();  // no such user: with SCRAM the exchange goes on as if there were one, and fails
  // The server's own ParameterStatus, `notices` it sent while logging in, and the proxy's key for CancelRequest.
  void complete(const server_hello& server, std::uint32_t pid, std::uint32_t secret, std::string_view notices = {});
  // FATAL and close: shutdown, time-out, no server, …
  void refuse(std::string_view sqlstate, std::string_view message, std::string_view detail = {});
  void refuse_with(std::string_view error_response);  // a server's ErrorResponse, byte for byte; and close

  startup_outbox take();

  // --- questions
  const identity& who() const { return who_; }           // user and database from `lookup` on
  std::string_view leftover() const { return buffer_; }  // valid until the startup is destroyed

 private:
  enum class stage : std::uint8_t { packet, secret, sasl_first, sasl_last, login, open, closed };

  bool step();  // one packet or message; false if more bytes are needed
  bool read_packet();
  void version_packet(const protocol::startup_frame& f);
  void take_parameters(const protocol::startup_parameters& parameters, std::vector<std::string_view>& unknown);
  bool read_sasl();
  void sasl_message(std::string_view body);
  void ask_for_proof(protocol::scram_verifier v, bool doomed);
  void proven();
  void wrong_password();

  startup_rules rules_;
  stage stage_ = stage::packet;
  bool ssl_refused_ = false, gssenc_refused_ = false, replication_ = false;
  std::string buffer_;  // from the client, not consumed yet
  identity who_;
  std::optional<protocol::scram_server> scram_;
  startup_outbox out_;
};

}  // namespace pgtandem::session
