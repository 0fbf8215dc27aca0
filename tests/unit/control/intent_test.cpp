#include "proxy/control/intent.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem::control;
using namespace std::chrono_literals;

TEST_CASE("the desk keeps order, bounds and reports") {
  intent_desk desk;
  CHECK_FALSE(desk.take(1ms));
  for (std::size_t i = 0; i < intent_desk::queue_max; ++i) CHECK(desk.submit({intent_verb::cutover}) == i + 1);
  CHECK_FALSE(desk.submit({intent_verb::cutover}));
  auto first = desk.take(1ms);
  REQUIRE(first);
  CHECK(first->id == 1);
  CHECK(desk.report(1)->state == intent_state::running);
  desk.note(1, "holding");
  CHECK(desk.report(1)->step == "holding");
  first->state = intent_state::done;
  desk.finish(*first);
  CHECK(desk.report(1)->state == intent_state::done);
  CHECK(desk.reports().front().id == intent_desk::queue_max);
}

TEST_CASE("old reports are forgotten, waiting ones never") {
  intent_desk desk;
  for (std::size_t i = 0; i < intent_desk::kept_max + 20; ++i) {
    REQUIRE(desk.submit({intent_verb::rollback}));
    auto r = desk.take(1ms);
    REQUIRE(r);
    r->state = intent_state::failed;
    desk.finish(*r);
  }
  CHECK(desk.reports().size() == intent_desk::kept_max);
  CHECK_FALSE(desk.report(1));
}
