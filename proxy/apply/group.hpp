// The transaction that brings a group of ops to the secondary, as commands for a channel. Pure.
//
//   BEGIN; [SET LOCAL lock_timeout]; [SET CONSTRAINTS ALL DEFERRED]; ledger rows; effects; COMMIT
//
// An explicit transaction rather than the pipeline's implicit one: SET CONSTRAINTS is defined only there, and the
// failure of a deferred constraint is COMMIT's own answer.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "proxy/apply/channel.hpp"
#include "proxy/apply/effects.hpp"

namespace pgtandem::apply {

struct group_options {
  bool defer_constraints = true;   // the secondary has deferrable constraints, or its catalog is not known
  std::uint32_t lock_wait_ms = 0;  // 0: the session's own lock_timeout
};

// The texts every transaction needs, numbered once.
struct frame_texts {
  explicit frame_texts(table_sql_cache& texts);
  sql_text_ptr begin, commit, rollback, defer, ledger, ledger_kind;
  sql_text deallocate{0, "DEALLOCATE ALL"};
};

class group_transaction {
 public:
  group_transaction(std::span<parsed_op> ops, const group_options& o, const frame_texts& frame, table_sql_cache& texts,
                    secondary_tables& there);
  group_transaction(const group_transaction&) = delete;  // the commands point into it
  group_transaction& operator=(const group_transaction&) = delete;
  std::span<const command> commands() const { return commands_; }

 private:
  sql_text lock_wait_;
  std::vector<statement> statements_;
  std::vector<command> commands_;
};

}  // namespace pgtandem::apply
