// What every fuzz target defines, and how it says that a promise was broken.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace pgtandem::fuzz {

inline std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// In every build type, unlike assert().
inline void promise(bool kept) {
  if (!kept) std::abort();
}

}  // namespace pgtandem::fuzz
