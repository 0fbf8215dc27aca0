// Appends one message to a string: the constructor writes the type and room for the length, the destructor fills it in.
//
//   message_writer(out, frontend::query).c_string("SELECT 1");
//
// `out` must outlive the writer and must not be touched by others while it is alive. A type of 0 writes no type byte
// (startup packets). The caller keeps a message below message_length_max.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pgtandem::protocol {

// Big-endian integers without a message around them.
void put_u16(std::string& out, std::uint16_t value);
void put_u32(std::string& out, std::uint32_t value);

class message_writer {
 public:
  message_writer(std::string& out, char type);
  ~message_writer();
  message_writer(const message_writer&) = delete;
  message_writer& operator=(const message_writer&) = delete;

  message_writer& u8(std::uint8_t value);
  message_writer& u16(std::uint16_t value);
  message_writer& u32(std::uint32_t value);
  message_writer& i16(std::int16_t value) { return u16(static_cast<std::uint16_t>(value)); }
  message_writer& i32(std::int32_t value) { return u32(static_cast<std::uint32_t>(value)); }
  message_writer& i64(std::int64_t value);
  message_writer& bytes(std::string_view raw);
  message_writer& c_string(std::string_view text);  // cut at its first zero byte, if it has one

 private:
  std::string& out_;
  std::size_t length_at_;  // where the length field is, from the start of out_
};

}  // namespace pgtandem::protocol
