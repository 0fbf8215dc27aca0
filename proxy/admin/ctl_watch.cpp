#include "proxy/admin/ctl_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>
#include <ostream>

#include "proxy/admin/progress_line.hpp"

namespace pgtandem::admin {
namespace {

namespace json = boost::json;
using clock = std::chrono::steady_clock;

constexpr int done = 0, failed = 1, unreachable = 3;
constexpr std::chrono::milliseconds intent_look{50}, work_look{1000};
constexpr int misses_max = 20;   // answers in a row that do not come, before the port is given up

// What is waited for stands in another process: there is nothing to be woken by but the clock.
void pause(std::chrono::milliseconds d) {
  boost::asio::io_context loop;
  boost::asio::steady_timer t(loop, d);
  t.wait();
}

class patience {
 public:
  explicit patience(const watch_options& o) : o_(o), begun_(clock::now()) {}
  // The parsed answer; nullopt with given_up(): no more; nullopt without: ask again.
  std::optional<json::value> ask(std::string_view path) {
    http_answer a = o_.http.get(path);
    boost::system::error_code e;
    json::value v = json::parse(a.body, e);
    if (a.status == 200 && !e) {
      misses_ = 0;
      return v;
    }
    if (++misses_ >= misses_max) give_up("admin port: " + a.body);
    return std::nullopt;
  }
  bool given_up() {
    if (!given_up_ && o_.timeout.count() > 0 && clock::now() - begun_ > o_.timeout) give_up("the time is up");
    return given_up_;
  }

 private:
  void give_up(const std::string& why) {
    if (!given_up_) o_.err << why << "\n";
    given_up_ = true;
  }
  const watch_options& o_;
  clock::time_point begun_;
  int misses_ = 0;
  bool given_up_ = false;
};

std::int64_t number(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  return v && v->is_number() ? v->to_number<std::int64_t>() : 0;
}

std::string word(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  return v && v->is_string() ? std::string(v->get_string()) : std::string();
}

// One line that is overwritten on a terminal, or a line of its own when it has changed.
class ticker {
 public:
  explicit ticker(const watch_options& o) : o_(o) {}
  void show(const std::string& line) {
    if (o_.quiet || line == last_) return;
    last_ = line;
    if (o_.terminal) o_.out << "\r\x1b[2K" << line << std::flush;
    else o_.out << line << std::endl;
  }
  void end() {
    if (!o_.quiet && o_.terminal && !last_.empty()) o_.out << "\n";
  }

 private:
  const watch_options& o_;
  std::string last_;
};

}  // namespace

std::optional<json::value> watch_intent(const watch_options& o, std::uint64_t id) {
  patience p(o);
  ticker t(o);
  for (; !p.given_up(); pause(intent_look)) {
    auto v = p.ask("/api/v1/intents/" + std::to_string(id));
    if (!v) continue;
    const json::object& r = v->as_object();
    std::string state = word(r, "state"), step = word(r, "step");
    if (state == "done" || state == "failed") {
      t.end();
      return v;
    }
    if (!step.empty()) t.show(word(r, "verb") + ": " + step);
  }
  return std::nullopt;
}

int watch_backfill(const watch_options& o) {
  patience p(o);
  ticker t(o);
  clock::time_point begun = clock::now();
  std::int64_t first = -1;
  for (; !p.given_up(); pause(work_look)) {
    auto gates = p.ask("/api/v1/gates");
    auto v = gates ? p.ask("/api/v1/progress") : std::nullopt;
    if (!v) continue;
    progress all;
    std::size_t verified = 0;
    for (const json::value& row : v->as_array()) {
      const json::object& r = row.as_object();
      verified += word(r, "state") == "verified";
      all.rows_done += number(r, "rows_done");
      all.rows_total += number(r, "rows_total");
      all.bytes_done += number(r, "bytes_done");
    }
    if (first < 0) first = all.rows_done;
    double seconds = std::chrono::duration<double>(clock::now() - begun).count();
    if (seconds > 1) all.rows_per_second = static_cast<double>(all.rows_done - first) / seconds;
    all.name = "backfill " + std::to_string(verified) + "/" + std::to_string(v->as_array().size()) + " tables";
    t.show(progress_line(all, o.terminal));
    for (const json::value& g : gates->at("gates").as_array())
      if (g.at("name") == "backfill_verified" && g.at("holds").as_bool()) {
        t.end();
        if (!o.quiet) o.out << "every table is verified\n";
        return done;
      }
  }
  t.end();
  return unreachable;
}

int watch_sweep(const watch_options& o) {
  patience p(o);
  ticker t(o);
  std::int64_t before = -1;   // the newest pass that had ended when we came
  for (; !p.given_up(); pause(work_look)) {
    auto v = p.ask("/api/v1/sweeps");
    if (!v) continue;
    const json::object* newest = nullptr;
    for (const json::value& row : v->as_array())
      if (!row.at("ended_at").is_null()) {
        newest = &row.as_object();
        break;
      }
    std::int64_t pass = newest ? number(*newest, "pass") : 0;
    if (before < 0) before = pass;
    if (!newest || pass <= before) {
      t.show("waiting for a full sweep");
      continue;
    }
    bool clean = newest->at("clean").is_bool() && newest->at("clean").get_bool();
    t.show("sweep " + std::to_string(pass) + ": " + std::to_string(number(*newest, "row_count")) + " rows in " +
           std::to_string(number(*newest, "leaves")) + " leaves, " + std::to_string(number(*newest, "differing")) + " differing, " +
           std::to_string(number(*newest, "repaired")) + " repaired" + (clean ? ", clean" : ", not clean: waiting for the next"));
    if (clean) {
      t.end();
      return done;
    }
  }
  t.end();
  return unreachable;
}

}  // namespace pgtandem::admin
