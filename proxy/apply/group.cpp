#include "proxy/apply/group.hpp"

namespace pgtandem::apply {

frame_texts::frame_texts(table_sql_cache& texts)
    : begin(texts.number("BEGIN ISOLATION LEVEL READ COMMITTED")),
      commit(texts.number("COMMIT")),
      rollback(texts.number("ROLLBACK")),
      defer(texts.number("SET CONSTRAINTS ALL DEFERRED")),
      ledger(texts.number(ledger_insert)),
      ledger_kind(texts.number("SELECT kind FROM pgtandem.ledger WHERE op_id = $1::uuid AND epoch = $2::integer")) {}

group_transaction::group_transaction(std::span<parsed_op> ops, const group_options& o, const frame_texts& frame,
                                     table_sql_cache& texts, secondary_tables& there) {
  std::vector<const session::op*> plain;
  for (const parsed_op& p : ops) plain.push_back(p.op);
  statements_.push_back(ledger_rows(plain, frame.ledger, there));
  append_effects(ops, texts, there, statements_);

  commands_.push_back({frame.begin.get(), {}});
  if (o.lock_wait_ms != 0) {
    lock_wait_.sql = "SET LOCAL lock_timeout = " + std::to_string(o.lock_wait_ms);
    commands_.push_back({&lock_wait_, {}});
  }
  if (o.defer_constraints) commands_.push_back({frame.defer.get(), {}});
  for (const statement& s : statements_) commands_.push_back({s.text.get(), s.parameters});
  commands_.push_back({frame.commit.get(), {}});
}

}  // namespace pgtandem::apply
