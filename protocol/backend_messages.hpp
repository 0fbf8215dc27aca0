// Messages of a server: what each one carries, as views into its body, and how to write it.
//
// decode_* takes the body (without the header) and answers nothing if it is malformed. The views live as long as the
// body. write_* appends a whole message to `out`. Errors and notices: error_response.hpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgtandem::protocol {

struct field_description {
  std::string_view name;
  std::uint32_t table_oid = 0;
  std::int16_t attribute = 0;
  std::uint32_t type_oid = 25;  // text
  std::int16_t type_size = -1;
  std::int32_t type_modifier = -1;
  std::int16_t format = 0;  // 0 text, 1 binary
};

std::optional<std::vector<field_description>> decode_row_description(std::string_view body);

// A DataRow taken apart before its last column.
struct split_row {
  std::uint16_t kept_count = 0;          // columns before the last
  std::string_view kept;                 // their lengths and values, as they were sent
  std::optional<std::string_view> last;  // nothing = NULL
};

// Nothing if it is malformed or has no column.
std::optional<split_row> split_last_column(std::string_view body);

// All columns of a DataRow, nothing = NULL.
std::optional<std::vector<std::optional<std::string_view>>> decode_data_row(std::string_view body);

struct parameter_status {
  std::string_view name, value;
};
struct backend_key {
  std::uint32_t pid = 0, secret = 0;
};
struct authentication_request {
  std::int32_t type = 0;  // see protocol::authentication
  std::string_view data;  // what follows it
};

std::optional<parameter_status> decode_parameter_status(std::string_view body);
std::optional<backend_key> decode_backend_key(std::string_view body);
std::optional<char> decode_ready_for_query(std::string_view body);               // transaction_idle, _open or _failed
std::optional<std::string_view> decode_command_complete(std::string_view body);  // the tag
std::optional<std::vector<std::uint32_t>> decode_parameter_description(std::string_view body);
std::optional<authentication_request> decode_authentication(std::string_view body);
std::optional<std::vector<std::string_view>> decode_sasl_mechanisms(std::string_view data);

void write_row_description(std::string& out, std::span<const field_description> fields);
// The RowDescription in `body` without its last field. false (and nothing written) if it is malformed or has no field.
bool write_row_description_without_last(std::string& out, std::string_view body);
void write_data_row(std::string& out, std::span<const std::optional<std::string_view>> columns);
void write_data_row(std::string& out, const split_row& row);  // only what was kept

void write_ready_for_query(std::string& out, char status);
void write_command_complete(std::string& out, std::string_view tag);
void write_empty_query_response(std::string& out);
void write_parse_complete(std::string& out);
void write_bind_complete(std::string& out);
void write_close_complete(std::string& out);
void write_no_data(std::string& out);
void write_portal_suspended(std::string& out);
void write_parameter_description(std::string& out, std::span<const std::uint32_t> types);
void write_parameter_status(std::string& out, std::string_view name, std::string_view value);
void write_backend_key(std::string& out, std::uint32_t pid, std::uint32_t secret);
void write_negotiate_protocol_version(std::string& out, std::uint32_t newest,
                                      std::span<const std::string_view> unknown_options);
void write_authentication_ok(std::string& out);
void write_authentication_sasl(std::string& out, std::span<const std::string_view> mechanisms);
void write_authentication_sasl_continue(std::string& out, std::string_view data);
void write_authentication_sasl_final(std::string& out, std::string_view data);

}  // namespace pgtandem::protocol
