#include "proxy/apply/effects.hpp"

#include <algorithm>
#include <map>

#include "proxy/apply/secondary_tables.hpp"

namespace pgtandem::apply {

namespace {

using fields = std::vector<session::field>;

constexpr std::size_t image_header = 2;  // tableoid, ddl_version

std::size_t image_width(const sql::table& t) {
  return static_cast<std::size_t>(std::ranges::count(t.columns, false, &sql::column::generated));
}

bool key_complete(const sql::table& t, const fields& row) {
  std::size_t field = 0;
  for (std::uint16_t c = 0; c < t.columns.size(); ++c) {
    if (t.columns[c].generated) continue;
    if (std::ranges::find(t.key, c) != t.key.end() && !row[field]) return false;
    ++field;
  }
  return true;
}

// One array per column of `rows`; `only`: positions of the columns, empty = all.
std::vector<std::string> as_arrays(std::span<const fields* const> rows, const std::vector<std::uint16_t>& positions) {
  std::vector<std::string> arrays;
  arrays.reserve(positions.size());
  for (std::uint16_t p : positions) {
    array_literal a;
    for (const fields* row : rows) a.add_field((*row)[p]);
    arrays.push_back(a.take());
  }
  return arrays;
}

std::vector<std::uint16_t> all_positions(const table_sql& s) {
  std::vector<std::uint16_t> positions(s.columns.size());
  for (std::uint16_t i = 0; i < positions.size(); ++i) positions[i] = i;
  return positions;
}

void append_upserts(const table_sql& s, std::span<const fields* const> rows, std::vector<statement>& out) {
  const auto arrays = as_arrays(rows, all_positions(s));
  for (const sql_text_ptr& text : s.upsert) out.push_back({text, arrays});
}

void append_removes(const table_sql& s, std::span<const fields* const> rows, std::vector<statement>& out) {
  out.push_back({s.remove, as_arrays(rows, s.key_fields)});
}

// TRUNCATE of all tables of the group that starts at rows[i]; returns the index of the last of them.
std::size_t append_truncate(const parsed_op& p, std::size_t i, std::vector<statement>& out) {
  const session::effect& first = *p.rows[i].effect;
  std::string sql = "TRUNCATE " + first.table->qualified;
  while (first.group != 0 && i + 1 < p.rows.size() && p.rows[i + 1].effect->kind == session::effect_kind::truncate &&
         p.rows[i + 1].effect->group == first.group)
    sql += ", " + p.rows[++i].effect->table->qualified;
  if (first.length != 0) sql += " RESTART IDENTITY";
  out.push_back({std::make_shared<sql_text>(sql_text{0, std::move(sql)}), {}});
  return i;
}

void append_in_order(const parsed_op& p, table_sql_cache& texts, std::vector<statement>& out) {
  for (std::size_t i = 0; i < p.rows.size(); ++i) {
    const session::effect& e = *p.rows[i].effect;
    if (e.kind == session::effect_kind::truncate) {
      i = append_truncate(p, i, out);
      continue;
    }
    const fields* row = &p.rows[i].fields;
    if (e.kind == session::effect_kind::upsert)
      append_upserts(texts.of(e.table), {&row, 1}, out);
    else
      append_removes(texts.of(e.table), {&row, 1}, out);
  }
}

// The last image per key of all coalesced ops, by table.
struct pile {
  std::shared_ptr<const sql::table> table;
  std::map<fields, std::pair<session::effect_kind, fields>> last;  // by key, so that the order is always the same
  std::vector<fields> keyless;                                     // rows of a table without key: all are kept
};

void add_to_pile(pile& p, const table_sql& s, session::effect_kind kind, fields&& row) {
  if (s.key_fields.empty()) {
    p.keyless.push_back(std::move(row));
    return;
  }
  fields key;
  for (std::uint16_t k : s.key_fields) key.push_back(row[k]);
  p.last[std::move(key)] = {kind, std::move(row)};
}

std::vector<const fields*> rows_of(const pile& p, session::effect_kind kind) {
  std::vector<const fields*> rows;
  for (const auto& [key, image] : p.last)
    if (image.first == kind) rows.push_back(&image.second);
  if (kind == session::effect_kind::upsert)
    for (const fields& f : p.keyless) rows.push_back(&f);
  return rows;
}

void append_piles(std::vector<pile>& piles, table_sql_cache& texts, std::vector<statement>& out) {
  std::ranges::sort(piles, {}, [](const pile& p) { return std::pair(p.table->fk_rank, p.table->id); });
  for (const pile& p : piles)
    if (const auto rows = rows_of(p, session::effect_kind::upsert); !rows.empty())
      append_upserts(texts.of(p.table), rows, out);
  for (auto p = piles.rbegin(); p != piles.rend(); ++p)
    if (const auto rows = rows_of(*p, session::effect_kind::remove); !rows.empty())
      append_removes(texts.of(p->table), rows, out);
}

bool replays(const parsed_op& p, secondary_tables& there) {
  return p.op->in_order ||
         std::ranges::any_of(p.rows, [](const auto& r) { return r.effect->kind == session::effect_kind::truncate; }) ||
         there.must_replay(p);
}

}  // namespace

std::optional<parsed_op> parse(const session::op& o) {
  parsed_op p;
  p.op = &o;
  p.rows.reserve(o.effects.size());
  for (const session::effect& e : o.effects) {
    parsed_op::row r;
    r.effect = &e;
    if (e.offset > o.images.size() || e.length > o.images.size() - e.offset) return std::nullopt;
    if (e.kind != session::effect_kind::truncate) {
      if (!session::parse_record(std::string_view(o.images).substr(e.offset, e.length), r.fields)) return std::nullopt;
      if (r.fields.size() != image_header + image_width(*e.table)) return std::nullopt;
      r.fields.erase(r.fields.begin(), r.fields.begin() + image_header);
      if (!key_complete(*e.table, r.fields)) return std::nullopt;
      if (e.kind == session::effect_kind::remove && e.table->key.empty()) return std::nullopt;
    }
    p.rows.push_back(std::move(r));
  }
  return p;
}

void append_effects(std::span<parsed_op> ops, table_sql_cache& texts, secondary_tables& there,
                    std::vector<statement>& out) {
  std::vector<pile> piles;
  std::map<const sql::table*, std::size_t> place;
  for (parsed_op& p : ops) {
    if (replays(p, there)) {
      append_in_order(p, texts, out);
      continue;
    }
    for (parsed_op::row& r : p.rows) {
      const auto [at, fresh] = place.try_emplace(r.effect->table.get(), piles.size());
      if (fresh) piles.push_back({r.effect->table, {}, {}});
      add_to_pile(piles[at->second], texts.of(r.effect->table), r.effect->kind, std::move(r.fields));
    }
  }
  append_piles(piles, texts, out);
}

const char* const ledger_insert =
    "INSERT INTO pgtandem.ledger (op_id, epoch, kind, boot, source_rev, index_hash, keys) SELECT u.i::uuid, "
    "u.e::integer, 'op', "
    "u.b::uuid, u.r::xid8, u.h, u.k::jsonb FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], "
    "$6::text[]) AS "
    "u(i, e, b, r, h, k)";

statement ledger_rows(std::span<const session::op* const> ops, const sql_text_ptr& text, secondary_tables& there) {
  array_literal ids, epochs, boots, revs, hashes, keys;
  for (const session::op* o : ops) {
    ids.add(o->op_id);
    epochs.add(std::to_string(o->epoch));
    o->boot.empty() ? boots.add_null() : boots.add(o->boot);
    o->source_rev.empty() ? revs.add_null() : revs.add(o->source_rev);
    const auto hash = there.index_hash(*o);
    hash ? hashes.add(*hash) : hashes.add_null();
    keys.add(o->keys.empty() ? std::string_view("[]") : std::string_view(o->keys));
  }
  return {text, {ids.take(), epochs.take(), boots.take(), revs.take(), hashes.take(), keys.take()}};
}

void array_literal::add_field(const session::field& value) {
  if (value)
    add(*value);
  else
    add_null();
}

void array_literal::add(std::string_view value) {
  text_ += text_.empty() ? "{\"" : ",\"";
  for (char c : value) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void array_literal::add_null() { text_ += text_.empty() ? "{NULL" : ",NULL"; }

std::string array_literal::take() { return text_.empty() ? "{}" : std::move(text_) + "}"; }

}  // namespace pgtandem::apply
