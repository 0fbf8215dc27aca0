#include "proxy/control/leases.hpp"

#include "proxy/control/fleet.hpp"
#include "proxy/control/lease_keeper.hpp"
#include "proxy/sql/rewrite.hpp"

namespace pgtandem::control {
namespace {

template <class F>
std::vector<std::string> names_where(const std::vector<lease>& all, F&& missing) {
  std::vector<std::string> out;
  for (const lease& l : all)
    if (missing(l))
      out.push_back(l.name + (l.at_large() ? " (silent, and connected with " + std::to_string(l.backends) + " sessions)" : std::string()));
  return out;
}

}  // namespace

database::result<std::vector<lease>> read_leases(database::connection& c, std::chrono::milliseconds lease_ms) {
  auto found = c.run(
      "SELECT l.proxy_id, l.name, l.epoch, coalesce(l.phase, ''), l.step, coalesce(l.sessions, 0), "
      "(SELECT string_agg('session ' || (u.s->>'id') || ' holds ' || (u.s->>'reason'), ', ' ORDER BY u.n) "
      "FROM jsonb_array_elements(l.unmovable) WITH ORDINALITY u(s, n) WHERE u.n <= " + std::to_string(unmovable_named) + "), "
      "jsonb_array_length(l.unmovable), coalesce(l.held_ms, -1), "
      "extract(epoch FROM clock_timestamp() - l.renewed_at) * 1000, "
      "EXISTS (SELECT FROM pg_locks k WHERE k.locktype = 'advisory' AND k.objsubid = 2 AND k.classid::bigint = " +
      std::to_string(lease_lock) +
      " AND k.objid::bigint = (hashtext(l.proxy_id::text)::bigint & 4294967295)), "
      "CASE WHEN l.backends <> '{}' AND l.renewed_at < clock_timestamp() - interval '" +
      std::to_string((lease_ms + lease_slack).count()) + " ms' THEN " + std::string(backends_there_sql) + " ELSE 0 END, "
      "(SELECT min('session ' || (u.s->>'id') || ': ' || (u.s->>'reason')) FROM jsonb_array_elements(l.unmovable) u(s) "
      "WHERE starts_with(u.s->>'reason', " + sql::quote_literal(no_login) + ")) "
      "FROM pgtandem.lease l ORDER BY l.name, l.proxy_id");
  if (!found) return found.error();
  std::vector<lease> out(static_cast<std::size_t>(found->size()));
  for (int i = 0; i < found->size(); ++i) {
    lease& l = out[static_cast<std::size_t>(i)];
    l.proxy_id = found->at(i, 0);
    l.name = found->at(i, 1);
    l.epoch = static_cast<std::int32_t>(found->integer(i, 2));
    l.phase = found->at(i, 3);
    l.step = found->at(i, 4);
    l.sessions = static_cast<std::int32_t>(found->integer(i, 5));
    l.unmovable = found->at(i, 6);
    l.unmovable_count = static_cast<std::int32_t>(found->integer(i, 7));
    l.held_ms = std::strtod(std::string(found->at(i, 8)).c_str(), nullptr);
    l.age_ms = std::strtod(std::string(found->at(i, 9)).c_str(), nullptr);
    l.live = l.age_ms <= static_cast<double>((lease_ms + lease_slack).count());
    l.connected = found->boolean(i, 10);
    l.backends = static_cast<std::int32_t>(found->integer(i, 11));
    auto acknowledged = phase_named(l.phase);
    l.fenced = acknowledged && row_of(*acknowledged).mirrors;
    l.shut_out = found->at(i, 12);
  }
  return out;
}

std::vector<std::string> not_at_step(const std::vector<lease>& all, std::int32_t epoch, step s) {
  return names_where(all, [&](const lease& l) { return l.live && !(l.epoch == epoch && l.step == row_of(s).name); });
}

std::vector<std::string> not_on_epoch(const std::vector<lease>& all, std::int32_t epoch) {
  return names_where(all, [&](const lease& l) { return l.live && l.epoch != epoch; });
}

std::vector<std::string> not_at_phase(const std::vector<lease>& all, std::int32_t epoch, phase p) {
  return names_where(all, [&](const lease& l) {
    return (l.live || (row_of(p).mirrors && l.at_large())) && !(l.epoch == epoch && l.phase == row_of(p).name && l.step == row_of(step::steady).name);
  });
}

std::vector<std::string> stalled(const std::vector<lease>& all) {
  return names_where(all, [](const lease& l) { return l.stalled() || l.at_large(); });
}

std::string shut_out_sessions(const std::vector<lease>& all) {
  std::string out;
  for (const lease& l : all)
    if (l.live && !l.shut_out.empty()) out += (out.empty() ? "" : "; ") + l.name + ": " + l.shut_out;
  return out;
}

unmovable_summary unmovable_sessions(const std::vector<lease>& all) {
  unmovable_summary out;
  for (const lease& l : all) {
    if (!l.live || l.unmovable_count == 0) continue;
    out.count += l.unmovable_count;
    out.names += (out.names.empty() ? "" : "; ") + l.name + ": " + l.unmovable + (l.unmovable_count > unmovable_named ? ", …" : "");
  }
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& n : names) out += (out.empty() ? "" : ", ") + n;
  return out;
}

}  // namespace pgtandem::control
