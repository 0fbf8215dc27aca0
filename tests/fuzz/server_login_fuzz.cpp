// A server's half of a login. The first byte: what the proxy knows of the user, and in pieces of which size the rest
// arrives.
#include <algorithm>
#include <string>

#include "protocol/message.hpp"
#include "proxy/session/server_login.hpp"
#include "tests/fuzz/target.hpp"

using namespace pgtandem;
using namespace pgtandem::session;

namespace {

// Never a password together with SCRAM: its derivation, asked for by the server, would slow the fuzzer down.
protocol::credential knowledge(unsigned choice) {
  protocol::credential c;
  if (choice == 1) c.md5 = "md5" + std::string(32, 'a');
  if (choice == 2) c.scram = protocol::scram_keys{4096, "0123456789abcdef", {}, {}};
  return c;
}

struct heard {
  std::string to_server, notices, refusal;
  login_state state = login_state::pending;
  bool operator==(const heard&) const = default;
};

heard converse(std::string_view bytes, unsigned choice, std::size_t piece) {
  server_login l({"ann", "shop", {}, knowledge(choice)}, "shop", "nonce");
  heard h;
  for (std::size_t at = 0; at < bytes.size(); at += piece) l.server_data(bytes.substr(at, piece));
  h.to_server = l.take_output();
  h.notices = l.notices();
  h.state = l.state();
  h.refusal = l.failure().raw;
  fuzz::promise((h.state == login_state::failed) == protocol::scan(h.refusal).complete());
  return h;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes = fuzz::text(data, size).substr(1);
  const heard once = converse(bytes, data[0] % 3u, std::max<std::size_t>(bytes.size(), 1));
  fuzz::promise(once == converse(bytes, data[0] % 3u, data[0] / 3u + 1));
  return 0;
}
