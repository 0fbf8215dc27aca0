#include "protocol/backend_messages.hpp"

#include <catch2/catch.hpp>

#include "cut.hpp"

using namespace pgtandem::protocol;
using namespace std::string_literals;

namespace {

std::string description(std::initializer_list<std::string_view> names) {
  std::vector<field_description> fields;
  for (const std::string_view name : names) fields.push_back({name, 16384, 1, 23, 4, -1, 1});
  std::string out;
  write_row_description(out, fields);
  return out;
}

}  // namespace

TEST_CASE("RowDescription") {
  const std::string body = body_of(description({"id", "name"}), backend::row_description);
  const auto fields = decode_row_description(body);
  REQUIRE(fields);
  REQUIRE(fields->size() == 2);
  CHECK(fields->at(1).name == "name");
  CHECK(fields->at(1).table_oid == 16384);
  CHECK(fields->at(1).type_oid == 23);
  CHECK(fields->at(1).type_modifier == -1);
  CHECK(fields->at(1).format == 1);
  refuses_every_cut(body, decode_row_description);
  CHECK_FALSE(decode_row_description("\xff\xff"s));
}

TEST_CASE("RowDescription loses its last field") {
  std::string out;
  const std::string body = body_of(description({"id", "image"}), backend::row_description);
  REQUIRE(write_row_description_without_last(out, body));
  CHECK(out == description({"id"}));
  refuses_every_cut(body, [](std::string_view cut) {
    std::string untouched;
    const bool done = write_row_description_without_last(untouched, cut);
    if (!done) CHECK(untouched.empty());
    return done;
  });
  CHECK_FALSE(write_row_description_without_last(out, body_of(description({}), backend::row_description)));
}

TEST_CASE("DataRow is split before its last column") {
  using columns = std::vector<std::optional<std::string_view>>;
  const columns rows[] = {
      {"image"}, {"1", "image"}, {std::nullopt, "", "image"}, {"1", std::nullopt}, {"1", ""},
  };
  for (const columns& row : rows) {
    std::string out, kept, wanted;
    write_data_row(out, row);
    const std::string body = body_of(out, backend::data_row);
    CHECK(decode_data_row(body) == row);
    const auto split = split_last_column(body);
    REQUIRE(split);
    CHECK(split->last == row.back());
    write_data_row(kept, *split);
    write_data_row(wanted, std::span(row).first(row.size() - 1));
    CHECK(kept == wanted);
    refuses_every_cut(body, split_last_column);
    refuses_every_cut(body, decode_data_row);
  }
  CHECK_FALSE(split_last_column("\0\0"s));
  CHECK_FALSE(split_last_column("\0\1\xff\xff\xff\xfe"s));
  CHECK_FALSE(split_last_column("\0\2\x7f\xff\xff\xff\0\0\0\0"s));
}

TEST_CASE("ParameterStatus and BackendKeyData") {
  std::string out;
  write_parameter_status(out, "TimeZone", "UTC");
  std::string body = body_of(out, backend::parameter_status);
  CHECK(decode_parameter_status(body)->name == "TimeZone");
  CHECK(decode_parameter_status(body)->value == "UTC");
  refuses_every_cut(body, decode_parameter_status);

  out.clear();
  write_backend_key(out, 4711, 0xdeadbeef);
  body = body_of(out, backend::backend_key_data);
  CHECK(decode_backend_key(body)->pid == 4711);
  CHECK(decode_backend_key(body)->secret == 0xdeadbeef);
  refuses_every_cut(body, decode_backend_key);
}

TEST_CASE("ReadyForQuery and CommandComplete") {
  for (const char status : {'I', 'T', 'E'}) {
    std::string out;
    write_ready_for_query(out, status);
    const std::string body = body_of(out, backend::ready_for_query);
    CHECK(decode_ready_for_query(body) == status);
    refuses_every_cut(body, decode_ready_for_query);
  }
  CHECK_FALSE(decode_ready_for_query("X"));

  std::string out;
  write_command_complete(out, "INSERT 0 1");
  const std::string body = body_of(out, backend::command_complete);
  CHECK(decode_command_complete(body) == "INSERT 0 1");
  refuses_every_cut(body, decode_command_complete);
}

TEST_CASE("ParameterDescription") {
  std::string out;
  const std::uint32_t types[] = {23, 25};
  write_parameter_description(out, types);
  const std::string body = body_of(out, backend::parameter_description);
  CHECK(decode_parameter_description(body) == std::vector<std::uint32_t>{23, 25});
  refuses_every_cut(body, decode_parameter_description);
}

TEST_CASE("Authentication") {
  std::string out;
  const std::string_view mechanisms[] = {"SCRAM-SHA-256"};
  write_authentication_sasl(out, mechanisms);
  const std::string body = body_of(out, backend::authentication);
  const auto request = decode_authentication(body);
  REQUIRE(request);
  CHECK(request->type == 10);
  CHECK(decode_sasl_mechanisms(request->data) == std::vector<std::string_view>{"SCRAM-SHA-256"});
  refuses_every_cut(std::string(request->data), decode_sasl_mechanisms);
  for (std::size_t size = 0; size < 4; ++size) CHECK_FALSE(decode_authentication(body.substr(0, size)));

  out.clear();
  write_authentication_ok(out);
  write_authentication_sasl_continue(out, "r=");
  write_authentication_sasl_final(out, "v=");
  CHECK(out == "R\0\0\0\x08\0\0\0\0R\0\0\0\x0a\0\0\0\x0br=R\0\0\0\x0a\0\0\0\x0cv="s);
}

TEST_CASE("messages without a body, and NegotiateProtocolVersion, byte for byte") {
  std::string out;
  write_parse_complete(out);
  write_bind_complete(out);
  write_close_complete(out);
  write_no_data(out);
  write_portal_suspended(out);
  write_empty_query_response(out);
  CHECK(out ==
        "1\0\0\0\4"
        "2\0\0\0\4"
        "3\0\0\0\4"
        "n\0\0\0\4s\0\0\0\4I\0\0\0\4"s);
  out.clear();
  const std::string_view unknown[] = {"_pq_.x"};
  write_negotiate_protocol_version(out, 3 << 16, unknown);
  CHECK(out == "v\0\0\0\x13\0\3\0\0\0\0\0\1_pq_.x\0"s);
}
