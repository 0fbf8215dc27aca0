#include "protocol/frontend_messages.hpp"

#include <catch2/catch.hpp>

#include "cut.hpp"

using namespace pgtandem::protocol;
using namespace std::string_literals;

TEST_CASE("Query") {
  std::string out;
  write_query(out, "SELECT 1");
  const std::string body = body_of(out, frontend::query);
  CHECK(decode_query(body) == "SELECT 1");
  refuses_every_cut(body, decode_query);
  CHECK_FALSE(decode_query("SELECT\0 1\0"s));
}

TEST_CASE("Parse") {
  std::string out;
  const std::uint32_t types[] = {23, 0, 4294967295};
  write_parse(out, "s1", "SELECT $1, $2, $3", types);
  const std::string body = body_of(out, frontend::parse);
  const auto m = decode_parse(body);
  REQUIRE(m);
  CHECK(m->name == "s1");
  CHECK(m->sql == "SELECT $1, $2, $3");
  CHECK(m->parameter_types == std::vector<std::uint32_t>{23, 0, 4294967295});
  refuses_every_cut(body, decode_parse);
}

TEST_CASE("Bind: parameters are carried along, result formats can be replaced") {
  // portal p, statement s, formats (text, binary), values ('7', NULL, ''), results in binary
  const std::string body =
      "p\0s\0"
      "\0\2\0\0\0\1"
      "\0\3"
      "\0\0\0\1"
      "7"
      "\xff\xff\xff\xff"
      "\0\0\0\0"
      "\0\1\0\1"s;
  const auto m = decode_bind(body);
  REQUIRE(m);
  CHECK(m->portal == "p");
  CHECK(m->statement == "s");
  CHECK(m->parameter_count == 3);
  CHECK(m->result_formats == std::vector<std::int16_t>{1});
  CHECK(body.substr(m->result_formats_at) == "\0\1\0\1"s);
  CHECK(body.substr(4, m->parameter_part.size()) == m->parameter_part);
  refuses_every_cut(body, decode_bind);

  std::string out;
  const std::int16_t formats[] = {1, 0};
  write_bind(out, *m, "q", "other", formats);
  const std::string rewritten = body_of(out, frontend::bind);
  const auto again = decode_bind(rewritten);
  REQUIRE(again);
  CHECK(again->portal == "q");
  CHECK(again->statement == "other");
  CHECK(again->parameter_part == m->parameter_part);
  CHECK(again->result_formats == std::vector<std::int16_t>{1, 0});
}

TEST_CASE("Bind of our own") {
  std::string out;
  const std::optional<std::string_view> parameters[] = {"a", std::nullopt};
  write_bind(out, "", "s", parameters);
  const auto m = decode_bind(body_of(out, frontend::bind));
  REQUIRE(m);
  CHECK(m->parameter_count == 2);
  CHECK(m->result_formats.empty());
}

TEST_CASE("Bind with counts and lengths that cannot be") {
  const std::string bodies[] = {
      "\0\0"
      "\xff\xff"s,  // 65535 formats, none there
      "\0\0"
      "\0\0"
      "\xff\xff"s,  // 65535 values, none there
      "\0\0"
      "\0\0"
      "\0\1"
      "\xff\xff\xff\xfe"
      "\0\0"s,  // a length of -2
      "\0\0"
      "\0\0"
      "\0\1"
      "\x7f\xff\xff\xff"
      "\0\0"s,  // a value of 2 GiB
      "\0\0"
      "\0\0"
      "\0\0"
      "\0\2\0\0"s,  // two result formats, one there
  };
  for (const std::string& body : bodies) CHECK_FALSE(decode_bind(body));
}

TEST_CASE("Bind: one of its values") {
  std::string out;
  const std::vector<std::optional<std::string_view>> values{"first", std::nullopt, "", "last"};
  write_bind(out, "", "", values);
  const std::string body = body_of(out, frontend::bind);
  const auto m = decode_bind(body);
  REQUIRE(m);
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(bound_parameter(*m, i + 1) == values[i]);
  CHECK_FALSE(bound_parameter(*m, 0));
  CHECK_FALSE(bound_parameter(*m, 5));
}

TEST_CASE("Describe and Close") {
  std::string out;
  write_describe(out, describe_kind::portal, "p1");
  const std::string body = body_of(out, frontend::describe);
  const auto m = decode_describe(body);
  REQUIRE(m);
  CHECK(m->kind == describe_kind::portal);
  CHECK(m->name == "p1");
  refuses_every_cut(body, decode_describe);
  CHECK_FALSE(decode_describe("Xname\0"s));

  std::string close;
  write_close(close, describe_kind::statement, "s1");
  CHECK(decode_describe(body_of(close, frontend::close))->kind == describe_kind::statement);
}

TEST_CASE("Execute") {
  std::string out;
  write_execute(out, "p1", 10);
  const std::string body = body_of(out, frontend::execute);
  const auto m = decode_execute(body);
  REQUIRE(m);
  CHECK(m->portal == "p1");
  CHECK(m->max_rows == 10);
  refuses_every_cut(body, decode_execute);
}

TEST_CASE("messages without a body, and the password family, byte for byte") {
  std::string out;
  write_flush(out);
  write_sync(out);
  write_terminate(out);
  write_copy_fail(out, "no");
  write_password(out, "pw");
  write_sasl_initial(out, "M", "data");
  write_sasl_response(out, "more");
  CHECK(out ==
        "H\0\0\0\4S\0\0\0\4X\0\0\0\4f\0\0\0\7no\0p\0\0\0\7pw\0p\0\0\0\x0eM\0\0\0\0\4data"
        "p\0\0\0\x08more"s);
}
