// What a SQL text does, as far as PostgreSQL's own grammar tells: statement by statement, without a catalog.
//
// `analyze` never fails: a text that does not parse (parse_error), or is nested beyond the parser's bound (too_deep), says so
// and the planner treats it as a write that cannot be captured. Pure; one `analyzer` per thread (its cache has no lock).
#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/sql/shape.hpp"

namespace pgtandem::sql {

enum class statement_kind : std::uint8_t {
  read,            // SELECT/VALUES/TABLE without INTO, SHOW, EXPLAIN without ANALYZE of a write, FETCH, CLOSE, MOVE, …
  insert, update, delete_,   // capturable with RETURNING, see `relation`
  truncate,        // see `relations`, `cascade`, `restart_identity`
  begin,           // BEGIN, START TRANSACTION
  commit,          // COMMIT, END; `chain`
  rollback,        // ROLLBACK, ABORT (whole transaction); `chain`
  savepoint, release, rollback_to,   // `name`
  set,             // SET, RESET, SET TRANSACTION, SET CONSTRAINTS, … (no rows)
  prepare,         // PREPARE name AS …: `name`, `inner`
  execute,         // EXECUTE name: `name`, `arguments`
  deallocate,      // `name`, empty = ALL
  discard,         // DISCARD ALL|PLANS|TEMP|SEQUENCES: `name`
  session,         // LISTEN, UNLISTEN, NOTIFY, LOCK, VACUUM, ANALYZE, CHECKPOINT, LOAD, REINDEX, … : writes no rows
  create_temp,     // CREATE TEMP TABLE/VIEW/SEQUENCE …
  copy_to,         // COPY … TO STDOUT
  copy_from,       // COPY … FROM: `relation`
  uncaptured,      // everything else that may write: `construct` names it
};

struct relation_name {
  std::string schema;  // empty = by search_path
  std::string name;
  std::string alias;   // how the statement refers to it in RETURNING: the alias if given, else the name
  bool aliased = false;  // the alias is written out: the schema cannot qualify a column any more
  std::string quoted() const;  // schema.name, quote_ident()-ed where needed: what to_regclass() understands
  bool operator==(const relation_name&) const = default;
};

struct statement {
  statement_kind kind = statement_kind::read;
  std::string construct;            // for messages and census labels: "INSERT", "MERGE", "CREATE TABLE", "data-modifying CTE", …
  relation_name relation;           // target of insert/update/delete_/copy; what create_temp creates
  bool only = false;                // UPDATE ONLY …
  std::vector<relation_name> relations;  // truncate: all of them; uncaptured DROP, ALTER, CREATE, MERGE: those named
  bool cascade = false, restart_identity = false;
  bool returning = false;           // has a RETURNING clause of its own
  bool locks_rows = false;          // SELECT … FOR UPDATE/SHARE
  std::vector<std::string> set_columns;  // columns assigned by UPDATE SET and ON CONFLICT DO UPDATE SET
  std::vector<std::string> functions;    // names called anywhere in it, without schema, unique
  std::vector<std::string> read_relations; // names of FROM items ("name" and "schema.name"), unique
  std::string name;                 // savepoint, prepared statement, setting (SET, RESET), DISCARD's object
  std::size_t arguments = 0;        // EXECUTE: how many
  bool chain = false;               // COMMIT/ROLLBACK AND CHAIN
  bool read_only = false;           // makes the transaction READ ONLY from here on: SET TRANSACTION, BEGIN
  std::unique_ptr<statement> inner; // of PREPARE
  // marks about the session
  bool changes_settings = false;    // SET/RESET/DISCARD/set_config(): search_path or others may differ afterwards
  bool changes_role = false;        // SET ROLE, SET SESSION AUTHORIZATION, RESET of them
  bool holds_session = false;       // session advisory lock, WITH HOLD cursor, LISTEN: what cannot move silently
  std::vector<std::string> settings;   // names that set_config(), or the body of a DO, makes a setting of; unique
  std::vector<int> setting_parameters; // parameters that are such a name, from 1
  bool computed_setting = false;       // there is one for the session whose name stands nowhere
  bool has_parameters = false;      // $1 …
  bool by_value = false;            // the value of a constant was looked at
};

// Bytes of a text: a statement without the separating ';' (leading white space may be in it).
struct text_range {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
  bool operator==(const text_range&) const = default;
};

struct analysis {
  std::shared_ptr<const std::vector<statement>> found;  // shared by texts that differ in the values of constants only
  std::span<const statement> statements;    // of `found`, in order; empty for an empty query
  std::vector<text_range> ranges;           // where each of them is in this text
  bool parse_error = false;                 // PostgreSQL 15's grammar refuses it: a server of that version will say so
  bool too_deep = false;                    // beyond the parser's memory (its bound on nesting), or no C string: unknown
  std::optional<std::string> idempotency_key;  // from /* idempotency_key='…' */
};
using analysis_ptr = std::shared_ptr<const analysis>;

// Uncached. Never throws but std::bad_alloc. `standard_strings` is the session's standard_conforming_strings
// (ParameterStatus): where it is off, a backslash in '…' escapes and the same text may be cut otherwise.
analysis_ptr analyze(std::string_view sql, bool standard_strings = true);

// Least-recently-used cache in front of analyze(), by shape (shape.hpp): texts that differ only in the values of their
// literals are analyzed once. Texts longer than max_text bytes, those that do not parse and those whose values matter
// (statement::by_value) are analyzed and not kept.
class analyzer {
 public:
  explicit analyzer(std::size_t max_entries = 4096, std::size_t max_text = 16 * 1024);
  // With standard_strings off a text that has a backslash is analyzed and not kept either.
  analysis_ptr operator()(std::string_view sql, bool standard_strings = true);
  std::uint64_t hits() const { return hits_; }
  std::uint64_t misses() const { return misses_; }

 private:
  struct entry {
    std::string key;               // the shape, or the text itself behind a mark if it has none
    std::vector<shape::cut> cuts;  // of the text that was analyzed
    analysis_ptr value;
  };
  analysis_ptr known(entry& e) const;
  analysis_ptr learn(std::string_view sql);

  std::size_t max_entries_, max_text_;
  std::uint64_t hits_ = 0, misses_ = 0;
  shape shape_;             // of the text at hand
  std::list<entry> order_;  // most recent first
  std::unordered_map<std::string_view, std::list<entry>::iterator> index_;
};

}  // namespace pgtandem::sql
