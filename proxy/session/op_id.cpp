#include "proxy/session/op_id.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <random>

namespace pgtandem::session {

std::string new_op_id() {
  thread_local std::mt19937_64 random = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::uint64_t high = static_cast<std::uint64_t>(now) << 16 | 0x7000 | (random() & 0x0fff);
  std::uint64_t low = (random() & 0x3fffffffffffffffu) | 0x8000000000000000u;
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (int nibble = 0; nibble < 32; ++nibble) {
    if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) text += '-';
    std::uint64_t half = nibble < 16 ? high : low;
    text += digits[half >> (60 - 4 * (nibble % 16)) & 0xf];
  }
  return text;
}

}  // namespace pgtandem::session
