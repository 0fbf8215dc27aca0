// A cursor over one message body. Never reads beyond its end: a read that would fail returns zero or an empty view, and
// from then on `ok()` is false. The views it returns point into the body.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgtandem::protocol {

class reader {
 public:
  explicit reader(std::string_view body) : body_(body) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian<1>()); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian<2>()); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian<4>()); }
  std::int16_t i16() { return static_cast<std::int16_t>(u16()); }
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
  std::int64_t i64() { return static_cast<std::int64_t>(big_endian<8>()); }
  std::string_view bytes(std::size_t count) {
    if (!ok_ || count > left()) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = body_.substr(at_, count);
    at_ += count;
    return taken;
  }
  std::string_view c_string();  // without its terminating zero byte, which must be there
  std::string_view rest() { return bytes(left()); }

  void fail() { ok_ = false; }
  bool ok() const { return ok_; }
  bool finished() const { return ok_ && at_ == body_.size(); }  // all read and nothing left over
  std::size_t position() const { return at_; }                  // bytes from the start of the body
  std::size_t left() const { return body_.size() - at_; }

 private:
  // In the header, because every value of every row passes here.
  template <std::size_t size>
  std::uint64_t big_endian() {
    const std::string_view taken = bytes(size);
    if (taken.empty()) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(taken[i]);
    return value;
  }

  std::string_view body_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace pgtandem::protocol
