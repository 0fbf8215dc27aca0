#include "protocol/backend_messages.hpp"

#include "protocol/message.hpp"
#include "protocol/reader.hpp"
#include "protocol/writer.hpp"

namespace pgtandem::protocol {
namespace {

constexpr std::size_t field_min = 19;  // bytes of a described field with an empty name

field_description read_field(reader& r) {
  field_description f;
  f.name = r.c_string();
  f.table_oid = r.u32();
  f.attribute = r.i16();
  f.type_oid = r.u32();
  f.type_size = r.i16();
  f.type_modifier = r.i32();
  f.format = r.i16();
  return f;
}

std::optional<std::string_view> read_value(reader& r) {
  const std::int32_t length = r.i32();
  if (length == -1) return std::nullopt;
  if (length < 0) r.fail();
  return r.bytes(length < 0 ? 0 : static_cast<std::size_t>(length));
}

// A count that is followed by at least `least` bytes each.
std::uint16_t counted(reader& r, std::size_t least) {
  const std::uint16_t count = r.u16();
  if (r.left() < count * least) r.fail();
  return r.ok() ? count : 0;
}

void authenticate(std::string& out, authentication type, std::string_view data = {}) {
  message_writer(out, backend::authentication).i32(static_cast<std::int32_t>(type)).bytes(data);
}

}  // namespace

std::optional<std::vector<field_description>> decode_row_description(std::string_view body) {
  reader r(body);
  std::vector<field_description> fields(counted(r, field_min));
  for (field_description& f : fields) f = read_field(r);
  if (!r.finished()) return std::nullopt;
  return fields;
}

std::optional<split_row> split_last_column(std::string_view body) {
  reader r(body);
  const std::uint16_t count = counted(r, 4);
  if (count == 0) return std::nullopt;
  const std::size_t start = r.position();
  split_row row;
  row.kept_count = static_cast<std::uint16_t>(count - 1);
  for (std::uint16_t i = 0; i < row.kept_count && r.ok(); ++i) read_value(r);
  row.kept = body.substr(start, r.position() - start);
  row.last = read_value(r);
  if (!r.finished()) return std::nullopt;
  return row;
}

std::optional<std::vector<std::optional<std::string_view>>> decode_data_row(std::string_view body) {
  reader r(body);
  std::vector<std::optional<std::string_view>> columns(counted(r, 4));
  for (std::optional<std::string_view>& c : columns) c = read_value(r);
  if (!r.finished()) return std::nullopt;
  return columns;
}

std::optional<parameter_status> decode_parameter_status(std::string_view body) {
  reader r(body);
  parameter_status p;
  p.name = r.c_string();
  p.value = r.c_string();
  if (!r.finished()) return std::nullopt;
  return p;
}

std::optional<backend_key> decode_backend_key(std::string_view body) {
  reader r(body);
  backend_key k;
  k.pid = r.u32();
  k.secret = r.u32();
  if (!r.finished()) return std::nullopt;
  return k;
}

std::optional<char> decode_ready_for_query(std::string_view body) {
  reader r(body);
  const char status = static_cast<char>(r.u8());
  const bool known = status == transaction_idle || status == transaction_open || status == transaction_failed;
  if (!r.finished() || !known) return std::nullopt;
  return status;
}

std::optional<std::string_view> decode_command_complete(std::string_view body) {
  reader r(body);
  const std::string_view tag = r.c_string();
  if (!r.finished()) return std::nullopt;
  return tag;
}

std::optional<std::vector<std::uint32_t>> decode_parameter_description(std::string_view body) {
  reader r(body);
  std::vector<std::uint32_t> types(counted(r, 4));
  for (std::uint32_t& type : types) type = r.u32();
  if (!r.finished()) return std::nullopt;
  return types;
}

std::optional<authentication_request> decode_authentication(std::string_view body) {
  reader r(body);
  authentication_request a;
  a.type = r.i32();
  a.data = r.rest();
  if (!r.ok()) return std::nullopt;
  return a;
}

std::optional<std::vector<std::string_view>> decode_sasl_mechanisms(std::string_view data) {
  reader r(data);
  std::vector<std::string_view> names;
  for (std::string_view name = r.c_string(); !name.empty(); name = r.c_string()) names.push_back(name);
  if (!r.finished()) return std::nullopt;
  return names;
}

void write_row_description(std::string& out, std::span<const field_description> fields) {
  message_writer m(out, backend::row_description);
  m.u16(static_cast<std::uint16_t>(fields.size()));
  for (const field_description& f : fields) {
    m.c_string(f.name).u32(f.table_oid).i16(f.attribute).u32(f.type_oid);
    m.i16(f.type_size).i32(f.type_modifier).i16(f.format);
  }
}

bool write_row_description_without_last(std::string& out, std::string_view body) {
  reader r(body);
  const std::uint16_t count = counted(r, field_min);
  if (count == 0) return false;
  const std::size_t start = r.position();
  for (std::uint16_t i = 1; i < count && r.ok(); ++i) read_field(r);
  const std::string_view kept = body.substr(start, r.position() - start);
  read_field(r);
  if (!r.finished()) return false;
  message_writer(out, backend::row_description).u16(static_cast<std::uint16_t>(count - 1)).bytes(kept);
  return true;
}

void write_data_row(std::string& out, std::span<const std::optional<std::string_view>> columns) {
  message_writer m(out, backend::data_row);
  m.u16(static_cast<std::uint16_t>(columns.size()));
  for (const std::optional<std::string_view>& c : columns) {
    if (c)
      m.u32(static_cast<std::uint32_t>(c->size())).bytes(*c);
    else
      m.i32(-1);
  }
}

void write_data_row(std::string& out, const split_row& row) {
  message_writer(out, backend::data_row).u16(row.kept_count).bytes(row.kept);
}

void write_ready_for_query(std::string& out, char status) {
  message_writer(out, backend::ready_for_query).u8(static_cast<std::uint8_t>(status));
}

void write_command_complete(std::string& out, std::string_view tag) {
  message_writer(out, backend::command_complete).c_string(tag);
}

void write_empty_query_response(std::string& out) { message_writer(out, backend::empty_query_response); }
void write_parse_complete(std::string& out) { message_writer(out, backend::parse_complete); }
void write_bind_complete(std::string& out) { message_writer(out, backend::bind_complete); }
void write_close_complete(std::string& out) { message_writer(out, backend::close_complete); }
void write_no_data(std::string& out) { message_writer(out, backend::no_data); }
void write_portal_suspended(std::string& out) { message_writer(out, backend::portal_suspended); }

void write_parameter_description(std::string& out, std::span<const std::uint32_t> types) {
  message_writer m(out, backend::parameter_description);
  m.u16(static_cast<std::uint16_t>(types.size()));
  for (const std::uint32_t type : types) m.u32(type);
}

void write_parameter_status(std::string& out, std::string_view name, std::string_view value) {
  message_writer(out, backend::parameter_status).c_string(name).c_string(value);
}

void write_backend_key(std::string& out, std::uint32_t pid, std::uint32_t secret) {
  message_writer(out, backend::backend_key_data).u32(pid).u32(secret);
}

void write_negotiate_protocol_version(std::string& out, std::uint32_t newest,
                                      std::span<const std::string_view> unknown_options) {
  message_writer m(out, backend::negotiate_protocol_version);
  m.u32(newest).u32(static_cast<std::uint32_t>(unknown_options.size()));
  for (const std::string_view name : unknown_options) m.c_string(name);
}

void write_authentication_ok(std::string& out) { authenticate(out, authentication::ok); }

void write_authentication_sasl(std::string& out, std::span<const std::string_view> mechanisms) {
  message_writer m(out, backend::authentication);
  m.i32(static_cast<std::int32_t>(authentication::sasl));
  for (const std::string_view name : mechanisms) m.c_string(name);
  m.c_string("");
}

void write_authentication_sasl_continue(std::string& out, std::string_view data) {
  authenticate(out, authentication::sasl_continue, data);
}

void write_authentication_sasl_final(std::string& out, std::string_view data) {
  authenticate(out, authentication::sasl_final, data);
}

}  // namespace pgtandem::protocol
