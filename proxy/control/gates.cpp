#include "proxy/control/gates.hpp"

#include <array>

#include "proxy/control/leases.hpp"
#include "proxy/control/statements.hpp"
#include "proxy/control/structure_match.hpp"
#include "proxy/control/table_match.hpp"
#include "proxy/database/catalog_loader.hpp"
#include "proxy/database/preflight.hpp"
#include "proxy/database/sequences.hpp"

namespace pgtandem::control {
namespace {

constexpr int counted = 10000;             // doubts are counted up to here
constexpr std::int64_t drainable = 2000;   // doubts that the drain of a flip can take within its deadline
constexpr std::chrono::seconds patience{30};

constexpr std::uint16_t bit(use u) { return static_cast<std::uint16_t>(1u << static_cast<unsigned>(u)); }
constexpr std::uint16_t flips = bit(use::cutover) | bit(use::rollback);

void failed(gate_result& r, const database::error& e) {
  r.holds = false;
  r.evidence = e.sqlstate + ": " + e.message;
}

void count(gate_result& r, const gate_context& c, place where, const std::string& sql, std::int64_t at_most) {
  auto n = c.hands.run(where, sql, patience);
  if (!n) return failed(r, n.error());
  r.holds = n->integer(0, 0) <= at_most;
  r.evidence = std::to_string(n->integer(0, 0)) + (n->integer(0, 0) >= counted ? " or more" : "") + " rows, at most " +
               std::to_string(at_most);
}

void dirty(const gate_context& c, gate_result& r) { count(r, c, c.primary(), count_dirty_sql(counted), drainable); }

void audited(const gate_context& c, gate_result& r) {
  count(r, c, c.secondary(), count_unsettled_sql(counted), drainable);
}

void preflight(const gate_context& c, gate_result& r) {
  auto primary = database::preflight(c.hands[c.primary()], database::role::primary);
  if (!primary) return failed(r, primary.error());
  auto secondary = database::preflight(c.hands[c.secondary()], database::role::secondary);
  if (!secondary) return failed(r, secondary.error());
  auto pair = database::preflight_pair(c.hands[place::source], c.hands[place::target]);
  if (!pair) return failed(r, pair.error());
  for (const auto* report : {&*primary, &*secondary, &*pair})
    for (const std::string& refusal : report->refusals) r.evidence += (r.evidence.empty() ? "" : "; ") + refusal;
  r.holds = r.evidence.empty();
  if (r.holds) r.evidence = "both databases are fit for it";
}

database::result<std::vector<structure_finding>> structures(const gate_context& c) {
  for (place p : {place::source, place::target}) c.hands[p].statement_limit(patience);
  auto primary = database::read_structure(c.hands[c.primary()], c.settings.exclude);
  if (!primary) return primary.error();
  auto secondary = database::read_structure(c.hands[c.secondary()], c.settings.exclude);
  if (!secondary) return secondary.error();
  return compare_structure(*primary, *secondary);
}

void constraints(const gate_context& c, gate_result& r) {
  auto found = structures(c);
  if (!found) return failed(r, found.error());
  const auto closing = texts_of(*found, verdict::closes_flips);
  r.holds = closing.empty();
  r.evidence = r.holds ? "nothing that makes rows differ or writes fail; pgtandem check names the rest" : joined(closing);
}

void tables(const gate_context& c, gate_result& r) {
  database::load_options o{c.settings.exclude, c.settings.allowed_functions};
  c.hands[c.primary()].statement_limit(patience);
  c.hands[c.secondary()].statement_limit(patience);
  auto primary = database::load_catalog(c.hands[c.primary()], o);
  if (!primary) return failed(r, primary.error());
  auto secondary = database::load_catalog(c.hands[c.secondary()], o);
  if (!secondary) return failed(r, secondary.error());
  table_report found = compare_tables(**primary, **secondary);
  auto beyond = structures(c);
  if (!beyond) return failed(r, beyond.error());
  for (std::string& text : texts_of(*beyond, verdict::closes_all)) found.differences.push_back(std::move(text));
  r.holds = found.differences.empty();
  r.evidence = r.holds ? std::to_string(found.tables) + " tables match" : joined(found.differences);
}

void proxies(const gate_context& c, gate_result& r) {
  auto all = read_leases(c.hands[c.primary()], c.settings.lease);
  if (!all) return failed(r, all.error());
  auto missing = not_at_phase(*all, c.epoch, c.now);
  std::size_t live = 0;
  for (const lease& l : *all) live += l.live;
  r.holds = missing.empty();
  r.evidence = missing.empty() ? std::to_string(live) + " proxies, all in epoch " + std::to_string(c.epoch)
                               : "not there yet (a transaction from before is open): " + joined(missing);
}

void no_stalled(const gate_context& c, gate_result& r) {
  auto all = read_leases(c.hands[c.primary()], c.settings.lease);
  if (!all) return failed(r, all.error());
  auto who = stalled(*all);
  r.holds = who.empty();
  r.evidence = r.holds ? "none" : "connected and silent (continue or end the process): " + joined(who);
}

void unmovable(const gate_context& c, gate_result& r) {
  auto all = read_leases(c.hands[c.primary()], c.settings.lease);
  if (!all) return failed(r, all.error());
  const unmovable_summary found = unmovable_sessions(*all);
  r.holds = found.count == 0;
  r.evidence = r.holds ? "none"
                       : std::to_string(found.count) + (found.count == 1 ? " session" : " sessions") + " will be closed with 57P01, unless they let go: " +
                             found.names;
}

void backfilled(const gate_context& c, gate_result& r) {
  database::load_options o{c.settings.exclude, c.settings.allowed_functions};
  c.hands[place::source].statement_limit(patience);
  auto catalog = database::load_catalog(c.hands[place::source], o);
  if (!catalog) return failed(r, catalog.error());
  auto progress = c.hands.run(place::source, "SELECT relation, coalesce(state, '') FROM pgtandem.progress", patience);
  if (!progress) return failed(r, progress.error());
  auto open = c.hands.run(place::target, "SELECT count(*) FROM pgtandem.chunk WHERE state <> 'verified'", patience);
  if (!open) return failed(r, open.error());
  std::vector<std::string> missing;
  for (const std::string& name : tables_to_copy(**catalog)) {
    bool verified = false;
    for (int i = 0; i < progress->size() && !verified; ++i)
      verified = progress->at(i, 0) == name && progress->at(i, 1) == "verified";
    if (!verified) missing.push_back(name);
  }
  r.holds = missing.empty() && open->integer(0, 0) == 0;
  r.evidence = r.holds ? std::to_string(tables_to_copy(**catalog).size()) + " tables verified"
                       : std::to_string(open->integer(0, 0)) + " chunks not verified; tables not verified: " +
                             (missing.empty() ? "none" : joined(missing));
}

// The sweeps are recorded on whichever place was the primary; the youngest one that ended counts, by that server's own clock.
constexpr std::string_view last_sweep_sql =
    "SELECT pass, epoch, coalesce(clean, false), extract(epoch FROM clock_timestamp() - ended_at)::bigint, coalesce(leaves, 0), "
    "coalesce(row_count, 0), coalesce(primary_boot::text, ''), coalesce(secondary_boot::text, '') "
    "FROM pgtandem.sweep WHERE ended_at IS NOT NULL ORDER BY pass DESC LIMIT 1";
// Empty after a crash or a promotion: so are the UNLOGGED tables.
constexpr std::string_view incarnation_sql = "SELECT coalesce((SELECT token::text FROM pgtandem.boot), 'none')";

void swept(const gate_context& c, gate_result& r) {
  std::optional<database::rows> youngest;
  place recorded = place::source;
  for (place p : {place::source, place::target}) {
    auto found = c.hands.run(p, last_sweep_sql, patience);
    if (!found) return failed(r, found.error());
    if (found->size() == 1 && (!youngest || found->integer(0, 3) < youngest->integer(0, 3))) {
      youngest = *found;
      recorded = p;
    }
  }
  if (!youngest) {
    r.evidence = "no sweep has ended yet";
    return;
  }
  bool clean = youngest->boolean(0, 2);
  bool fresh = youngest->integer(0, 3) <= c.settings.sweep_max_age.count();
  bool after = youngest->integer(0, 1) >= c.mirrored_from;
  std::string restarted;
  for (place p : {recorded, other(recorded)}) {   // it may be of the time before a flip
    auto token = c.hands.run(p, incarnation_sql, patience);
    if (!token) return failed(r, token.error());
    if (token->at(0, 0) != youngest->at(0, p == recorded ? 6 : 7)) restarted += ", from before a crash of the " + std::string(name_of(p));
  }
  r.holds = clean && fresh && after && restarted.empty();
  r.evidence = "the last one (" + std::string(youngest->at(0, 5)) + " rows in " + std::string(youngest->at(0, 4)) + " leaves) ended " +
               std::to_string(youngest->integer(0, 3)) + " s ago, " + (clean ? "clean" : "not clean") +
               (fresh ? "" : ", too old") + (after ? "" : ", from before the present mirroring") + (after ? restarted : "");
}

void sequences(const gate_context& c, gate_result& r) {
  auto from = database::read_sequences(c.hands[c.primary()], c.settings.exclude);
  if (!from) return failed(r, from.error());
  auto missing = database::sequences_behind(c.hands[c.secondary()], *from);
  if (!missing) return failed(r, missing.error());
  if (!missing->empty()) {   // the coordinator keeps them ahead: do so now, and look again
    auto moved = database::advance_sequences(c.hands[c.secondary()], *from, c.settings.sequence_headroom);
    if (!moved) return failed(r, moved.error());
    missing = database::sequences_behind(c.hands[c.secondary()], *from);
    if (!missing) return failed(r, missing.error());
  }
  r.holds = missing->empty();
  r.evidence = r.holds ? std::to_string(from->size()) + " sequences ahead" : "behind or missing: " + joined(*missing);
}

constexpr std::array table{
    gate_row{"preflight", "settings, versions and rights of both servers", static_cast<std::uint16_t>(bit(use::to_dual_write) | flips), false, preflight},
    gate_row{"tables_match", "names, columns, types, keys and generated columns of the tables in scope, read from both catalogs",
             static_cast<std::uint16_t>(bit(use::to_dual_write) | bit(use::to_backfill) | flips), false, tables},
    gate_row{"constraints_match", "foreign keys, unique indexes, checks, NOT NULL, defaults, identity, enums, sequences, settings of database and roles: both catalogs",
             flips, false, constraints},
    gate_row{"no_stalled_proxy", "proxies that have stopped renewing their lease and are still connected, themselves or with sessions of their clients", bit(use::to_dual_write), false, no_stalled},
    gate_row{"every_proxy_on_epoch", "every live lease acknowledges the present epoch and phase; while writes are mirrored, so must a silent proxy whose sessions of before are still there",
             static_cast<std::uint16_t>(bit(use::to_dual_write) | bit(use::to_backfill) | bit(use::to_verify) | bit(use::to_shadow) | flips | bit(use::complete)), false, proxies},
    gate_row{"backfill_verified", "pgtandem.progress and pgtandem.chunk: every table in scope",
             static_cast<std::uint16_t>(bit(use::to_verify) | bit(use::to_shadow) | bit(use::cutover)), false, backfilled},
    gate_row{"dirty", "rows of pgtandem.dirty on the primary",
             static_cast<std::uint16_t>(bit(use::to_shadow) | flips | bit(use::complete)), false, dirty},
    gate_row{"ledger_audited", "unsettled ledger rows on the secondary",
             static_cast<std::uint16_t>(bit(use::to_shadow) | flips | bit(use::complete)), false, audited},
    gate_row{"sweep_clean", "the last full sweep: clean, fresh, of the present mirroring, and neither database has crashed since",
             static_cast<std::uint16_t>(bit(use::to_shadow) | flips), false, swept},
    gate_row{"sequences_ahead", "every sequence of the secondary against the primary's",
             static_cast<std::uint16_t>(flips | bit(use::complete)), false, sequences},
    gate_row{"no_unmovable_session", "sessions that hold what cannot move: temporary tables, cursors WITH HOLD, session advisory locks",
             flips, true, unmovable},
};

}  // namespace

std::string_view name_of(use u) {
  constexpr std::string_view names[] = {"dual_write", "backfill", "verify", "shadow", "cutover", "rollback", "complete", "none"};
  return names[static_cast<std::size_t>(u)];
}

use use_of(phase from, phase to) {
  if (from == phase::passthrough) return use::to_dual_write;
  if (row_of(from).primary != row_of(to).primary) return row_of(to).primary == place::target ? use::cutover : use::rollback;
  if (to == phase::complete) return use::complete;
  if (to == phase::backfill) return use::to_backfill;
  if (to == phase::verify && from == phase::backfill) return use::to_verify;
  if (to == phase::shadow) return use::to_shadow;
  return use::none;   // a step back: always allowed
}

std::span<const gate_row> gates() { return table; }

std::vector<gate_result> compute_gates(const gate_context& c, use u) {
  std::vector<gate_result> all;
  for (const gate_row& row : table) {
    if (u == use::none || !(row.needed_for & bit(u))) continue;
    gate_result r{std::string(row.name), std::string(row.computed), {}, false, row.warning_only};
    row.compute(c, r);
    all.push_back(std::move(r));
  }
  return all;
}

std::string closed_gates(const std::vector<gate_result>& all) {
  std::string names;
  for (const gate_result& r : all)
    if (!r.holds && !r.warning_only) names += (names.empty() ? "" : ", ") + r.name;
  return names;
}

}  // namespace pgtandem::control
