#include "proxy/admin/ctl.hpp"

#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <optional>
#include <ostream>

#include "proxy/admin/ctl_watch.hpp"
#include "proxy/admin/http_client.hpp"

namespace pgtandem::admin {
namespace {

namespace json = boost::json;

struct session {
  const ctl_options& o;
  http_client& http;
  std::ostream& out;
  std::ostream& err;
};

constexpr int done = 0, failed = 1, misused = 2, unreachable = 3;

std::string text_of(const json::value& v) {
  if (v.is_string()) return std::string(v.get_string());
  if (v.is_null()) return "-";
  return json::serialize(v);
}

// The answer of a GET, or a complaint and the exit status.
std::optional<json::value> fetch(session& s, std::string_view path, int& status) {
  http_answer a = s.http.get(path);
  if (a.status == 0) {
    s.err << "admin port: " << a.body << "\n";
    status = unreachable;
    return std::nullopt;
  }
  boost::system::error_code e;
  json::value v = json::parse(a.body, e);
  if (e || a.status != 200) {
    s.err << (v.is_object() && v.as_object().contains("error") ? text_of(v.as_object().at("error")) : a.body) << "\n";
    status = failed;
    return std::nullopt;
  }
  if (s.o.json) s.out << a.body;
  return v;
}

void print_gates(const json::value& gates, std::ostream& out) {
  for (const json::value& g : gates.as_array()) {
    const json::object& row = g.as_object();
    bool holds = row.at("holds").as_bool();
    const char* mark = holds ? "open  " : row.at("warning_only").as_bool() ? "warns " : "closed";
    out << "  " << mark << "  " << text_of(row.at("name")) << ": " << text_of(row.at("evidence")) << "\n";
  }
}

void print_place(const json::object& status, const char* name, std::ostream& out) {
  const json::object& p = status.at(name).as_object();
  out << name << ": ";
  if (p.at("reachable").as_bool()) out << "reachable, " << text_of(p.at("tables")) << " tables";
  else out << "unreachable (" << text_of(p.at("problem")) << ")";
  if (p.at("installed").as_bool()) out << ", epoch " << text_of(p.at("epoch")) << " " << text_of(p.at("phase")) << " " << text_of(p.at("step"));
  else out << ", no schema pgtandem";
  out << "\n";
}

int show_status(session& s) {
  int status = done;
  auto v = fetch(s, "/api/v1/status", status);
  if (!v || s.o.json) return status;
  const json::object& o = v->as_object();
  s.out << "phase " << text_of(o.at("phase")) << ", epoch " << text_of(o.at("epoch")) << ", step " << text_of(o.at("step")) << ", primary "
        << text_of(o.at("primary")) << "\n";
  print_place(o, "source", s.out);
  print_place(o, "target", s.out);
  const json::object& l = o.at("ledger").as_object();
  s.out << "ledger: " << text_of(l.at("bytes")) << " bytes, " << text_of(l.at("attached")) << " partitions attached, " << text_of(l.at("detached"))
        << " to be dropped; epochs open: " << text_of(l.at("open_epochs")) << "\n";
  s.out << "proxy " << text_of(o.at("name")) << ": " << text_of(o.at("sessions").at("count")) << " sessions, lease "
        << (o.at("lease").at("held").as_bool() ? "held" : "not held") << "\n";
  return done;
}

int show_gates(session& s) {
  int status = done;
  auto v = fetch(s, "/api/v1/gates", status);
  if (!v || s.o.json) return status;
  s.out << "gates for " << text_of(v->at("for")) << ":\n";
  print_gates(v->at("gates"), s.out);
  return done;
}

// An array of objects, a line each: "key=value key=value".
int show_rows(session& s, std::string_view path) {
  int status = done;
  auto v = fetch(s, path, status);
  if (!v || s.o.json) return status;
  for (const json::value& row : v->as_array()) {
    bool first = true;
    for (const auto& [key, value] : row.as_object()) {
      s.out << (first ? "" : "  ") << std::string_view(key) << "=" << text_of(value);
      first = false;
    }
    s.out << "\n";
  }
  return done;
}

watch_options watching(session& s) {
  return {s.http, s.out, s.err, s.o.terminal, s.o.json, std::chrono::seconds(s.o.timeout_seconds)};
}

// Hands an intent over and waits for its end.
int hand_over(session& s, std::string_view path, json::object body) {
  if (s.o.dry_run) body["dry_run"] = true;
  http_answer a = s.http.post(path, json::serialize(body));
  if (a.status == 0) {
    s.err << "admin port: " << a.body << "\n";
    return unreachable;
  }
  boost::system::error_code e;
  json::value v = json::parse(a.body, e);
  if (a.status != 202 || e) {
    s.err << (!e && v.is_object() && v.as_object().contains("error") ? text_of(v.as_object().at("error")) : a.body) << "\n";
    return failed;
  }
  auto ended = watch_intent(watching(s), v.at("intent").to_number<std::uint64_t>());
  if (!ended) return unreachable;
  if (s.o.json) s.out << json::serialize(*ended) << "\n";
  const json::object& r = ended->as_object();
  bool ok = r.at("state") == "done";
  if (!s.o.json) {
    if (s.o.dry_run || !ok) print_gates(r.at("gates"), s.out);
    (ok ? s.out : s.err) << text_of(r.at("message")) << "\n";
    if (ok && r.contains("cutover_ms")) {
      char ms[32];
      std::snprintf(ms, sizeof ms, "%.1f", r.at("cutover_ms").to_number<double>());
      s.out << "cutover_ms " << ms << "\n";
    }
  }
  return ok ? done : failed;
}

std::string phase_of(session& s, int& status) {
  http_answer a = s.http.get("/api/v1/phase");
  boost::system::error_code e;
  json::value v = json::parse(a.body, e);
  if (a.status != 200 || e) {
    s.err << "admin port: " << a.body << "\n";
    status = a.status == 0 ? unreachable : failed;
    return {};
  }
  return text_of(v.at("phase"));
}

int change_phase(session& s, std::string_view to) { return hand_over(s, "/api/v1/phase", {{"to", to}}); }

// Into the phase if it is not there yet, then until its work is done.
int enter_and_wait(session& s, std::string_view to, int (*wait)(const watch_options&)) {
  int status = done;
  std::string now = phase_of(s, status);
  if (status != done) return status;
  if (now != to) status = change_phase(s, to);
  if (status != done || s.o.dry_run) return status;
  return wait(watching(s));
}

struct verb {
  std::string_view name;
  std::size_t words;      // beside the verb itself
  int (*run)(session&);
  std::string_view help;
};

constexpr std::array verbs{
    verb{"status", 0, show_status, "this proxy, both databases, the phase"},
    verb{"phase", 1, [](session& s) { return change_phase(s, s.o.words[1]); }, "PHASE: change to dual_write, backfill, verify, shadow, passthrough, complete"},
    verb{"backfill", 0, [](session& s) { return enter_and_wait(s, "backfill", watch_backfill); }, "phase backfill, then wait until every table is verified"},
    verb{"verify", 0, [](session& s) { return enter_and_wait(s, "verify", watch_sweep); }, "phase verify, then wait for a clean full sweep"},
    verb{"cutover", 0, [](session& s) { return hand_over(s, "/api/v1/cutover", {}); }, "the target becomes the primary (--dry-run: its gates only)"},
    verb{"rollback", 0, [](session& s) { return hand_over(s, "/api/v1/rollback", {}); }, "the source becomes the primary again"},
    verb{"complete", 0, [](session& s) { return change_phase(s, "complete"); }, "the source is left behind"},
    verb{"gates", 0, show_gates, "the gates of the next step, with their evidence"},
    verb{"sessions", 0, [](session& s) { return show_rows(s, "/api/v1/sessions"); }, "the clients of this proxy"},
    verb{"leases", 0, [](session& s) { return show_rows(s, "/api/v1/leases"); }, "every proxy"},
    verb{"journal", 0, [](session& s) { return show_rows(s, "/api/v1/journal"); }, "what was done when"},
    verb{"progress", 0, [](session& s) { return show_rows(s, "/api/v1/progress"); }, "the backfill, table by table"},
    verb{"sweeps", 0, [](session& s) { return show_rows(s, "/api/v1/sweeps"); }, "the sweeps over everything"},
    verb{"reload", 0, [](session& s) {
           http_answer a = s.http.post("/api/v1/reload", "{}");
           (a.status == 202 ? s.out : s.err) << a.body;
           return a.status == 202 ? done : a.status == 0 ? unreachable : failed;
         }, "read the configuration again"},
};

}  // namespace

std::string ctl_verbs() {
  std::string text;
  for (const verb& v : verbs) text += "  " + std::string(v.name) + std::string(10 - std::min<std::size_t>(v.name.size(), 9), ' ') + std::string(v.help) + "\n";
  return text;
}

int ctl(const ctl_options& o, std::ostream& out, std::ostream& err) {
  auto at = parse_address(o.url);
  if (!at) {
    err << "--admin: " << o.url << " is not of the form http://host:port\n";
    return misused;
  }
  http_client http(*at, o.token);
  session s{o, http, out, err};
  for (const verb& v : verbs)
    if (!o.words.empty() && v.name == o.words[0] && o.words.size() == v.words + 1) return v.run(s);
  err << "usage: pgtandem ctl VERB\n" << ctl_verbs();
  return misused;
}

}  // namespace pgtandem::admin
