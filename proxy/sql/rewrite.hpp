// Adds the row image to a write: `… RETURNING ROW(t.tableoid, <ddl_version>, t.c1, t.c2, …)::text` as the last column.
//
// The image's fields, in order: tableoid (decimal), ddl_version (decimal, empty = NULL), then every column of the table that
// is not generated, in catalog order. Tables with fragile columns go through pgtandem.image(record), whose SET clauses fix
// DateStyle, IntervalStyle, TimeZone, extra_float_digits, bytea_output, lc_monetary and search_path.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "proxy/sql/analysis.hpp"
#include "proxy/sql/catalog.hpp"

namespace pgtandem::sql {

struct capture_options {
  oid ddl_version_sequence = 0;  // catalog::ddl_version_sequence
  bool hex = false;              // the session's client_encoding is not UTF8: encode(convert_to(…, 'UTF8'), 'hex')
};

std::string quote_ident(std::string_view name);
std::string quote_literal(std::string_view text);

// The expression alone, for a statement whose target is referred to as `alias`.
std::string image_expression(const table& t, std::string_view alias, const capture_options& o);

// The text of statement `s` of `sql` with the image appended to its RETURNING list (or as its RETURNING list).
// Byte offsets inside [s.begin, s.end) keep their distance from the start: only the end grows, after a newline.
std::string with_image(std::string_view sql, const statement& s, const table& t, const capture_options& o);

}  // namespace pgtandem::sql
