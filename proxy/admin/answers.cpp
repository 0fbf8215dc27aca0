#include "proxy/admin/answers.hpp"

#include <boost/json.hpp>

namespace pgtandem::admin {
namespace {

namespace json = boost::json;

json::value place_json(const control::place_status& p) {
  return {{"reachable", p.reachable},       {"problem", p.problem}, {"server_version", p.server_version},
          {"installed", p.installed},       {"epoch", p.epoch},     {"phase", p.phase},
          {"step", p.step},                 {"catalog_version", p.catalog_version}, {"tables", p.tables}};
}

json::array words(std::string_view list) {
  json::array out;
  while (!list.empty()) {
    auto end = list.find(' ');
    out.emplace_back(list.substr(0, end));
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return out;
}

}  // namespace

json::value phase_json(const control::control_status& s) {
  const control::phase_row& row = control::row_of(s.now.now);
  json::object out{{"phase", row.name}, {"epoch", s.now.epoch}, {"step", s.step}, {"primary", s.primary},
                   {"mirrors", row.mirrors}, {"next", words(row.next)}};
  out["flip"] = row.flip.empty() ? json::value(nullptr) : json::value(row.flip);
  return out;
}

json::value status_json(const control::control_status& s) {
  json::object out = phase_json(s).as_object();
  out["proxy_id"] = s.proxy_id;
  out["name"] = s.name;
  out["holding"] = s.now.holding;
  out["warming"] = s.now.warming;
  out["lease"] = {{"held", s.lease_held}, {"age_seconds", s.lease_age_seconds}};
  out["source"] = place_json(s.source);
  out["target"] = place_json(s.target);
  json::array unmovable;
  for (const control::unmovable_session& u : s.sessions.unmovable) unmovable.push_back({{"id", u.id}, {"reason", u.reason}});
  out["sessions"] = {{"count", s.sessions.sessions}, {"behind", s.sessions.behind}, {"open", s.sessions.open},
                     {"cold", s.sessions.cold}, {"unmovable", unmovable}};
  out["ledger"] = {{"open_epochs", s.ledger.open_epochs}, {"attached", s.ledger.attached}, {"detached", s.ledger.detached},
                   {"bytes", s.ledger.bytes}};
  out["coordinating"] = s.coordinating;
  out["last_held_ms"] = s.last_held_ms;
  return out;
}

json::value sessions_json(const std::vector<control::session_view>& all) {
  json::array out;
  for (const control::session_view& v : all)
    out.push_back({{"id", v.id}, {"client", v.client}, {"user", v.user}, {"database", v.database}, {"application", v.application},
                   {"state", v.state}, {"unmovable", v.unmovable}, {"epoch", v.epoch}, {"age_seconds", v.age.count()}});
  return out;
}

json::value gates_json(const std::vector<control::gate_result>& all) {
  json::array out;
  for (const control::gate_result& g : all)
    out.push_back({{"name", g.name}, {"holds", g.holds}, {"warning_only", g.warning_only}, {"computed", g.computed}, {"evidence", g.evidence}});
  return out;
}

json::value intent_json(const control::intent_report& r) {
  json::object out{{"id", r.id}, {"verb", control::name_of(r.what.verb)}, {"state", control::name_of(r.state)}, {"step", r.step},
                   {"message", r.message}, {"dry_run", r.what.dry_run}, {"gates", gates_json(r.gates)}};
  if (r.what.verb == control::intent_verb::change_phase) out["to"] = control::row_of(r.what.to).name;
  if (!r.holds.empty() || r.cutover_ms > 0) {
    json::array holds;
    for (const control::proxy_hold& h : r.holds) holds.push_back({{"name", h.name}, {"held_ms", h.held_ms}});
    out["cutover_ms"] = r.cutover_ms;
    out["proxies"] = holds;
  }
  return out;
}

}  // namespace pgtandem::admin
