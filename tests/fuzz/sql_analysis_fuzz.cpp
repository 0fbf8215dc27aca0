// Any text: analysis never fails, and the statements it finds lie in the text, in order.
#include "proxy/sql/analysis.hpp"
#include "tests/fuzz/target.hpp"

using namespace pgtandem;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text(data, size);
  const sql::analysis_ptr a = sql::analyze(text);
  fuzz::promise(a != nullptr);
  std::size_t at = 0;
  for (const sql::statement& s : a->statements) {
    fuzz::promise(s.begin >= at && s.begin <= s.end && s.end <= text.size());
    at = s.end;
  }
  return 0;
}
