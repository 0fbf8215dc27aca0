// The packets that open a connection: they have no type byte. StartupMessage, SSLRequest, GSSENCRequest, CancelRequest.
//
// Views point into the buffer. Bounds are PostgreSQL's (src/backend/postmaster/postmaster.c,
// MAX_STARTUP_PACKET_LENGTH).
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

inline constexpr std::size_t startup_packet_max = 10000;  // bytes after the length field
inline constexpr std::uint32_t protocol_3_0 = 3u << 16;

enum class startup_state : std::uint8_t { need_more, complete, malformed };  // malformed: the length cannot be true

// The first packet of a buffer.
struct startup_frame {
  startup_state state = startup_state::need_more;
  std::size_t size = 0;    // of the whole packet, in bytes; of a complete one
  std::uint32_t code = 0;  // protocol version or request code; of a complete one
  std::string_view body;   // what follows the code
};

enum class startup_kind : std::uint8_t { ssl, gssenc, cancel, version };

startup_frame scan_startup(std::string_view buffer);
startup_kind kind_of(std::uint32_t code);

using startup_parameters = std::vector<std::pair<std::string_view, std::string_view>>;

// The name/value pairs of a StartupMessage's body, in order. Nothing if the list does not end with its zero byte.
std::optional<startup_parameters> decode_startup_parameters(std::string_view body);

struct cancel_request {
  std::uint32_t pid = 0, secret = 0;
};
std::optional<cancel_request> decode_cancel(std::string_view body);

void write_startup(std::string& out, std::span<const std::pair<std::string, std::string>> parameters);
void write_ssl_request(std::string& out);
void write_cancel_request(std::string& out, std::uint32_t pid, std::uint32_t secret);

}  // namespace pgtandem::protocol
