#include "protocol/writer.hpp"

namespace pgtandem::protocol {
namespace {

void put_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xff));
}

}  // namespace

void put_u16(std::string& out, std::uint16_t value) { put_big_endian(out, value, 2); }
void put_u32(std::string& out, std::uint32_t value) { put_big_endian(out, value, 4); }

message_writer::message_writer(std::string& out, char type) : out_(out), length_at_(out.size() + (type ? 1 : 0)) {
  if (type) out_.push_back(type);
  out_.append(4, '\0');
}

message_writer::~message_writer() {
  const std::size_t length = out_.size() - length_at_;
  for (std::size_t i = 0; i < 4; ++i) out_[length_at_ + i] = static_cast<char>(length >> (24 - 8 * i) & 0xff);
}

message_writer& message_writer::u8(std::uint8_t value) {
  out_.push_back(static_cast<char>(value));
  return *this;
}

message_writer& message_writer::u16(std::uint16_t value) {
  put_u16(out_, value);
  return *this;
}

message_writer& message_writer::u32(std::uint32_t value) {
  put_u32(out_, value);
  return *this;
}

message_writer& message_writer::i64(std::int64_t value) {
  put_big_endian(out_, static_cast<std::uint64_t>(value), 8);
  return *this;
}

message_writer& message_writer::bytes(std::string_view raw) {
  out_.append(raw);
  return *this;
}

message_writer& message_writer::c_string(std::string_view text) {
  out_.append(text.substr(0, text.find('\0')));
  out_.push_back('\0');
  return *this;
}

}  // namespace pgtandem::protocol
