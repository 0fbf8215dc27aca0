#include "proxy/admin/routes.hpp"

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <optional>

#include "proxy/admin/answers.hpp"

namespace pgtandem::admin {
namespace {

namespace json = boost::json;

reply ok(const json::value& v, unsigned status = 200) { return {status, json::serialize(v) + "\n"}; }

reply list_routes(const context&, const request&, std::string_view) {
  json::array all;
  for (const route& r : routes())
    all.push_back({{"method", r.method}, {"path", r.path}, {"needs_token", r.needs_token}, {"help", r.help}});
  return ok(json::object{{"routes", all}});
}

reply healthz(const context&, const request&, std::string_view) { return {200, "ok\n", "text/plain"}; }

// The target's health never makes a proxy unready.
reply readyz(const context& c, const request&, std::string_view) {
  const std::string why = c.control.why_not_serving();
  return {why.empty() ? 200u : 503u, why.empty() ? "ready\n" : "not ready: " + std::string(why) + "\n", "text/plain"};
}

reply metrics(const context& c, const request&, std::string_view) {
  return {200, c.metrics.text(), "text/plain; version=0.0.4; charset=utf-8"};
}

reply status(const context& c, const request&, std::string_view) { return ok(status_json(c.control.status())); }

reply phase_now(const context& c, const request&, std::string_view) { return ok(phase_json(c.control.status())); }

reply sessions(const context& c, const request&, std::string_view) {
  constexpr std::size_t listed = 1000;
  return ok(sessions_json(c.loops.list(listed)));
}

reply from_databases(const context& c, control::report_kind what) {
  auto text = control::inspect(c.control.settings(), c.control.status().now, what);
  if (!text) return problem(503, text.error().message);
  return {200, *text + "\n"};
}

reply journal(const context& c, const request&, std::string_view) { return from_databases(c, control::report_kind::journal); }
reply progress(const context& c, const request&, std::string_view) { return from_databases(c, control::report_kind::progress); }
reply leases(const context& c, const request&, std::string_view) { return from_databases(c, control::report_kind::leases); }
reply sweeps(const context& c, const request&, std::string_view) { return from_databases(c, control::report_kind::sweeps); }

reply gates(const context& c, const request&, std::string_view) {
  auto report = control::inspect_gates(c.control.settings(), c.control.status().now);
  if (!report) return problem(503, report.error().message);
  return ok(json::object{{"for", report->use}, {"gates", gates_json(report->gates)}});
}

reply hand_over(const context& c, const control::intent& what) {
  auto id = c.control.desk().submit(what);
  if (!id) return problem(503, "too many intents are waiting");
  return ok(json::object{{"intent", *id}, {"see", "/api/v1/intents/" + std::to_string(*id)}}, 202);
}

// An object, or nothing at all, which stands for {}.
std::optional<json::object> object_of(std::string_view body) {
  if (body.empty()) return json::object{};
  boost::system::error_code e;
  json::value v = json::parse(body, e);
  if (e || !v.is_object()) return std::nullopt;
  return std::move(v.as_object());
}

reply change_phase(const context& c, const request& r, std::string_view) {
  auto body = object_of(r.body);
  const json::value* to = body ? body->if_contains("to") : nullptr;
  if (!to || !to->is_string()) return problem(400, "the body must be a JSON object with a string \"to\"");
  auto p = control::phase_named(std::string_view(to->get_string()));
  if (!p) return problem(400, "no such phase");
  const json::value* dry = body->if_contains("dry_run");
  if (dry && !dry->is_bool()) return problem(400, "\"dry_run\" must be true or false");
  return hand_over(c, {control::intent_verb::change_phase, *p, dry && dry->get_bool()});
}

reply flip(const context& c, const request& r, control::intent_verb verb) {
  auto body = object_of(r.body);
  const json::value* dry = body ? body->if_contains("dry_run") : nullptr;
  if (!body || (dry && !dry->is_bool())) return problem(400, "the body must be empty or a JSON object; \"dry_run\" must be true or false");
  return hand_over(c, {verb, {}, dry && dry->get_bool()});
}

reply cutover(const context& c, const request& r, std::string_view) { return flip(c, r, control::intent_verb::cutover); }
reply rollback(const context& c, const request& r, std::string_view) { return flip(c, r, control::intent_verb::rollback); }

reply reload(const context& c, const request&, std::string_view) {
  if (!c.reload) return problem(503, "this process cannot reload");
  c.reload();
  return ok(json::object{{"reload", "asked for; see the log"}}, 202);
}

reply intents(const context& c, const request&, std::string_view) {
  json::array all;
  for (const control::intent_report& r : c.control.desk().reports()) all.push_back(intent_json(r));
  return ok(all);
}

reply intent_by_id(const context& c, const request&, std::string_view parameter) {
  std::uint64_t id = 0;
  auto [end, e] = std::from_chars(parameter.data(), parameter.data() + parameter.size(), id);
  if (e != std::errc() || end != parameter.data() + parameter.size()) return problem(400, "an intent is named by its number");
  auto r = c.control.desk().report(id);
  return r ? ok(intent_json(*r)) : problem(404, "no such intent (the newest 64 are kept)");
}

constexpr std::array table{
    route{"GET", "/", false, false, list_routes, "this list"},
    route{"GET", "/healthz", false, false, healthz, "the process lives"},
    route{"GET", "/readyz", false, false, readyz, "clients can be served; the target's health does not matter"},
    route{"GET", "/metrics", false, false, metrics, "Prometheus text"},
    route{"GET", "/api/v1/status", false, false, status, "this proxy: routing, both databases, lease, sessions"},
    route{"GET", "/api/v1/phase", false, false, phase_now, "the phase, and what it can become"},
    route{"GET", "/api/v1/gates", false, true, gates, "the gates of the next step, with their evidence"},
    route{"GET", "/api/v1/sessions", false, true, sessions, "the clients of this proxy"},
    route{"GET", "/api/v1/leases", false, true, leases, "every proxy"},
    route{"GET", "/api/v1/journal", false, true, journal, "what was done when"},
    route{"GET", "/api/v1/progress", false, true, progress, "the backfill, table by table"},
    route{"GET", "/api/v1/sweeps", false, true, sweeps, "the sweeps over everything"},
    route{"GET", "/api/v1/intents", false, false, intents, "what was asked for, newest first"},
    route{"GET", "/api/v1/intents/", false, false, intent_by_id, "one of them: …/intents/ID"},
    route{"POST", "/api/v1/phase", true, false, change_phase, "{\"to\": PHASE, \"dry_run\": false}"},
    route{"POST", "/api/v1/cutover", true, false, cutover, "{\"dry_run\": false}: the target becomes the primary"},
    route{"POST", "/api/v1/rollback", true, false, rollback, "{\"dry_run\": false}: the source becomes the primary again"},
    route{"POST", "/api/v1/reload", true, false, reload, "read the configuration again, as SIGHUP does"},
};

// Takes the same time whatever is wrong with it.
bool equal(std::string_view a, std::string_view b) {
  unsigned char differs = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) differs |= static_cast<unsigned char>(a[i] ^ (b.empty() ? 0 : b[i % b.size()]));
  return differs == 0;
}

}  // namespace

std::span<const route> routes() { return table; }

match find_route(std::string_view method, std::string_view path) {
  match m;
  for (const route& r : table) {
    bool longer = r.path.size() > 1 && r.path.back() == '/' && path.size() > r.path.size() && path.starts_with(r.path) &&
                  path.find('/', r.path.size()) == std::string_view::npos;
    if (r.path != path && !longer) continue;
    if (r.path.size() > 1 && r.path.back() == '/' && !longer) continue;
    if (r.method != method) {
      m.other_method = true;
      continue;
    }
    return {&r, longer ? path.substr(r.path.size()) : std::string_view(), false};
  }
  return m;
}

reply problem(unsigned status, std::string_view message) {
  return {status, json::serialize(json::object{{"error", message}}) + "\n"};
}

reply answer(const context& c, const request& r) {
  match m = find_route(r.method, r.path);
  if (!m.to) return m.other_method ? problem(405, "this path has another method; GET / lists the routes") : problem(404, "no such path; GET / lists the routes");
  if (m.to->needs_token) {
    constexpr std::string_view scheme = "Bearer ";
    std::string token = c.token ? c.token() : std::string();
    if (token.empty()) return problem(403, "state changes are refused because no admin.token is configured");
    if (!r.authorization.starts_with(scheme) || !equal(r.authorization.substr(scheme.size()), token))
      return problem(401, "state changes need the header Authorization: Bearer <admin.token>");
  }
  return m.to->handle(c, r, m.parameter);
}

}  // namespace pgtandem::admin
