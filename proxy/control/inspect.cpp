#include "proxy/control/inspect.hpp"

#include <array>

namespace pgtandem::control {
namespace {

struct report_row {
  report_kind what;
  bool at_source;      // else on the present primary
  std::string_view sql;
};

constexpr std::array<report_row, 4> table{{
    {report_kind::journal, false, "SELECT seq, at, epoch, step, detail FROM pgtandem.journal ORDER BY seq DESC LIMIT 200"},
    // The backfill goes from the source to the target, whoever is the primary now.
    {report_kind::progress, true,
     "SELECT relation, state, rows_total, rows_done, bytes_done, updated_at FROM pgtandem.progress ORDER BY relation LIMIT 200"},
    {report_kind::leases, false,
     "SELECT name, proxy_id, epoch, phase, step, sessions, unmovable, held_ms, "
     "round(extract(epoch FROM clock_timestamp() - renewed_at)::numeric, 3) AS age_seconds FROM pgtandem.lease ORDER BY name LIMIT 200"},
    {report_kind::sweeps, false,
     "SELECT pass, epoch, started_at, ended_at, leaves, row_count, set_aside, differing, repaired, skipped, clean, "
     "round(extract(epoch FROM clock_timestamp() - ended_at)::numeric, 1) AS age_seconds "
     "FROM pgtandem.sweep ORDER BY pass DESC LIMIT 200"},
}};

use natural_use(const routing& now) {
  const phase_row& row = row_of(now.now);
  if (!row.flip.empty()) return use_of(now.now, *phase_named(row.flip));
  auto next = phase_named(row.next.substr(0, row.next.find(' ')));
  return next ? use_of(now.now, *next) : use::none;
}

}  // namespace

database::result<std::string> inspect(const control_settings& s, const routing& now, report_kind what) {
  const report_row& row = table[static_cast<std::size_t>(what)];
  if (now.epoch == 0) return std::string("[]");
  place where = row.at_source ? place::source : now.primary();
  crew visitor(s, "inspect");
  if (auto r = visitor.visit(where); !r) return r.error();
  auto found = visitor.run(where, "SELECT coalesce(json_agg(j), '[]')::text FROM (" + std::string(row.sql) + ") j");
  if (!found) return found.error();
  return std::string(found->at(0, 0));
}

database::result<gate_report> inspect_gates(const control_settings& s, const routing& now) {
  use u = natural_use(now);
  gate_report report{std::string(name_of(u)), {}};
  if (u == use::none || now.epoch == 0) return report;
  crew visitor(s, "inspect");
  for (place p : {place::source, place::target})
    if (auto r = visitor.visit(p); !r) return r.error();
  auto since = visitor.run(now.primary(), "SELECT coalesce((attempt->>'mirrored_from')::int, 0) FROM pgtandem.migration");
  if (!since) return since.error();
  std::int32_t mirrored_from = since->size() == 1 ? static_cast<std::int32_t>(since->integer(0, 0)) : 0;
  report.gates = compute_gates({visitor, s, now.epoch, now.now, mirrored_from}, u);
  return report;
}

}  // namespace pgtandem::control
