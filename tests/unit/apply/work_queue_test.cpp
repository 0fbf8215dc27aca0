#include "proxy/apply/work_queue.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

using namespace pgtandem;
using namespace std::chrono_literals;

TEST_CASE("an op that has waited for nothing spares the next groups the wait") {
  boost::asio::io_context loop;
  apply::pool_settings s;
  s.gather_us = 500'000;
  apply::work_queue q(loop, "", s);
  q.expected = 1;
  auto waits_since = [&](apply::clock::duration ago) {
    q.waiting.push_back({std::make_shared<session::op>(), nullptr, apply::clock::now() - ago});
  };

  waits_since(0ms);
  CHECK_FALSE(q.ready());
  CHECK(q.take_group().empty());
  q.waiting.clear();

  waits_since(600ms);  // nobody came
  CHECK(q.take_group().size() == 1);
  for (std::uint32_t i = 0; i < apply::work_queue::groups_without; ++i) {
    waits_since(0ms);
    REQUIRE(q.ready());
    CHECK(q.take_group().size() == 1);
  }
  waits_since(0ms);
  CHECK_FALSE(q.ready());

  q.waiting.clear();
  waits_since(600ms);  // somebody came
  waits_since(0ms);
  CHECK(q.take_group().size() == 2);
  waits_since(0ms);
  CHECK_FALSE(q.ready());
}

TEST_CASE("what an overdue op brings in the end neither counts again nor makes good") {
  using session::apply_result;
  struct row {
    apply_result brings;
    bool overdue;
    bool then_opens;  // at the next failure, one being there already and two opening the breaker
  };
  const row rows[] = {
      {apply_result::applied, false, false},
      {apply_result::applied, true, true},
      {apply_result::timed_out, true, true},
      {apply_result::lost, true, true},
  };
  for (const row& r : rows) {
    INFO(static_cast<int>(r.brings) << r.overdue);
    boost::asio::io_context loop;
    apply::pool_settings s;
    s.breaker_failures = 2;
    apply::work_queue q(loop, "", s);
    REQUIRE_FALSE(q.health.failed());
    auto o = std::make_shared<session::op>();
    o->overdue = r.overdue;
    q.finish({o, nullptr, apply::clock::now()}, {r.brings, "57014", ""});
    CHECK_FALSE(q.health.open());
    CHECK(q.health.failed() == r.then_opens);
  }
}
