// The frame of a message: one type byte, a 32-bit big-endian length that counts itself, the body. Names for the types.
//
// `scan` looks at the start of a buffer and copies nothing: its views point into that buffer and live as long as it.
// Bytes from outside: a length that cannot be true is reported as malformed, never followed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgtandem::protocol {

inline constexpr std::size_t header_size = 5;  // type and length
inline constexpr std::uint32_t message_length_max =
    1u << 30;  // of the length field, in bytes: PostgreSQL's own limit is 1 GiB

enum class frame_state : std::uint8_t {
  need_header,  // fewer than header_size bytes: only `type` may be known (body empty)
  need_body,    // the header is there, `size` is known, `body` is the part that has arrived
  complete,     // `body` is the whole body, `whole` the whole message
  malformed,    // the length is below 4 or above message_length_max
};

struct frame {
  frame_state state = frame_state::need_header;
  char type = 0;
  std::size_t size = 0;    // of the whole message with its header, in bytes; known in need_body and complete
  std::string_view body;   // what the buffer holds of it
  std::string_view whole;  // header and body, what the buffer holds of them

  bool complete() const { return state == frame_state::complete; }
};

frame scan(std::string_view buffer);

// Types of messages the client sends.
namespace frontend {
inline constexpr char query = 'Q', parse = 'P', bind = 'B', describe = 'D', execute = 'E', close = 'C', flush = 'H',
                      sync = 'S', function_call = 'F', copy_data = 'd', copy_done = 'c', copy_fail = 'f',
                      terminate = 'X',
                      password = 'p';  // also SASLInitialResponse and SASLResponse
}  // namespace frontend

// Types of messages a server sends.
namespace backend {
inline constexpr char authentication = 'R', backend_key_data = 'K', parameter_status = 'S', ready_for_query = 'Z',
                      negotiate_protocol_version = 'v', error_response = 'E', notice_response = 'N',
                      notification_response = 'A', row_description = 'T', data_row = 'D', command_complete = 'C',
                      empty_query_response = 'I', parse_complete = '1', bind_complete = '2', close_complete = '3',
                      no_data = 'n', portal_suspended = 's', parameter_description = 't', function_call_response = 'V',
                      copy_in_response = 'G', copy_out_response = 'H', copy_both_response = 'W', copy_data = 'd',
                      copy_done = 'c';
}  // namespace backend

// Sub-types of Authentication.
enum class authentication : std::int32_t {
  ok = 0,
  cleartext_password = 3,
  md5_password = 5,
  sasl = 10,
  sasl_continue = 11,
  sasl_final = 12,
};

// Status byte of ReadyForQuery.
inline constexpr char transaction_idle = 'I', transaction_open = 'T', transaction_failed = 'E';

}  // namespace pgtandem::protocol
