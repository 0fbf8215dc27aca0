#include "protocol/message.hpp"

#include "protocol/reader.hpp"

namespace pgtandem::protocol {

frame scan(std::string_view buffer) {
  frame f;
  if (buffer.empty()) return f;
  f.type = buffer[0];
  if (buffer.size() < header_size) return f;
  const std::uint32_t length = reader(buffer.substr(1, 4)).u32();
  if (length < 4 || length > message_length_max) {
    f.state = frame_state::malformed;
    return f;
  }
  f.size = std::size_t{length} + 1;
  f.whole = buffer.substr(0, f.size);
  f.body = f.whole.substr(header_size);
  f.state = buffer.size() < f.size ? frame_state::need_body : frame_state::complete;
  return f;
}

}  // namespace pgtandem::protocol
