// COPY … FROM STDIN whose data, end and Syncs come at once, or one after the other.
#include <catch2/catch.hpp>

#include "protocol/frontend_messages.hpp"
#include "proxy/sql/rewrite.hpp"
#include "tests/unit/session/messages.hpp"
#include "tests/unit/session/stage.hpp"

using namespace pgtandem;
using test::pieces;
using test::query;
using test::stage;
using test::whole;
namespace p = protocol;

namespace {

const std::string data("d\0\0\0\6x\n", 7), done("c\0\0\0\4", 5), give_up("f\0\0\0\5\0", 6);
const std::string copied = data + data + done, end = test::synced();

std::string flush() {
  std::string m;
  p::write_flush(m);
  return m;
}

const std::string copy_tmp = whole("COPY tmp FROM STDIN"), insert = whole("INSERT INTO t VALUES (1, 10)");

void teach(stage& s) {
  const std::string quoted = sql::relation_name{"", "tmp", "tmp"}.quoted();
  s.primary.when("VALUES (" + sql::quote_literal(quoted), {{}, {{quoted, "200", "t", "t"}}, "SELECT 1", ""});
  s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
}

}  // namespace

TEST_CASE("copy: the Syncs before the end of the data are ignored, those behind it are answered") {
  struct row {
    std::vector<std::string> sends;
    std::string heard;
    std::size_t mirrored = 0;
  };
  const row rows[] = {
      {{copy_tmp + copied + end}, "1 2 G C:COPY 1 Z:I"},
      {{copy_tmp + flush(), copied + end}, "1 2 G C:COPY 1 Z:I"},
      {{copy_tmp + end, copied + end}, "1 2 G C:COPY 1 Z:I"},
      {{copy_tmp + end + copied + end}, "1 2 G C:COPY 1 Z:I"},
      {{copy_tmp + end + end + data + end + done + end + end}, "1 2 G C:COPY 1 Z:I Z:I"},
      {{copy_tmp + flush(), data + end + flush() + done, end}, "1 2 G C:COPY 1 Z:I"},
      {{copy_tmp + copied + copy_tmp + copied + end}, "1 2 G C:COPY 1 1 2 G C:COPY 1 Z:I"},
      {{copy_tmp + give_up + end}, "1 2 G E:57014 Z:I"},
      {{insert + copy_tmp + copied + end}, "1 2 C:INSERT 0 1 1 2 G C:COPY 1 Z:I", 1},
      {{insert + copy_tmp + end, copied + end}, "1 2 C:INSERT 0 1 1 2 G C:COPY 1 Z:I", 1},
      {{copy_tmp + copied + insert + end}, "1 2 G C:COPY 1 1 2 C:INSERT 0 1 Z:I", 1},
      {{copy_tmp + end, copied + insert + end}, "1 2 G C:COPY 1 1 2 C:INSERT 0 1 Z:I", 1},
      {{query("COPY tmp FROM STDIN") + copied + end}, "G C:COPY 1 Z:I Z:I"},
      {{query("COPY tmp FROM STDIN") + end + copied}, "G C:COPY 1 Z:I"},
      {{query("COPY tmp FROM STDIN; COPY tmp FROM STDIN") + copied + copied + query("INSERT INTO t VALUES (1, 10)")},
       "G C:COPY 1 G C:COPY 1 Z:I C:INSERT 0 1 Z:I",
       1},
      {{query("INSERT INTO t VALUES (1, 10); COPY tmp FROM STDIN; INSERT INTO t VALUES (1, 10); COPY tmp FROM STDIN; "
              "SELECT 1") +
        copied + end + copied},
       "C:INSERT 0 1 G C:COPY 1 C:INSERT 0 1 G C:COPY 1 C:SELECT Z:I",
       1},
      {{query("COPY tmp FROM STDIN; INSERT INTO t VALUES (1, 10)"), data, end + flush(), done},
       "G C:COPY 1 C:INSERT 0 1 Z:I",
       1},
      {{query("INSERT INTO t VALUES (1, 10); COPY tmp FROM STDIN"), data + give_up}, "C:INSERT 0 1 G E:57014 Z:I"},
      {{query("COPY tmp FROM STDIN; COPY tmp FROM STDIN") + copied, copied + end}, "G C:COPY 1 G C:COPY 1 Z:I Z:I"},
  };
  for (const row& r : rows)
    for (std::size_t piece : pieces) {
      std::string all;
      for (const std::string& m : r.sends) all += m;
      INFO(all);
      stage s(test::mirrored_world(), piece);
      teach(s);
      for (const std::string& m : r.sends) s.send(m);
      CHECK(s.take() == r.heard);
      CHECK(s.submitted.size() == r.mirrored);
      CHECK(s.session().idle());
      s.query("INSERT INTO t VALUES (1, 10)");
      CHECK(s.take() == "C:INSERT 0 1 Z:I");
      CHECK(s.submitted.size() == r.mirrored + 1);
    }
}
