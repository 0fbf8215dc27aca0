// A client logs in at the proxy, and the proxy with what it learnt at a server: another `startup` plays that server.
#include <catch2/catch.hpp>

#include "conversation.hpp"
#include "proxy/session/server_login.hpp"

using namespace pgtandem::session;
using namespace pgtandem;

namespace {

// Carries bytes between a login and a server until neither has more to say. The server knows `secret`.
void converse(server_login& l, startup& server, const std::string& secret) {
  for (int turn = 0; turn < 10; ++turn) {
    server.client_data(l.take_output());
    startup_outbox out = server.take();
    if (out.lookup) server.secret_found(secret);
    if (out.log_in) server.complete({{{"TimeZone", "UTC"}}, 0, 0}, 5, 6);
    l.server_data(out.to_client + server.take().to_client);
  }
}

}  // namespace

TEST_CASE("who proved a secret at the proxy is logged in at a server with the same verifier") {
  const std::string verifier =
      protocol::to_text(protocol::verifier_of(protocol::derive_scram_keys("pencil", "0123456789abcdef", 4096)));
  const std::string other =
      protocol::to_text(protocol::verifier_of(protocol::derive_scram_keys("pencil", "fedcba9876543210", 4096)));
  struct row {
    std::string at_proxy, at_server;
    login_state end;
  };
  const row rows[] = {
      {"pencil", "pencil", login_state::ready},  {"pencil", verifier, login_state::ready},
      {verifier, verifier, login_state::ready},  {verifier, other, login_state::failed},
      {verifier, "pencil", login_state::failed},
  };
  for (const row& r : rows) {
    startup proxy({auth_method::scram_sha_256, "shop", "key of the proxy", "n1"});
    startup server({auth_method::scram_sha_256, "shop", "key of the server", "n2"});
    server_login client({"ann", "shop", {}, {"pencil", {}, {}}}, "shop", "n3");
    converse(client, proxy, r.at_proxy);
    REQUIRE(client.state() == login_state::ready);

    server_login login(proxy.who(), "shop", "n4");
    converse(login, server, r.at_server);
    CHECK(login.state() == r.end);
  }
}
