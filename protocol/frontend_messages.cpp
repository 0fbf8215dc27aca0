#include "protocol/frontend_messages.hpp"

#include "protocol/message.hpp"
#include "protocol/reader.hpp"
#include "protocol/writer.hpp"

namespace pgtandem::protocol {
namespace {

// A 16-bit count that is followed by `width` bytes each. Counts are unsigned: Bind allows 65535 parameters.
std::uint16_t counted(reader& r, std::size_t width) {
  const std::uint16_t count = r.u16();
  if (r.left() < count * width) r.fail();
  return r.ok() ? count : 0;
}

bool known(describe_kind kind) { return kind == describe_kind::statement || kind == describe_kind::portal; }

}  // namespace

std::optional<std::string_view> decode_query(std::string_view body) {
  reader r(body);
  const std::string_view sql = r.c_string();
  if (!r.finished()) return std::nullopt;
  return sql;
}

std::optional<parse_message> decode_parse(std::string_view body) {
  reader r(body);
  parse_message m;
  m.name = r.c_string();
  m.sql = r.c_string();
  m.parameter_types.resize(counted(r, 4));
  for (std::uint32_t& type : m.parameter_types) type = r.u32();
  if (!r.finished()) return std::nullopt;
  return m;
}

std::optional<bind_message> decode_bind(std::string_view body) {
  reader r(body);
  bind_message m;
  m.portal = r.c_string();
  m.statement = r.c_string();
  const std::size_t parameters_at = r.position();
  r.bytes(std::size_t{counted(r, 2)} * 2);  // parameter formats
  m.parameter_count = counted(r, 4);
  for (std::uint16_t i = 0; i < m.parameter_count && r.ok(); ++i) {
    const std::int32_t length = r.i32();
    if (length < -1) r.fail();
    if (length > 0) r.bytes(static_cast<std::size_t>(length));
  }
  m.result_formats_at = r.position();
  m.parameter_part = body.substr(parameters_at, m.result_formats_at - parameters_at);
  m.result_formats.resize(counted(r, 2));
  for (std::int16_t& format : m.result_formats) format = r.i16();
  if (!r.finished()) return std::nullopt;
  return m;
}

std::optional<std::string_view> bound_parameter(const bind_message& m, std::size_t number) {
  reader r(m.parameter_part);
  r.bytes(std::size_t{counted(r, 2)} * 2);
  if (number == 0 || number > counted(r, 4)) return std::nullopt;
  for (std::size_t i = 1;; ++i) {
    const std::int32_t length = r.i32();
    const std::string_view value = length > 0 ? r.bytes(static_cast<std::size_t>(length)) : std::string_view();
    if (!r.ok()) return std::nullopt;
    if (i == number) return length < 0 ? std::nullopt : std::optional(value);
  }
}

std::optional<describe_message> decode_describe(std::string_view body) {
  reader r(body);
  describe_message m;
  m.kind = static_cast<describe_kind>(r.u8());
  m.name = r.c_string();
  if (!r.finished() || !known(m.kind)) return std::nullopt;
  return m;
}

std::optional<execute_message> decode_execute(std::string_view body) {
  reader r(body);
  execute_message m;
  m.portal = r.c_string();
  m.max_rows = r.i32();
  if (!r.finished()) return std::nullopt;
  return m;
}

void write_query(std::string& out, std::string_view sql) { message_writer(out, frontend::query).c_string(sql); }

void write_parse(std::string& out, std::string_view name, std::string_view sql, std::span<const std::uint32_t> types) {
  message_writer m(out, frontend::parse);
  m.c_string(name).c_string(sql).u16(static_cast<std::uint16_t>(types.size()));
  for (const std::uint32_t type : types) m.u32(type);
}

void write_bind(std::string& out, std::string_view portal, std::string_view statement,
                std::span<const std::optional<std::string_view>> parameters) {
  message_writer m(out, frontend::bind);
  m.c_string(portal).c_string(statement).u16(0).u16(static_cast<std::uint16_t>(parameters.size()));
  for (const std::optional<std::string_view>& p : parameters) {
    if (p)
      m.u32(static_cast<std::uint32_t>(p->size())).bytes(*p);
    else
      m.i32(-1);
  }
  m.u16(0);
}

void write_bind(std::string& out, const bind_message& original, std::string_view portal, std::string_view statement,
                std::span<const std::int16_t> result_formats) {
  message_writer m(out, frontend::bind);
  m.c_string(portal).c_string(statement).bytes(original.parameter_part);
  m.u16(static_cast<std::uint16_t>(result_formats.size()));
  for (const std::int16_t format : result_formats) m.i16(format);
}

void write_describe(std::string& out, describe_kind kind, std::string_view name) {
  message_writer(out, frontend::describe).u8(static_cast<std::uint8_t>(kind)).c_string(name);
}

void write_close(std::string& out, describe_kind kind, std::string_view name) {
  message_writer(out, frontend::close).u8(static_cast<std::uint8_t>(kind)).c_string(name);
}

void write_execute(std::string& out, std::string_view portal, std::int32_t max_rows) {
  message_writer(out, frontend::execute).c_string(portal).i32(max_rows);
}

void write_flush(std::string& out) { message_writer(out, frontend::flush); }
void write_sync(std::string& out) { message_writer(out, frontend::sync); }
void write_terminate(std::string& out) { message_writer(out, frontend::terminate); }

void write_copy_fail(std::string& out, std::string_view reason) {
  message_writer(out, frontend::copy_fail).c_string(reason);
}

void write_password(std::string& out, std::string_view password) {
  message_writer(out, frontend::password).c_string(password);
}

void write_sasl_initial(std::string& out, std::string_view mechanism, std::string_view data) {
  message_writer(out, frontend::password).c_string(mechanism).u32(static_cast<std::uint32_t>(data.size())).bytes(data);
}

void write_sasl_response(std::string& out, std::string_view data) {
  message_writer(out, frontend::password).bytes(data);
}

}  // namespace pgtandem::protocol
