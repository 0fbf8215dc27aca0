#include "reconcile/reference_closure.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "reconcile/key_batch.hpp"
#include "reconcile/table_sql.hpp"

namespace pgtandem::reconcile {
namespace {

using database::connection;
using database::result;

constexpr int most_rounds = 50;          // of the closure: a chain of that many references
constexpr std::size_t most_rows = 5000;  // of all companions together

class closure {
 public:
  closure(workbench& w, const sql::table& t) : w_(w), t_(t) {}
  result<std::vector<companions>> run(const std::vector<cells>& rows, const std::vector<cells>& removed);

 private:
  struct fresh {
    std::vector<cells> rows, gone;
  };
  using round = std::map<const sql::table*, fresh>;
  result<void> follow_parents(const sql::table& child, const std::vector<cells>& rows, round& next);
  result<void> follow_children(const sql::table& parent, const std::vector<cells>& gone, round& next);
  result<std::vector<cells>> keys_by(connection& c, const sql::table& t, const std::vector<std::string>& columns,
                                     const std::vector<cells>& values, std::set<std::size_t>* found);
  result<void> take(const sql::table& t, const std::vector<cells>& keys, round& next);

  workbench& w_;
  const sql::table& t_;
  std::map<const sql::table*, std::set<cells>> known_;
};

// The values of `columns` in the rows, without NULLs and each once; nothing if a column is not copied.
std::vector<cells> values_of(const sql::table& t, const std::vector<std::string>& columns,
                             const std::vector<cells>& rows) {
  std::vector<std::size_t> at;
  const auto copied = copied_columns(t);
  for (std::size_t i = 0; i < copied.size(); ++i)
    for (std::size_t c = 0; c < columns.size(); ++c)
      if (t.columns[copied[i]].name == columns[c]) at.resize(columns.size(), copied.size()), at[c] = i;
  if (at.empty() || std::ranges::find(at, copied.size()) != at.end()) return {};
  std::set<cells> out;
  for (const cells& row : rows) {
    cells value;
    for (const std::size_t i : at) value.push_back(row[i]);
    if (std::ranges::find(value, cell()) == value.end()) out.insert(std::move(value));
  }
  return {out.begin(), out.end()};
}

result<std::vector<cells>> closure::keys_by(connection& c, const sql::table& t, const std::vector<std::string>& columns,
                                            const std::vector<cells>& values, std::set<std::size_t>* found) {
  auto r = c.execute(select_keys_by(t, columns) + " LIMIT " + std::to_string(most_rows + 1),
                     by_column(values, columns.size()));
  if (!r) return r.error();
  std::vector<cells> out;
  for (int i = 0; i < r->size(); ++i) {
    out.push_back(cells_of(*r, i, 1, r->columns() - 1));
    if (found) found->insert(static_cast<std::size_t>(r->integer(i, 0) - 1));
  }
  return out;
}

// Keys that take part from now on, as the primary has them.
result<void> closure::take(const sql::table& t, const std::vector<cells>& keys, round& next) {
  std::vector<cells> more;
  for (const cells& key : keys)
    if (known_[&t].insert(key).second) more.push_back(key);
  if (more.empty()) return {};
  auto images = read_images(w_.primary, t, more, row_lock::share);
  if (!images) return images.error();
  fresh& to = next[&t];
  for (std::size_t i = 0; i < more.size(); ++i) {
    const auto image = images->find(i);
    if (image == images->end())
      to.gone.push_back(more[i]);
    else
      to.rows.push_back(image->second.values);
  }
  return {};
}

result<void> closure::follow_parents(const sql::table& child, const std::vector<cells>& rows, round& next) {
  if (rows.empty()) return {};
  for (const auto& [id, parent] : w_.catalog.by_oid)
    for (const sql::reference& ref : parent->referenced_by) {
      if (ref.child != child.id || parent->key.empty()) continue;
      const auto values = values_of(child, ref.child_columns, rows);
      if (values.empty()) continue;
      std::set<std::size_t> there;
      if (auto r = keys_by(w_.secondary, *parent, ref.parent_columns, values, &there); !r) return r.error();
      std::vector<cells> missing;
      for (std::size_t i = 0; i < values.size(); ++i)
        if (!there.contains(i)) missing.push_back(values[i]);
      if (missing.empty()) continue;
      auto keys = keys_by(w_.primary, *parent, ref.parent_columns, missing, nullptr);
      if (!keys) return keys.error();
      if (auto r = take(*parent, *keys, next); !r) return r;
    }
  return {};
}

result<void> closure::follow_children(const sql::table& parent, const std::vector<cells>& gone, round& next) {
  if (gone.empty()) return {};
  for (const sql::reference& ref : parent.referenced_by) {
    const sql::table* child = w_.catalog.find(ref.child);
    if (!child || child->key.empty()) continue;
    auto r = w_.secondary.execute(select_by_key(parent, ref.parent_columns), by_column(gone, parent.key.size()));
    if (!r) return r.error();
    std::vector<cells> values;
    for (int i = 0; i < r->size(); ++i) values.push_back(cells_of(*r, i, 1, r->columns() - 1));
    if (values.empty()) continue;
    auto keys = keys_by(w_.secondary, *child, ref.child_columns, values, nullptr);
    if (!keys) return keys.error();
    if (auto taken = take(*child, *keys, next); !taken) return taken;
  }
  return {};
}

result<std::vector<companions>> closure::run(const std::vector<cells>& rows, const std::vector<cells>& removed) {
  for (const cells& row : rows) known_[&t_].insert(key_of(t_, row));
  known_[&t_].insert(removed.begin(), removed.end());
  std::map<const sql::table*, companions> all;
  std::size_t taken = 0;
  round now{{&t_, {rows, removed}}};
  for (int n = 0; !now.empty(); ++n) {
    round next;
    for (const auto& [table, what] : now) {
      if (auto r = follow_parents(*table, what.rows, next); !r) return r.error();
      if (auto r = follow_children(*table, what.gone, next); !r) return r.error();
    }
    for (const auto& [table, what] : next) {
      companions& c = all.try_emplace(table, companions{table, {}, {}}).first->second;
      c.rows.insert(c.rows.end(), what.rows.begin(), what.rows.end());
      c.gone.insert(c.gone.end(), what.gone.begin(), what.gone.end());
      taken += what.rows.size() + what.gone.size();
    }
    if (n >= most_rounds || taken > most_rows) return std::vector<companions>();
    now = std::move(next);
  }
  std::vector<companions> out;
  for (auto& [table, c] : all) out.push_back(std::move(c));
  return out;
}

}  // namespace

result<std::vector<companions>> close_over_references(workbench& w, const sql::table& t, const std::vector<cells>& rows,
                                                      const std::vector<cells>& removed) {
  return closure(w, t).run(rows, removed);
}

}  // namespace pgtandem::reconcile
