#include "protocol/startup_packet.hpp"

#include "protocol/reader.hpp"
#include "protocol/writer.hpp"

namespace pgtandem::protocol {
namespace {

// Request codes: a "version" whose major part, 1234, no protocol will ever have.
constexpr std::uint32_t request_code(std::uint32_t minor) { return 1234u << 16 | minor; }
constexpr std::uint32_t cancel_code = request_code(5678), ssl_code = request_code(5679),
                        gssenc_code = request_code(5680);

}  // namespace

startup_frame scan_startup(std::string_view buffer) {
  startup_frame f;
  reader r(buffer);
  const std::uint32_t length = r.u32();
  if (!r.ok()) return f;
  if (length < 8 || length > startup_packet_max + 4) {
    f.state = startup_state::malformed;
    return f;
  }
  if (buffer.size() < length) return f;
  f.state = startup_state::complete;
  f.size = length;
  f.code = r.u32();
  f.body = r.bytes(length - 8);
  return f;
}

startup_kind kind_of(std::uint32_t code) {
  switch (code) {
    case ssl_code:
      return startup_kind::ssl;
    case gssenc_code:
      return startup_kind::gssenc;
    case cancel_code:
      return startup_kind::cancel;
    default:
      return startup_kind::version;
  }
}

std::optional<startup_parameters> decode_startup_parameters(std::string_view body) {
  reader r(body);
  startup_parameters parameters;
  for (std::string_view name = r.c_string(); !name.empty(); name = r.c_string())
    parameters.emplace_back(name, r.c_string());
  if (!r.finished()) return std::nullopt;
  return parameters;
}

std::optional<cancel_request> decode_cancel(std::string_view body) {
  reader r(body);
  cancel_request c;
  c.pid = r.u32();
  c.secret = r.u32();
  if (!r.finished()) return std::nullopt;
  return c;
}

void write_startup(std::string& out, std::span<const std::pair<std::string, std::string>> parameters) {
  message_writer m(out, 0);
  m.u32(protocol_3_0);
  for (const auto& [name, value] : parameters) m.c_string(name).c_string(value);
  m.u8(0);
}

void write_ssl_request(std::string& out) { message_writer(out, 0).u32(ssl_code); }

void write_cancel_request(std::string& out, std::uint32_t pid, std::uint32_t secret) {
  message_writer(out, 0).u32(cancel_code).u32(pid).u32(secret);
}

}  // namespace pgtandem::protocol
