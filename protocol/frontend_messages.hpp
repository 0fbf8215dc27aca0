// Messages of the client: what each one carries, as views into its body, and how to write it.
//
// decode_* takes the body (without the header) and answers nothing if it is malformed: too short, too long, a string
// without its end, a count that does not fit. The views live as long as the body. write_* appends a whole message to
// `out`.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgtandem::protocol {

struct parse_message {
  std::string_view name;  // of the prepared statement; empty = the unnamed one
  std::string_view sql;
  std::vector<std::uint32_t> parameter_types;  // oids, 0 = to be inferred
};

struct bind_message {
  std::string_view portal, statement;
  std::uint16_t parameter_count = 0;
  std::string_view parameter_part;           // their formats and values as they were sent, both counts included
  std::vector<std::int16_t> result_formats;  // none = all text, one = for all columns
  std::size_t result_formats_at = 0;  // offset in the body of their 16-bit count; from there to the end is only they
};

enum class describe_kind : char { statement = 'S', portal = 'P' };

// Describe and Close.
struct describe_message {
  describe_kind kind = describe_kind::statement;
  std::string_view name;
};

struct execute_message {
  std::string_view portal;
  std::int32_t max_rows = 0;  // 0 (or less) = all
};

std::optional<std::string_view> decode_query(std::string_view body);
std::optional<parse_message> decode_parse(std::string_view body);
std::optional<bind_message> decode_bind(std::string_view body);
// Value number `number`, from 1, as it was sent; nothing for NULL or where there is none.
std::optional<std::string_view> bound_parameter(const bind_message& m, std::size_t number);
std::optional<describe_message> decode_describe(std::string_view body);
std::optional<execute_message> decode_execute(std::string_view body);

void write_query(std::string& out, std::string_view sql);
void write_parse(std::string& out, std::string_view name, std::string_view sql,
                 std::span<const std::uint32_t> types = {});
// All parameters and results in text format.
void write_bind(std::string& out, std::string_view portal, std::string_view statement,
                std::span<const std::optional<std::string_view>> parameters = {});
// `original` with other names and result formats; its parameters byte for byte.
void write_bind(std::string& out, const bind_message& original, std::string_view portal, std::string_view statement,
                std::span<const std::int16_t> result_formats);
void write_describe(std::string& out, describe_kind kind, std::string_view name);
void write_close(std::string& out, describe_kind kind, std::string_view name);
void write_execute(std::string& out, std::string_view portal, std::int32_t max_rows = 0);
void write_flush(std::string& out);
void write_sync(std::string& out);
void write_terminate(std::string& out);
void write_copy_fail(std::string& out, std::string_view reason);
void write_password(std::string& out, std::string_view password);
void write_sasl_initial(std::string& out, std::string_view mechanism, std::string_view data);
void write_sasl_response(std::string& out, std::string_view data);

}  // namespace pgtandem::protocol
