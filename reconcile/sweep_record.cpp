#include "reconcile/sweep_record.hpp"

#include "reconcile/boot_token.hpp"

namespace pgtandem::reconcile {

using database::result;

result<sweep_boots> read_boots(database::connection& primary, database::connection& secondary) {
  auto p = boot_token(primary);
  if (!p) return p.error();
  auto s = boot_token(secondary);
  if (!s) return s.error();
  return sweep_boots{std::move(*p), std::move(*s)};
}

result<std::string> record_begin(database::connection& primary, std::int32_t epoch, const sweep_boots& boots) {
  auto r = primary.execute(
      "INSERT INTO pgtandem.sweep (epoch, started_at, primary_boot, secondary_boot) VALUES ($1::int, clock_timestamp(), "
      "$2::uuid, $3::uuid) RETURNING pass",
      {std::to_string(epoch), boots.primary, boots.secondary});
  if (!r) return r.error();
  return std::string(r->at(0, 0));
}

result<void> record_end(database::connection& primary, const std::string& pass, const pass_tally& t) {
  auto r = primary.execute(
      "UPDATE pgtandem.sweep SET ended_at = clock_timestamp(), leaves = $2::bigint, row_count = $3::bigint, set_aside "
      "= $4::bigint,"
      " differing = $5::bigint, repaired = $6::bigint, skipped = $7::bigint, clean = $8::bool WHERE pass = $1::bigint",
      {pass, std::to_string(t.leaves), std::to_string(t.rows), std::to_string(t.set_aside), std::to_string(t.differing),
       std::to_string(t.repaired), std::to_string(t.skipped), t.clean() ? "true" : "false"});
  if (!r) return r.error();
  auto forgotten = primary.execute("DELETE FROM pgtandem.sweep WHERE pass <= $1::bigint - $2::bigint", {pass, std::to_string(passes_kept)});
  if (!forgotten) return forgotten.error();
  return {};
}

result<std::set<std::string>> backfilled_tables(database::connection& target) {
  auto r = target.run("SELECT relation FROM pgtandem.chunk WHERE hi IS NULL AND state = 'verified'");
  if (!r) return r.error();
  std::set<std::string> out;
  for (int i = 0; i < r->size(); ++i) out.emplace(r->at(i, 0));
  return out;
}

}  // namespace pgtandem::reconcile
