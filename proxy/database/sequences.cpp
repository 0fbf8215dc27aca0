#include "proxy/database/sequences.hpp"

#include <algorithm>
#include <map>

#include "proxy/database/catalog_loader.hpp"

namespace pgtandem::database {

namespace {

constexpr std::size_t per_statement = 500;  // sequences read or set with one statement

struct listed {
  std::string oid, plain;
  sequence facts;
};

result<std::vector<listed>> list_sequences(connection& c) {
  auto r = c.execute(
      "SELECT c.oid, n.nspname || '.' || c.relname, format('%I.%I', n.nspname, c.relname), s.seqincrement, s.seqmin, "
      "s.seqmax,"
      " s.seqcache, s.seqcycle FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid"
      " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relpersistence <> 't' AND n.nspname <> "
      "'pgtandem'"
      " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 3");
  if (!r) return r.error();
  std::vector<listed> all;
  for (int i = 0; i < r->size(); ++i) {
    listed l{std::string(r->at(i, 0)), std::string(r->at(i, 1)), {}};
    l.facts.qualified = r->at(i, 2);
    l.facts.increment = r->integer(i, 3);
    l.facts.minimum = r->integer(i, 4);
    l.facts.maximum = r->integer(i, 5);
    l.facts.cache = r->integer(i, 6);
    l.facts.cycles = r->boolean(i, 7);
    all.push_back(std::move(l));
  }
  return all;
}

// Reads last_value and is_called of a stretch of `all`: there is no catalog that has both.
result<void> read_positions(connection& c, std::span<sequence> stretch) {
  std::string sql;
  for (std::size_t i = 0; i < stretch.size(); ++i)
    sql += (i ? " UNION ALL " : "") + ("SELECT " + std::to_string(i) + ", last_value, is_called FROM ") +
           stretch[i].qualified;
  auto r = c.execute(sql);
  if (!r) return r.error();
  for (int i = 0; i < r->size(); ++i) {
    sequence& s = stretch[static_cast<std::size_t>(r->integer(i, 0))];
    s.last_value = r->integer(i, 1);
    s.is_called = r->boolean(i, 2);
  }
  return {};
}

struct position {
  std::int64_t value;
  bool called;
};

position wanted(const sequence& from, std::int64_t headroom) {
  const std::int64_t ahead = from.cycles ? from.last_value : position_ahead(from, headroom);
  return {ahead, ahead != from.last_value || from.is_called};
}

bool stands_at(const sequence& here, position want) {
  return here.last_value == want.value && here.is_called == want.called;
}

// Does `here` stand at `want` or further?
bool stands_ahead(const sequence& here, const sequence& from, position want) {
  if (from.cycles) return stands_at(here, want);
  if (here.last_value == want.value) return here.is_called || !want.called;
  return from.increment > 0 ? here.last_value > want.value : here.last_value < want.value;
}

result<std::map<std::string, sequence>> by_name(connection& c) {
  auto all = read_sequences(c);
  if (!all) return all.error();
  std::map<std::string, sequence> named;
  for (sequence& s : *all) named.emplace(s.qualified, std::move(s));
  return named;
}

// The same as a condition on the sequence's own row: asked again by the statement that moves it.
std::string behind_condition(const sequence& from, position want) {
  const std::string value = std::to_string(want.value);
  if (from.cycles) return "(last_value, is_called) <> (" + value + ", " + (want.called ? "true)" : "false)");
  return std::string("last_value ") + (from.increment > 0 ? "< " : "> ") + value +
         (want.called ? " OR last_value = " + value + " AND NOT is_called" : "");
}

struct move {
  const sequence* from;
  position want;
};

std::string setval_call(const move& m) {
  return "pg_catalog.setval(" + connection::quote_literal(m.from->qualified) + "::regclass, " +
         std::to_string(m.want.value) + ", " + (m.want.called ? "true)" : "false)");
}

std::string plain_statement(std::span<const move> moves) {
  std::string sql;
  for (const move& m : moves) sql += (sql.empty() ? "SELECT " : " UNION ALL SELECT ") + setval_call(m);
  return sql;
}

// The row's lock is what a flip's UPDATE of it waits for, and one that is locked for an UPDATE is as good as changed.
std::string guarded_statement(std::span<const move> moves, std::int32_t epoch) {
  std::string sql = "WITH here AS (SELECT FROM pgtandem.migration WHERE epoch = " + std::to_string(epoch) +
                    " AND step = 'steady' FOR SHARE SKIP LOCKED)";
  for (std::size_t i = 0; i < moves.size(); ++i)
    sql += (i ? " UNION ALL SELECT " : " SELECT ") + setval_call(moves[i]) + " FROM here, " + moves[i].from->qualified +
           " WHERE " + behind_condition(*moves[i].from, moves[i].want);
  return sql;
}

struct planned {
  std::vector<move> moves;
  advance_report report;
};

// What has to move here to stand where it is wanted, unless it stands `well`.
template <class F>
result<planned> plan(connection& c, const std::vector<sequence>& from, std::int64_t headroom, F&& well) {
  auto here = by_name(c);
  if (!here) return here.error();
  planned p;
  for (const sequence& s : from) {
    const auto found = here->find(s.qualified);
    const position want = wanted(s, headroom);
    if (found == here->end()) p.report.missing.push_back(s.qualified);
    else if (well(found->second, s, want)) ++p.report.left_alone;
    else p.moves.push_back({&s, want});
  }
  return p;
}

template <class F>
result<advance_report> carry_out(connection& c, planned p, F&& statement) {
  for (std::size_t i = 0; i < p.moves.size(); i += per_statement) {
    auto r = c.execute(statement(std::span(p.moves).subspan(i, std::min(per_statement, p.moves.size() - i))));
    if (!r) return r.error();
    p.report.moved += static_cast<std::uint32_t>(r->size());
  }
  return std::move(p.report);
}

}  // namespace

result<std::vector<sequence>> read_sequences(connection& c, const std::vector<std::string>& exclude) {
  auto all = list_sequences(c);
  if (!all) return all.error();
  std::vector<sequence> kept;
  for (listed& l : *all)
    if (std::ranges::none_of(exclude, [&](const std::string& g) { return glob_matches(g, l.plain); }))
      kept.push_back(std::move(l.facts));
  for (std::size_t i = 0; i < kept.size(); i += per_statement) {
    const std::size_t n = std::min(per_statement, kept.size() - i);
    if (auto r = read_positions(c, std::span(kept).subspan(i, n)); !r) return r.error();
  }
  return kept;
}

std::int64_t position_ahead(const sequence& s, std::int64_t headroom) {
  // Modulo 2^64: the room between two positions of one sequence may be more than an int64 holds.
  const auto last = static_cast<std::uint64_t>(s.last_value), by = static_cast<std::uint64_t>(s.increment);
  const bool up = s.increment > 0;
  if (s.increment == 0 || (up ? s.last_value > s.maximum : s.last_value < s.minimum)) return s.last_value;
  const std::uint64_t room =
      up ? static_cast<std::uint64_t>(s.maximum) - last : last - static_cast<std::uint64_t>(s.minimum);
  const std::uint64_t left = room / (up ? by : 0 - by);
  const std::uint64_t calls = std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(headroom, 0)),
                                       left / headroom_share);
  return static_cast<std::int64_t>(last + by * calls);
}

result<advance_report> advance_sequences(connection& c, const std::vector<sequence>& from, std::int64_t headroom) {
  auto p = plan(c, from, headroom, stands_ahead);
  if (!p) return p.error();
  return carry_out(c, std::move(*p), plain_statement);
}

result<advance_report> advance_while_following(connection& c, const std::vector<sequence>& from, std::int64_t headroom,
                                               std::int32_t epoch) {
  auto p = plan(c, from, headroom, stands_ahead);
  if (!p) return p.error();
  return carry_out(c, std::move(*p), [&](std::span<const move> moves) { return guarded_statement(moves, epoch); });
}

result<advance_report> set_sequences(connection& c, const std::vector<sequence>& from, std::int64_t headroom) {
  auto p = plan(c, from, headroom,
                [](const sequence& here, const sequence&, position want) { return stands_at(here, want); });
  if (!p) return p.error();
  return carry_out(c, std::move(*p), plain_statement);
}

result<std::vector<std::string>> sequences_behind(connection& c, const std::vector<sequence>& from) {
  auto here = by_name(c);
  if (!here) return here.error();
  std::vector<std::string> behind;
  for (const sequence& s : from) {
    const auto found = here->find(s.qualified);
    if (found == here->end() || !stands_ahead(found->second, s, wanted(s, 0))) behind.push_back(s.qualified);
  }
  return behind;
}

}  // namespace pgtandem::database
