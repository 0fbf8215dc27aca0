// Turns the write sets of a group of ops into the statements that repeat their effects on the secondary. Pure.
//
// Pending write sets of different ops are disjoint (the primary's row locks are still held), so that their images may
// be mixed: the last image per key, upserts with referenced tables first, then deletes with referencing tables first.
// An op marked in_order, or one whose order counts by the secondary's own catalog, is replayed image by image, before that.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proxy/apply/table_sql.hpp"
#include "proxy/session/image.hpp"
#include "proxy/session/op.hpp"

namespace pgtandem::apply {

class secondary_tables;

struct statement {
  sql_text_ptr text;
  std::vector<std::string> parameters;  // array literals
};

// An op whose images have been taken apart.
struct parsed_op {
  struct row {
    const session::effect* effect = nullptr;
    std::vector<session::field> fields;  // without tableoid and ddl_version; truncate: none
  };
  const session::op* op = nullptr;
  std::vector<row> rows;
};

// Nothing if an image is malformed, does not fit its table, or removes from a table without key. `o` must outlive the
// answer.
std::optional<parsed_op> parse(const session::op& o);

// Appends the statements of a group. The images are moved out of `ops`.
void append_effects(std::span<parsed_op> ops, table_sql_cache& texts, secondary_tables& there,
                    std::vector<statement>& out);

// The ledger rows of a group, as one statement.
statement ledger_rows(std::span<const session::op* const> ops, const sql_text_ptr& text, secondary_tables& there);
extern const char* const ledger_insert;  // its SQL

// Array literals, element by element: '{"a","b\"c",NULL}'.
class array_literal {
 public:
  void add_field(const session::field& value);
  void add(std::string_view value);
  void add_null();
  std::string take();

 private:
  std::string text_;
};

}  // namespace pgtandem::apply
