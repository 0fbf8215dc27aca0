// What stands behind a failed message of the extended protocol never happened, up to the next Sync.
#include <algorithm>
#include <catch2/catch.hpp>

#include "protocol/frontend_messages.hpp"
#include "tests/unit/session/messages.hpp"
#include "tests/unit/session/stage.hpp"

using namespace pgtandem;
using test::pieces;
using test::query;
using test::stage;
using test::whole;
namespace p = protocol;

namespace {

void teach(stage& s) {
  s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
  s.primary.when("SELECT 1", {{"?column?"}, {{"1"}}, "SELECT 1", ""});
  s.primary.when("boom", {{}, {}, "", "22012"});
}


}  // namespace

TEST_CASE("skipped: what the proxy prepares for a write is prepared again with the next") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.query("UPDATE t SET v = 1 WHERE false");  // so that the name is known
    s.take();
    s.session().world_changed(test::world_in(control::phase::dual_write, 8));
    std::string failing;
    p::write_bind(failing, "nothing", "nothing");
    s.send(failing + whole("INSERT INTO t VALUES (1, 10)") + test::synced());
    CHECK(s.take() == "E:26000 Z:I");
    CHECK(!s.primary.has("pgtandem_fence_8"));
    s.query("INSERT INTO t VALUES (1, 10)");
    CHECK(s.take() == "C:INSERT 0 1 Z:I");
    CHECK(s.submitted.size() == 1);
  }
}

TEST_CASE("skipped: a COMMIT that fails in the middle leaves no failed block to what is on its way behind its Sync") {
  const std::string block =
      whole("BEGIN") + whole("INSERT INTO dfr VALUES (1)") + whole("COMMIT") + whole("SELECT 1") + test::synced();
  const std::string failed = "1 2 C:BEGIN 1 2 C:INSERT 0 1 1 2 E:23503 Z:I";
  struct row {
    std::string behind, heard;
  };
  const row rows[] = {
      {whole("SELECT 1") + test::synced(), "1 2 D,1 C:SELECT 1 Z:I"},
      {whole("INSERT INTO t VALUES (1, 10)") + test::synced(), "1 2 C:INSERT 0 1 Z:I"},
      {whole("BEGIN") + whole("INSERT INTO t VALUES (1, 10)") + whole("COMMIT") + test::synced(),
       "1 2 C:BEGIN 1 2 C:INSERT 0 1 1 2 C:COMMIT Z:I"},
      {query("SELECT 1"), "T1 D,1 C:SELECT 1 Z:I"},
      {query("INSERT INTO t VALUES (1, 10)"), "C:INSERT 0 1 Z:I"},
      {query("BEGIN"), "C:BEGIN Z:T"},
  };
  for (const row& r : rows)
    for (std::size_t piece : pieces) {
      INFO(r.heard);
      stage s(test::mirrored_world(), piece);
      teach(s);
      s.primary.when("INSERT INTO dfr", {{"row"}, {{"(103,3,1)"}}, "INSERT 0 1", ""});
      s.primary.when("SET CONSTRAINTS", {{}, {}, "", "23503"});
      s.send(block + r.behind);
      CHECK(s.take() == failed + " " + r.heard);
      s.query("SELECT 1");
      CHECK(s.take() == (r.behind == query("BEGIN") ? "T1 D,1 C:SELECT 1 Z:T" : "T1 D,1 C:SELECT 1 Z:I"));
      CHECK(s.submitted.size() == (r.heard.find("INSERT") == std::string::npos ? 0u : 1u));
    }
}

TEST_CASE("skipped: a statement that was to be prepared again, for its images") {
  for (std::size_t piece : pieces) {
    stage s(test::world_in(control::phase::passthrough), piece);
    teach(s);
    std::string prepare, failing, execute;
    p::write_parse(prepare, "one", "INSERT INTO t VALUES (1, 10)");
    s.send(prepare + test::synced());
    s.session().world_changed(test::mirrored_world());
    s.query("INSERT INTO t VALUES (1, 10)");  // so that the name is known
    CHECK(s.take() == "1 Z:I C:INSERT 0 1 Z:I");
    p::write_bind(failing, "nothing", "nothing");
    p::write_bind(execute, "", "one");
    p::write_execute(execute, "");
    s.send(failing + execute + test::synced());
    CHECK(s.take() == "E:26000 Z:I");
    s.send(execute + test::synced());
    CHECK(s.take() == "2 C:INSERT 0 1 Z:I");
    CHECK(s.submitted.size() == 2);
    CHECK(std::count(s.primary.heard.begin(), s.primary.heard.end(), "INSERT INTO t VALUES (1, 10)") == 0);
  }
}

TEST_CASE("skipped: a Query behind a failed message, sent ahead of the error or after it") {
  for (control::phase phase : {control::phase::passthrough, control::phase::dual_write})
    for (bool heard : {false, true})
      for (std::size_t piece : pieces) {
        stage s(test::world_in(phase), piece);
        teach(s);
        std::string first = whole("SELECT boom"), rest = query("SELECT 1") + query("INSERT INTO t VALUES (1, 10)");
        if (heard) {
          p::write_flush(first);
          s.send(first);
          s.send(rest);
          s.send(test::synced());
        } else {
          s.send(first + rest + test::synced());
        }
        CHECK(s.take() == "1 2 E:22012 Z:I");
        CHECK(s.submitted.empty());
        CHECK(s.session().idle());
        s.query("INSERT INTO t VALUES (1, 10)");
        CHECK(s.take() ==
              (phase == control::phase::dual_write ? "C:INSERT 0 1 Z:I" : "T1 D,(100,3,1,10) C:INSERT 0 1 Z:I"));
        s.query("SELECT 1");
        CHECK(s.take() == "T1 D,1 C:SELECT 1 Z:I");
        CHECK(s.session().idle());
      }
}
