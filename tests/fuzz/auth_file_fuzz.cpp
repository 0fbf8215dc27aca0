// The file of users and secrets: mistakes are bounded and carry the line they are on.
#include <algorithm>

#include "proxy/session/auth_file.hpp"
#include "tests/fuzz/target.hpp"

using namespace pgtandem;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text(data, size);
  const session::auth_file file = session::parse_auth_file(text);
  const std::size_t lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  fuzz::promise(file.mistakes.size() <= session::auth_mistakes_max);
  for (const session::auth_mistake& m : file.mistakes) fuzz::promise(m.line <= lines && !m.message.empty());
  return 0;
}
