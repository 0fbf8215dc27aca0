// The shape of a SQL text: what is left when the values of its plain literals and its comments are taken out.
//
// Texts of one shape have the same tokens but for the values of constants, so PostgreSQL's grammar finds the same
// statements in them: an analysis that has looked at no value is true for all. Applications that write values into
// their texts use a handful of shapes. The rules are those of PostgreSQL's scanner (src/backend/parser/scan.l) with
// standard_conforming_strings on; whatever is unusual (dollar quotes, U&'…', b'…', a string continued behind E'…',
// control characters, an idempotency key) has no shape. Pure; linear in the text.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgtandem::sql {

// Bytes that stand for what was taken out. A text that has such bytes itself has no shape.
enum shape_mark : char {
  mark_integer = 1,        // fits int4: the scanner's ICONST
  mark_number = 2,         // a longer integer, or one with a fraction: FCONST
  mark_string = 3,         // '…': SCONST
  mark_escape_string = 4,  // E'…': SCONST, but what continues it is read by other rules
  mark_comment = 5,        // /* … */
};

struct shape {
  struct cut {
    std::size_t at = 0;      // byte of `text` that stands for it
    std::size_t length = 0;  // bytes that were taken out, at least 1
    bool operator==(const cut&) const = default;
  };
  std::string text;
  std::vector<cut> cuts;  // in order
};

// False: the text has no shape, and `out` is not to be used. `out` keeps its capacity from call to call.
bool find_shape(std::string_view sql, shape& out);

// Where byte `at` of the shape's text (not inside a cut) lies in the text that it was made of.
class shape_map {
 public:
  explicit shape_map(const std::vector<shape::cut>& cuts) : cuts_(cuts) {}
  // Positions have to come in ascending order.
  std::size_t in_text(std::size_t at);
  std::size_t in_shape(std::size_t at);

 private:
  const std::vector<shape::cut>& cuts_;
  std::size_t next_ = 0, longer_ = 0;  // the first cut not passed; bytes by which the text is longer before it
};

}  // namespace pgtandem::sql
