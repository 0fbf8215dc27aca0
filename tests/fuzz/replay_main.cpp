// Feeds a target every file of the folders named on the command line, and every prefix of each. Each input is a block
// of its own size, so that the address sanitizer sees a read beyond it.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/target.hpp"

namespace {

constexpr std::size_t prefixes_max = 4096;  // of a longer file only this many of the shortest, and the whole

void feed(const std::vector<char>& bytes, std::size_t size) {
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t files = 0;
  for (int i = 1; i < count; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(arguments[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
      for (std::size_t size = 0; size < std::min(bytes.size(), prefixes_max); ++size) feed(bytes, size);
      feed(bytes, bytes.size());
      ++files;
    }
  }
  std::printf("%zu files replayed\n", files);
  return files == 0;  // an empty corpus is a mistake
}
