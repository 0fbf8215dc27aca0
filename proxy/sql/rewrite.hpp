// Adds the row image to a write: `… RETURNING ROW(t.tableoid, <ddl_version>, t.c1, t.c2, …)::text` as the last column.
//
// The image's fields, in order: tableoid (decimal), ddl_version (decimal, empty = NULL), then every column of the table
// that is not generated, in catalog order. Tables with fragile columns go through pgtandem.image(record), whose SET
// clauses fix DateStyle, IntervalStyle, TimeZone, extra_float_digits, bytea_output, lc_monetary and search_path. They cost
// more than the rest of an INSERT; so in a session whose dates are known to be ISO a table with nothing but dates and
// intervals does without, and the image proves it: its ddl_version is -1 if DateStyle or IntervalStyle is another.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/sql/analysis.hpp"
#include "proxy/sql/catalog.hpp"

namespace pgtandem::sql {

struct capture_options {
  oid ddl_version_sequence = 0;  // catalog::ddl_version_sequence
  bool hex = false;              // the session's client_encoding is not UTF8: encode(convert_to(…, 'UTF8'), 'hex')
  bool iso = false;              // by what it reports, its DateStyle is ISO and its IntervalStyle postgres or postgres_verbose
  bool operator==(const capture_options&) const = default;
};

std::string quote_ident(std::string_view name);
std::string quote_literal(std::string_view text);

// The expression alone, for a statement whose target is referred to as `alias`.
std::string image_expression(const table& t, std::string_view alias, const capture_options& o);

// `text`, which is statement `s` alone, with the image appended to its RETURNING list (or as its RETURNING list). Bytes
// keep their distance from the start: only the end grows, after a newline. For the `inner` of a PREPARE, `text` is the
// whole PREPARE.
std::string with_image(std::string_view text, const statement& s, const table& t, const capture_options& o);

// A whole text with images added to some of its statements; what is between statements stays as it was.
struct rewritten_text {
  struct inserted {
    std::size_t at = 0, length = 0;  // bytes of `text`
  };
  std::string text;
  std::vector<inserted> insertions;  // in order

  // The position in the client's text (1-based, in characters, as ErrorResponse's field P counts) of a position in
  // `text`; 0 = inside something the proxy added. utf8 false: one byte is one character.
  std::size_t original_offset(std::size_t position, bool utf8 = true) const;
};

struct rewrite_target {
  std::size_t statement = 0;        // index into analysis::statements
  const table* relation = nullptr;  // its target, not null
  std::string_view suffix = {};     // of an EXECUTE: what its name gets instead
};

// `targets` in ascending order of their statements, each of which is an insert, update or delete_, or an execute whose name
// execute_name_end() (prepare_text.hpp) finds.
rewritten_text rewrite_all(std::string_view sql, const analysis& a, std::span<const rewrite_target> targets,
                           const capture_options& o);

}  // namespace pgtandem::sql
