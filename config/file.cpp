#include "config/file.hpp"

#include <unistd.h>

#include <cstring>
#include <fstream>

namespace pgtandem::config {

std::optional<std::string> read_file(const std::string& path) {
  constexpr std::size_t file_max = 4u << 20;  // bytes
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string content(file_max + 1, '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (in.bad() || in.gcount() > static_cast<std::streamsize>(file_max)) return std::nullopt;
  content.resize(static_cast<std::size_t>(in.gcount()));
  return content;
}

environment process_environment() {
  environment variables;
  for (char** v = environ; v && *v; ++v) {
    const char* equals = std::strchr(*v, '=');
    if (equals && std::strncmp(*v, "PGTANDEM_", 9) == 0)
      variables.emplace(std::string(*v, static_cast<std::size_t>(equals - *v)), equals + 1);
  }
  return variables;
}

loaded load_file(const std::string& path) {
  std::optional<std::string> text = read_file(path);
  if (text) return load(*text, process_environment(), read_file);
  loaded failed;
  failed.mistakes.push_back({0, "", "cannot be read"});
  return failed;
}

}  // namespace pgtandem::config
