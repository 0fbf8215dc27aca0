#include "reconcile/sweep_pass.hpp"

#include <algorithm>
#include <set>

#include "proxy/telemetry/log.hpp"
#include "reconcile/backfill_order.hpp"
#include "reconcile/doubts.hpp"
#include "reconcile/key_batch.hpp"
#include "reconcile/row_hash.hpp"
#include "reconcile/table_sql.hpp"

namespace pgtandem::reconcile {
namespace {

using database::connection;
using database::result;
using std::chrono::milliseconds;
namespace log = telemetry::log;

constexpr int come_back_max = 200;                          // later pairs for what is set aside
constexpr milliseconds first_pause{2}, longest_pause{250};  // between them
constexpr int pair_tries_max = 5;                           // in a row, because of locks or too much doubt
constexpr std::size_t set_aside_max = 100000;  // keys of one table; beyond it the table is compared again as a whole

// key position -> row hash
result<std::map<std::size_t, std::int64_t>> hashes_by_key(connection& c, const sql::table& t,
                                                          const std::vector<cells>& keys) {
  auto r = c.execute(select_list_by_key(t, row_hash(t, "t")), by_column(keys, t.key.size()));
  if (!r) return r.error();
  std::map<std::size_t, std::int64_t> out;
  for (int i = 0; i < r->size(); ++i) out[static_cast<std::size_t>(r->integer(i, 0) - 1)] = r->integer(i, 1);
  return out;
}

struct hash_rows {
  std::int64_t count = 0;
  std::vector<std::string> xmins;
};
result<std::map<std::int64_t, hash_rows>> rows_by_hash(connection& c, const sql::table& t,
                                                       const std::vector<std::int64_t>& hashes) {
  array_writer list;
  for (const std::int64_t h : hashes) list.add(std::string_view(std::to_string(h)));
  const std::string hash = row_hash(t, "t");
  auto r = c.execute("SELECT " + hash + ", t.xmin FROM " + rows_of(t) + " t WHERE " + hash + " = ANY($1::bigint[])",
                     {list.take()});
  if (!r) return r.error();
  std::map<std::int64_t, hash_rows> out;
  for (int i = 0; i < r->size(); ++i) {
    hash_rows& rows = out[r->integer(i, 0)];
    ++rows.count;
    rows.xmins.emplace_back(r->at(i, 1));
  }
  return out;
}

}  // namespace

sweep_pass::sweep_pass(const config::settings& s, const standing& at, const sql::catalog& catalog,
                       pair_sessions sessions, block_watch& watch, const stop_bell& stop)
    : settings_(s), at_(at), catalog_(catalog), sessions_(sessions), watch_(watch), stop_(stop), pair_(sessions) {}

bool sweep_pass::given_up() const { return bool(stop_) || watch_.tripped(); }

result<pass_tally> sweep_pass::run(const std::function<bool(const std::string&)>& backfilled) {
  for (const sql::table* t : followed_tables(catalog_)) {
    if (stop_) return tally_;
    ++tally_.tables;
    if (!backfilled(t->qualified)) {
      ++tally_.skipped;
      continue;
    }
    if (auto r = sweep_table(*t); !r) {
      if (r.error().lost) return r.error();
      if (stop_) return tally_;
      log::warning("a table cannot be swept",
                   {{"relation", t->qualified}, {"sqlstate", r.error().sqlstate}, {"why", r.error().message}});
      pair_.end();
      ++tally_.skipped;
    }
  }
  if (auto r = come_back(); !r) return r.error();
  pair_.end();
  tally_.finished = !stop_;
  return tally_;
}

// A pair that is young enough and nobody waits for. false: told to stop.
result<bool> sweep_pass::fresh_pair() {
  const auto limit = std::chrono::seconds(settings_.reconcile.sweep_pair_seconds);
  if (pair_.open() && !watch_.tripped() && pair_.age() < limit) return true;
  for (int i = 0; !stop_; ++i) {
    pair_.end();
    watch_.reset();
    auto r = pair_.begin();
    if (r) return true;
    pair_.end();
    if (r.error().lost || i >= pair_tries_max) return r.error();
    stop_.rest(longest_pause);
  }
  return false;
}

result<void> sweep_pass::sweep_table(const sql::table& t) {
  for (int attempt = 0;; ++attempt) {
    auto ready = fresh_pair();
    if (!ready) return ready.error();
    if (!*ready) return {};
    compare_options o;
    o.leaf_rows = settings_.reconcile.sweep_leaf_rows;
    o.stop = [this] { return given_up(); };
    auto compared = compare_table(pair_.primary(), pair_.secondary(), t, o);
    auto left = compared ? pair_.left_the_pair(t.qualified) : result<bool>(false);
    const bool again = watch_.tripped() || (compared && (!left || *left));
    if (again && attempt < pair_tries_max &&
        !stop_) {  // somebody waited for us, or the table was rewritten: another pair
      pair_.end();
      continue;
    }
    if (!compared) return compared.error();
    if (again || !compared->complete) ++tally_.skipped;
    if (again) return {};
    tally_.leaves += compared->leaves;
    tally_.rows += compared->rows;
    left_over later;
    if (auto r = sort_out(t, compared->differences, later); !r) return r;
    tally_.set_aside += static_cast<std::int64_t>(later.keys.size() + later.hashes.size() + later.whole);
    if (!later.empty()) later_[&t] = std::move(later);
    return {};
  }
}

// Differences in doubt are set aside; the others are real.
result<void> sweep_pass::sort_out(const sql::table& t, const std::vector<difference>& found, left_over& later) {
  if (found.empty()) return {};
  const doubt_set& d = pair_.doubts();
  if (t.key.empty() ? d.dirty_whole(t.qualified) : d.names_whole(t.qualified)) {
    later.whole = true;
    return {};
  }
  auto scoped = in_scope_of_doubt(t, found);
  if (!scoped) return scoped.error();
  std::vector<difference> real;
  for (const difference& x : found) {
    if (t.key.empty()) {
      // Rows that the secondary has more must all be of ops that s does not see.
      const std::int64_t more = x.secondary_count - x.primary_count;
      const bool explained = more > 0 && d.explained(t.qualified, x.secondary_xmins) >= more;
      if (explained)
        later.hashes.push_back(x.hash);
      else
        real.push_back(x);
    } else if (d.names_key(t.qualified, x.key) || scoped->contains(x.key)) {
      later.keys.push_back(x.key);
    } else {
      real.push_back(x);
    }
  }
  if (later.keys.size() + later.hashes.size() > set_aside_max) later = {{}, {}, true};
  return confirm(t, real);
}

// Keys whose row, on either side, has a foreign-key value that a cascade in doubt may have touched.
result<std::set<cells>> sweep_pass::in_scope_of_doubt(const sql::table& t, const std::vector<difference>& found) {
  std::set<cells> out;
  if (t.key.empty()) return out;
  std::vector<cells> keys;
  for (const difference& x : found) keys.push_back(x.key);
  for (const doubt_set::scope& s : pair_.doubts().scopes(t.qualified))
    for (connection* c : {&pair_.primary(), &pair_.secondary()}) {
      auto r = c->execute(select_by_key(t, s.columns), by_column(keys, t.key.size()));
      if (!r) return r.error();
      for (int i = 0; i < r->size(); ++i)
        if (s.values.contains(cells_of(*r, i, 1, static_cast<int>(s.columns.size()))))
          out.insert(keys[static_cast<std::size_t>(r->integer(i, 0) - 1)]);
    }
  return out;
}

result<void> sweep_pass::confirm(const sql::table& t, const std::vector<difference>& real) {
  if (real.empty()) return {};
  std::vector<doubt> doubts;
  for (const difference& x : real)
    if (!t.key.empty()) doubts.push_back({t.qualified, x.key, {}, false});
  if (t.key.empty()) doubts.push_back({t.qualified, {}, {}, true});
  tally_.differing += static_cast<std::int64_t>(real.size());
  log::warning("drift found", {{"relation", t.qualified}, {"rows", real.size()}, {"checksum_ok", false}});
  auto marked = mark_doubts(sessions_.primary_plain, at_, doubts, "sweep");
  if (!marked) return marked.error();
  tally_.repaired += *marked ? static_cast<std::int64_t>(real.size()) : 0;
  return {};
}

// What was set aside, in later pairs: each is short, so that an op is seldom between s and f.
result<void> sweep_pass::come_back() {
  milliseconds pause = first_pause;
  for (int i = 0; i < come_back_max && !later_.empty() && !stop_; ++i) {
    pair_.end();
    stop_.rest(pause);
    pause = std::min(longest_pause, pause + first_pause);
    auto ready = fresh_pair();
    if (!ready) return ready.error();
    if (!*ready) return {};
    std::map<const sql::table*, left_over> still;
    for (auto& [t, what] : later_) {
      bool whole_again = false;
      auto found = compare_again(*t, what, whole_again);
      left_over next;
      if (!found) {
        if (found.error().lost) return found.error();
        next = what;
      } else if (whole_again) {
        next.whole = true;
      } else if (auto r = sort_out(*t, *found, next); !r) {
        return r;
      }
      if (!next.empty()) still[t] = std::move(next);
    }
    later_ = std::move(still);
  }
  for (const auto& [t, what] : later_) {
    const std::size_t left = what.keys.size() + what.hashes.size() + what.whole;
    tally_.skipped += static_cast<std::int64_t>(left);
    log::info("still in doubt at the end of a pass", {{"relation", t->qualified}, {"rows", left}});
  }
  return {};
}

result<std::vector<difference>> sweep_pass::compare_again(const sql::table& t, const left_over& what,
                                                          bool& whole_again) {
  std::vector<difference> out;
  if (what.whole) {
    compare_options o;
    o.leaf_rows = settings_.reconcile.sweep_leaf_rows;
    o.stop = [this] { return given_up(); };
    auto compared = compare_table(pair_.primary(), pair_.secondary(), t, o);
    if (!compared) return compared.error();
    whole_again = !compared->complete;
    return std::move(compared->differences);
  }
  if (!what.keys.empty()) {
    auto p = hashes_by_key(pair_.primary(), t, what.keys);
    if (!p) return p.error();
    auto s = hashes_by_key(pair_.secondary(), t, what.keys);
    if (!s) return s.error();
    for (std::size_t i = 0; i < what.keys.size(); ++i) {
      const auto a = p->find(i), b = s->find(i);
      const bool same = (a == p->end()) == (b == s->end()) && (a == p->end() || a->second == b->second);
      if (!same) out.push_back({what.keys[i], 0, a != p->end(), b != s->end(), {}});
    }
  }
  if (!what.hashes.empty()) {
    auto p = rows_by_hash(pair_.primary(), t, what.hashes);
    if (!p) return p.error();
    auto s = rows_by_hash(pair_.secondary(), t, what.hashes);
    if (!s) return s.error();
    for (const std::int64_t h : what.hashes)
      if ((*p)[h].count != (*s)[h].count) out.push_back({{}, h, (*p)[h].count, (*s)[h].count, (*s)[h].xmins});
  }
  return out;
}

}  // namespace pgtandem::reconcile
