// The shapes of a log line, and that no value can break out of its line.
#include "proxy/telemetry/log.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem::telemetry;

TEST_CASE("a plain line is event and key=value") {
  CHECK(log::line(
            log::format::plain, log::level::info, "applier connected",
            {{"place", "target"}, {"pid", 4711}, {"slow", true}, {"ms", 1.5}, {"why", "no route"}, {"empty", ""}}) ==
        "info applier connected place=target pid=4711 slow=true ms=1.5 why=\"no route\" empty=\"\"");
}

TEST_CASE("a JSON line keeps numbers and booleans bare") {
  CHECK(
      log::line(log::format::json, log::level::error, "lost", {{"n", 7u}, {"ok", false}, {"why", "a\"b\\c\nd\x01"}}) ==
      R"({"level":"error","event":"lost","n":7,"ok":false,"why":"a\"b\\c\nd\u0001"})");
}

TEST_CASE("a value cannot forge a line or a field") {
  for (const char* evil : {"x\nerror forged", "a b=c", "q\"", "\x7f", "\r"}) {
    std::string plain = log::line(log::format::plain, log::level::info, "e", {{"v", evil}});
    CHECK(plain.starts_with("info e v=\""));
    CHECK(plain.ends_with("\""));
    CHECK(plain.find('\n') == std::string::npos);
  }
  CHECK(log::line(log::format::plain, log::level::info, "e", {{"v", std::string(1 << 20, 'x')}}).size() < 5000);
}

TEST_CASE("levels by name") {
  for (auto l : {log::level::debug, log::level::info, log::level::warning, log::level::error})
    CHECK(log::level_named(log::name_of(l)) == l);
  CHECK_FALSE(log::level_named("loud"));
  CHECK(log::format_named("json") == log::format::json);
  CHECK_FALSE(log::format_named("xml"));
  CHECK(log::enabled(log::level::info));
  CHECK_FALSE(log::enabled(log::level::debug));
}
