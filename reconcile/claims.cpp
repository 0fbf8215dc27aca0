#include "reconcile/claims.hpp"

#include "reconcile/text_array.hpp"

namespace pgtandem::reconcile {

database::result<void> claim(workbench& w, const std::vector<std::string>& op_ids) {
  if (op_ids.empty()) return {};
  auto r = w.secondary.execute(
      "INSERT INTO pgtandem.ledger (op_id, epoch, kind, settled) SELECT o, substr(c.relname, 8)::int, 'claim', true"
      " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid, unnest($1::uuid[]) o"
      " WHERE i.inhparent = 'pgtandem.ledger'::regclass AND c.relname ~ '^ledger_[0-9]+$' ORDER BY 1, 2"
      " ON CONFLICT DO NOTHING",
      {to_array(op_ids)});
  if (!r) return r.error();
  return {};
}

}  // namespace pgtandem::reconcile
