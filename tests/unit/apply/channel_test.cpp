#include "proxy/apply/channel.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <optional>

#include "tests/unit/support/name_server.hpp"
#include "tests/unit/support/temporary_cluster.hpp"

using namespace pgtandem;
using namespace std::chrono_literals;
using test::name_server;

namespace {

struct line {
  apply::reply connect(const std::string& conninfo, std::chrono::milliseconds limit) {
    std::optional<apply::reply> answer;
    const apply::settings_list settings{{"lock_timeout", "0"}};
    boost::asio::co_spawn(
        loop,
        [&]() -> apply::task<> { answer = co_await channel->connect(conninfo, settings, apply::clock::now() + limit); },
        boost::asio::detached);
    loop.restart();
    while (!answer) loop.run_one_for(1s);
    return *answer;
  }
  boost::asio::io_context loop{1};
  std::shared_ptr<apply::channel> channel = std::make_shared<apply::channel>(loop);
};

std::string rest(const test::temporary_cluster& server) {
  return " user=postgres dbname=postgres port=" + std::to_string(server.port());
}

}  // namespace

TEST_CASE("a channel tries every address of a name") {
  test::temporary_cluster server;
  line l;
  CHECK(l.connect("host=missing.test,two.test" + rest(server), 10s).outcome == apply::reply::state::done);
  CHECK(l.connect("host=missing.test" + rest(server), 10s).sqlstate == "08001");
}

TEST_CASE("a name server that does not answer holds up the call alone, not its loop") {
  test::temporary_cluster server;
  line l;
  name_server::hold();
  CHECK(l.connect("host=slow.test" + rest(server), 50ms).outcome == apply::reply::state::timed_out);
  CHECK(l.connect("host=slow.test" + rest(server), 50ms).outcome == apply::reply::state::timed_out);
  CHECK(name_server::asked() == 1);
  name_server::let_go();
  CHECK(l.connect("host=slow.test" + rest(server), 10s).sqlstate ==
        "08001");  // nobody listens there, but that is known now
}

TEST_CASE("behind a server that lets the time run out another has its turn") {
  test::temporary_cluster silent, server;
  silent.freeze();
  line l;
  const std::string both =
      "host=127.0.0.1,127.0.0.1 user=postgres dbname=postgres port=" + std::to_string(silent.port()) + "," +
      std::to_string(server.port());
  CHECK(l.connect(both, 200ms).outcome == apply::reply::state::timed_out);
  CHECK(l.connect(both, 10s).outcome == apply::reply::state::done);
  silent.thaw();
}
