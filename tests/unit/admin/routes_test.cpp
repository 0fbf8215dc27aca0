// Every route over loopback, against a control thread whose databases cannot be reached.
#include <catch2/catch.hpp>

#include "tests/unit/admin/admin_port.hpp"

using namespace pgtandem;
using test::converse;

namespace {

using port = test::admin_port;

bool answers(const std::string& reply, int status) { return reply.starts_with("HTTP/1.1 " + std::to_string(status) + " "); }

const std::string bearer = "Authorization: Bearer s3cret\r\n";

}  // namespace

TEST_CASE("the route table is sound") {
  for (const admin::route& r : admin::routes()) {
    INFO(r.path);
    CHECK_FALSE(r.help.empty());
    CHECK(r.path.starts_with("/"));
    CHECK(r.needs_token == (r.method == "POST"));
    std::string path(r.path);
    if (path.size() > 1 && path.back() == '/') path += "7";
    CHECK(admin::find_route(r.method, path).to == &r);
  }
  CHECK(admin::find_route("PUT", "/metrics").other_method);
  CHECK_FALSE(admin::find_route("GET", "/api/v1/intents/7/8").to);
}

TEST_CASE("every route answers over loopback") {
  port p;
  struct row {
    const char *method, *path, *body;
    bool token;
    int status;
    const char* holds;
  };
  const row rows[] = {
      {"GET", "/", "", false, 200, "/api/v1/cutover"},
      {"GET", "/healthz", "", false, 200, "ok"},
      {"HEAD", "/healthz", "", false, 200, ""},
      {"GET", "/readyz", "", false, 503, "not ready"},
      {"GET", "/metrics", "", false, 200, "migrated_rows"},
      {"GET", "/metrics?x=1", "", false, 200, "checksum_ok"},
      {"GET", "/api/v1/status", "", false, 200, "\"name\":\"test:1\""},
      {"GET", "/api/v1/phase", "", false, 200, "\"phase\":\"passthrough\""},
      {"GET", "/api/v1/gates", "", false, 200, "\"gates\":[]"},
      {"GET", "/api/v1/sessions", "", false, 200, "[]"},
      {"GET", "/api/v1/leases", "", false, 200, "[]"},
      {"GET", "/api/v1/journal", "", false, 200, "[]"},
      {"GET", "/api/v1/progress", "", false, 200, "[]"},
      {"GET", "/api/v1/sweeps", "", false, 200, "[]"},
      {"GET", "/api/v1/intents", "", false, 200, "[]"},
      {"GET", "/api/v1/intents/99", "", false, 404, "error"},
      {"GET", "/api/v1/intents/x", "", false, 400, "error"},
      {"GET", "/nothing", "", false, 404, "error"},
      {"DELETE", "/metrics", "", false, 405, "error"},
      {"POST", "/api/v1/phase", "{\"to\": \"dual_write\"}", false, 401, "error"},
      {"POST", "/api/v1/phase", "{\"to\": \"dual_write\"}", true, 202, "\"intent\":1"},
      {"POST", "/api/v1/phase", "{\"to\": \"nonsense\"}", true, 400, "error"},
      {"POST", "/api/v1/phase", "{\"to\": 7}", true, 400, "error"},
      {"POST", "/api/v1/phase", "[", true, 400, "error"},
      {"POST", "/api/v1/cutover", "", true, 202, "\"intent\":2"},
      {"POST", "/api/v1/cutover", "{\"dry_run\": 1}", true, 400, "error"},
      {"POST", "/api/v1/rollback", "{\"dry_run\": true}", true, 202, "\"intent\":3"},
      {"POST", "/api/v1/reload", "", true, 202, "reload"},
      {"GET", "/api/v1/intents/2", "", false, 200, "\"verb\":\"cutover\""},
  };
  for (const row& r : rows) {
    std::string reply = p(r.method, r.path, r.body, r.token ? bearer : "");
    INFO(r.method << " " << r.path << " " << r.body << "\n" << reply);
    CHECK(answers(reply, r.status));
    CHECK(reply.find(r.holds) != std::string::npos);
  }
  CHECK(p.reloads == 1);
}

TEST_CASE("without a configured token nothing can be changed") {
  port p;
  p.token.clear();
  CHECK(answers(p("POST", "/api/v1/cutover", "", "Authorization: Bearer \r\n"), 403));
  CHECK(answers(p("GET", "/api/v1/status"), 200));
}

TEST_CASE("a wrong token is refused whatever its shape") {
  port p;
  for (const char* wrong : {"", "Authorization: s3cret\r\n", "Authorization: Bearer s3cre\r\n", "Authorization: Bearer s3cret1\r\n",
                            "Authorization: Basic s3cret\r\n", "Authorization: Bearer\r\n"})
    CHECK(answers(p("POST", "/api/v1/cutover", "", wrong), 401));
}

TEST_CASE("what is no request, or too large, gets a 4xx and a closed connection") {
  port p;
  CHECK(answers(converse(p.server.port(), "rubbish\r\n\r\n"), 400));
  CHECK(answers(converse(p.server.port(), std::string("\x16\x03\x01\x00\xee", 5) + std::string(300, 'x') + "\r\n\r\n"), 400));
  std::string header = "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20000, 'a') + "\r\n\r\n";
  CHECK(answers(converse(p.server.port(), header), 413));
  CHECK(answers(p("POST", "/api/v1/phase", std::string(100000, 'x'), bearer), 413));
  CHECK(answers(p("GET", "/healthz"), 200));
}

TEST_CASE("more intents than the desk holds are refused") {
  port p;
  for (std::size_t i = 0; i < control::intent_desk::queue_max; ++i) CHECK(answers(p("POST", "/api/v1/cutover", "", bearer), 202));
  CHECK(answers(p("POST", "/api/v1/cutover", "", bearer), 503));
}

TEST_CASE("two requests on one connection") {
  port p;
  std::string two = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  std::string reply = converse(p.server.port(), two);
  CHECK(reply.find("200 OK") != reply.rfind("200 OK"));
}
