// The answers a session still awaits from the primary, in the order in which the requests were sent.
//
// Every request that will be answered has one entry; what the proxy asks on its own account has one too and is swallowed.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/session/paused.hpp"
#include "proxy/session/planner.hpp"
#include "proxy/session/portal_run.hpp"
#include "proxy/session/prepared.hpp"
#include "proxy/sql/analysis.hpp"

namespace pgtandem::session {

// What was sent.
enum class request : std::uint8_t { query, parse, bind, describe, execute, close, sync, function_call, own };

// Why the proxy asks something itself.
enum class purpose : std::uint8_t {
  none, begin, fence, resolve, recall, claim, record, check_constraints, mark_dirty, commit, rollback, fail, resync, reparse, belongings,
  pack, replay, warnings, undo, spend,
};

// One statement of a Query message and how its part of the answer is read.
struct step {
  sql::statement_kind kind = sql::statement_kind::read;
  std::string name;
  bool chain = false;
  bool writes = false;       // as key_covers() has it
  bool captures = false;
  capture rows;
};

// A Query message as it was sent: which statements, what was added to them.
struct plan {
  std::vector<step> steps;
  bool captures = false;
  sql::rewritten_text whole;              // the client's string with images added to the statements of this part
  std::size_t begin = 0, length = 0;      // the part of it that is sent, in bytes

  std::string_view text() const { return std::string_view(whole.text).substr(begin, length); }
  // The same part as the client sent it.
  std::string original_text() const;
  // Position in the client's string of one in text(), 1-based in characters; 0 = inside something added.
  std::size_t original(std::size_t position, bool utf8) const;
};
using plan_ptr = std::shared_ptr<const plan>;

struct awaited {
  request what = request::own;
  purpose own = purpose::none;
  std::uint8_t pieces = 0;       // own, extended protocol: ParseComplete, BindComplete, CloseComplete still to come
  bool to_ready = false;         // own: ends at ReadyForQuery
  bool inside = false;           // query: in a block of the proxy's; a failure rolls that back
  bool wrapped = false;          // query: the proxy commits that block behind it; the last CommandComplete is held back
  bool adopts = false;           // query: the client's BEGIN makes the proxy's block its own
  bool doomed = false;           // query: the primary is sure to refuse it
  bool failed = false;           // an error has been said
  bool keyed = false;            // what is said belongs to the outcome of an idempotency key,
  std::string part_mark;         // and this stands in front of it there
  std::uint64_t parses = 0;      // so many Parses had been sent before it
  std::size_t images = 0;        // of the statement that answers now
  enum class naming : std::uint8_t { none, statement, portal } names = naming::none;   // parse, bind, close: gave `name` a meaning,
  std::string name;
  prepared_ptr before;           // and that was its last; null: it had none
  std::uint32_t copy_ends = 0;   // CopyDone and CopyFail sent between it and the next
  std::size_t at = 0;            // query: index of the statement that answers now
  plan_ptr planned;              // query with captures or inside a script
  sql::analysis_ptr text;        // query without
  prepared_ptr statement;        // parse, describe, execute
  std::size_t formats = 0;       // bind: of results, with that of an image; 0 = none was added
  paused_ptr rest;               // execute of a portal whose rows are handed out in pieces,
  std::size_t limit = 0, given = 0;   // of this piece; 0 = no limit
  portal_run_ptr run;            // execute of a portal that runs once,
  bool again = false;            // not for the first time: its CommandComplete is not said
  bool dispensable = false;      // own: its failure may be of the statement's own making
  bool spent = false;            // execute of one of the proxy's in its stead, for the error
  std::string substitute;        // our ErrorResponse, said instead of the primary's
};

}  // namespace pgtandem::session
