// The text of a record: what is read, written as PostgreSQL writes it, must be read the same again.
#include "proxy/session/image.hpp"
#include "tests/fuzz/target.hpp"

using namespace pgtandem;

namespace {

std::string written(const std::vector<session::field>& fields) {
  std::string text = "(";
  for (const session::field& f : fields) {
    if (text.size() > 1 || &f != &fields.front()) text += ',';
    if (!f) continue;
    text += '"';
    for (const char c : *f) text += c == '"' || c == '\\' ? std::string(2, c) : std::string(1, c);
    text += '"';
  }
  return text + ')';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<session::field> fields, again;
  if (!session::parse_record(fuzz::text(data, size), fields)) return 0;
  fuzz::promise(session::parse_record(written(fields), again));
  // "()" is both no field and one NULL
  fuzz::promise(again == fields || (fields.size() == 1 && !fields[0] && again.empty()));
  return 0;
}
