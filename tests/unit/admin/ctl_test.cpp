// ctl against a real admin port whose databases cannot be reached.
#include "proxy/admin/ctl.hpp"

#include <catch2/catch.hpp>
#include <sstream>

#include "proxy/admin/http_client.hpp"
#include "proxy/admin/progress_line.hpp"
#include "tests/unit/admin/admin_port.hpp"

using namespace pgtandem;

namespace {

struct said {
  int status;
  std::string out, err;
};

said run(admin::ctl_options o) {
  std::ostringstream out, err;
  int status = admin::ctl(o, out, err);
  return {status, out.str(), err.str()};
}

}  // namespace

TEST_CASE("addresses") {
  struct row {
    const char *url, *host, *port;
  };
  const row rows[] = {{"http://127.0.0.1:6433", "127.0.0.1", "6433"}, {"127.0.0.1:1", "127.0.0.1", "1"}, {"host", "host", "6433"},
                      {"http://[::1]:7/", "::1", "7"},                {"[::1]", "::1", "6433"}};
  for (const row& r : rows) {
    auto a = admin::parse_address(r.url);
    REQUIRE(a);
    CHECK(a->host == r.host);
    CHECK(a->port == r.port);
  }
  for (const char* wrong : {"", "https://x", "http://x/path", "x:y", ":1", "[::1", "[::1]x"}) CHECK_FALSE(admin::parse_address(wrong));
}

TEST_CASE("exit statuses") {
  test::admin_port p;
  p.control.start();
  std::string url = "http://127.0.0.1:" + std::to_string(p.server.port());
  struct row {
    std::vector<std::string> words;
    const char* token;
    int status;
    const char* says;
  };
  const row rows[] = {
      {{"status"}, "", 0, "phase passthrough"},
      {{"gates"}, "", 0, "gates for"},
      {{"sessions"}, "", 0, ""},
      {{"reload"}, "s3cret", 0, "reload"},
      {{"reload"}, "", 1, "Authorization"},
      {{"cutover"}, "wrong", 1, "Authorization"},
      {{"cutover"}, "s3cret", 1, "run pgtandem init"},
      {{"phase", "dual_write"}, "s3cret", 1, "run pgtandem init"},
      {{"phase", "nonsense"}, "s3cret", 1, "no such phase"},
      {{"backfill"}, "s3cret", 1, "run pgtandem init"},
      {{"phase"}, "s3cret", 2, "usage"},
      {{}, "", 2, "usage"},
      {{"nonsense"}, "", 2, "usage"},
  };
  for (const row& r : rows) {
    admin::ctl_options o;
    o.url = url;
    o.token = r.token;
    o.words = r.words;
    said s = run(o);
    INFO((r.words.empty() ? "" : r.words[0]) << "\n" << s.out << s.err);
    CHECK(s.status == r.status);
    CHECK((s.out + s.err).find(r.says) != std::string::npos);
  }
  admin::ctl_options nobody;
  nobody.url = "http://127.0.0.1:1";
  nobody.words = {"status"};
  CHECK(run(nobody).status == 3);
}

TEST_CASE("progress lines") {
  CHECK(admin::progress_line({"t", 50, 200, 1536, 10}, false) == "t: 25 %, 50 of 200 rows, 1.5 KiB, 10 rows/s, 15 s left");
  CHECK(admin::progress_line({"t", 0, 0, 0, 0}, false) == "t: 0 %, 0 of 0 rows, 0 B");
  CHECK(admin::progress_line({"t", 300, 200, 0, 0}, false) == "t: 100 %, 300 of 300 rows, 0 B");
  CHECK(admin::progress_line({"t", 1, 2, 0, 0}, true).find("[###############...............]  50 %") != std::string::npos);
  CHECK(admin::duration(3723) == "1:02:03");
  CHECK(admin::duration(123) == "2:03");
  CHECK(admin::human(5LL << 30) == "5.0 GiB");
}
