// A client that does not read must not make the proxy grow: its server is not read either.
#include <catch2/catch.hpp>

#include "tests/unit/net/rig.hpp"

namespace pgtandem::net::test {
namespace {

// What the kernel may hold between the two ends (four buffers, tcp_rmem and tcp_wmem at most 6 MiB) and the proxy's own
// share.
constexpr std::uint64_t bound = std::uint64_t{32} << 20;

TEST_CASE("a client that stops reading stops its server, and nobody else") {
  rig r;
  wire lazy = r.log_in();
  lazy.send(r.query("flood"));
  for (int i = 0; i < patience_ms && !r.server.stuck(); ++i) ::usleep(1000);
  REQUIRE(r.server.stuck());
  CHECK(r.server.flooded() < bound);

  wire other = r.log_in();
  other.send(r.query("select 1"));
  CHECK(other.until('Z').find("SELECT 0") != std::string::npos);

  // When it reads again, the rest comes.
  const auto before = r.server.flooded();
  for (std::uint64_t read = 0; read < 2 * bound; read += 16384) REQUIRE(lazy.take(16384));
  CHECK(r.server.flooded() > before);
}

}  // namespace
}  // namespace pgtandem::net::test
