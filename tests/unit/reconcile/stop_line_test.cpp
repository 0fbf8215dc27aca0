#include "reconcile/stop_line.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <thread>

using namespace pgtandem::reconcile;
using namespace std::chrono_literals;

namespace {

constexpr auto forever = 10min;  // a pause that nothing ends would be noticed
constexpr auto soon = 1min;

stop_line* rung_by_signal = nullptr;

template <class F>
std::chrono::steady_clock::duration time_of(F&& f) {
  const auto begun = std::chrono::steady_clock::now();
  f();
  return std::chrono::steady_clock::now() - begun;
}

}  // namespace

TEST_CASE("stop line: a pause runs to its limit, and not at all once it was rung") {
  stop_line s;
  CHECK(time_of([&] { s.rest(20ms); }) >= 20ms);
  CHECK_FALSE(s.rung());
  s.ring();
  CHECK(s.rung());
  CHECK(time_of([&] { s.rest(forever); }) < soon);
}

TEST_CASE("stop line: another thread ends a pause") {
  stop_line s;
  CHECK(time_of([&] {
          std::thread other([&] { s.ring(); });
          s.rest(forever);
          other.join();
        }) < soon);
  CHECK(s.rung());
}

TEST_CASE("stop line: a signal handler ends a pause") {
  stop_line s;
  rung_by_signal = &s;
  const auto before = std::signal(SIGUSR1, [](int) { rung_by_signal->ring(); });
  CHECK(time_of([&] {
          const auto waiting = ::pthread_self();
          std::thread other([&] { ::pthread_kill(waiting, SIGUSR1); });
          s.rest(forever);
          other.join();
        }) < soon);
  CHECK(s.rung());
  std::signal(SIGUSR1, before);
}

TEST_CASE("stop line: news on the socket end a pause, and so does its end") {
  stop_line s;
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  CHECK(time_of([&] { s.rest(20ms, pair[0]); }) >= 20ms);
  REQUIRE(::send(pair[1], "x", 1, MSG_NOSIGNAL) == 1);
  CHECK(time_of([&] { s.rest(forever, pair[0]); }) < soon);
  char byte;
  REQUIRE(::recv(pair[0], &byte, 1, 0) == 1);
  ::close(pair[1]);
  CHECK(time_of([&] { s.rest(forever, pair[0]); }) < soon);
  CHECK_FALSE(s.rung());
  ::close(pair[0]);
}
