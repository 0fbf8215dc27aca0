#include "reconcile/keyless_sync.hpp"

#include <map>

#include "reconcile/doubt_json.hpp"
#include "reconcile/horizon.hpp"
#include "reconcile/key_batch.hpp"
#include "reconcile/row_hash.hpp"
#include "reconcile/row_images.hpp"
#include "reconcile/transaction_guard.hpp"

namespace pgtandem::reconcile {
namespace {

using database::result;

std::string with_hash(const sql::table& t, const std::string& columns) {
  return "SELECT " + row_hash(t, "t") + ", " + columns + " FROM " + rows_of(t) + " t WHERE " + row_hash(t, "t") +
         " = ANY($1::bigint[])";
}

result<std::multimap<std::string, row_version>> versions(database::connection& c, const sql::table& t,
                                                         const std::string& hashes) {
  auto r = c.execute(with_hash(t, "t.tableoid, t.ctid, t.xmin"), {hashes});
  if (!r) return r.error();
  std::multimap<std::string, row_version> out;
  for (int i = 0; i < r->size(); ++i)
    out.emplace(r->at(i, 0), row_version{std::string(r->at(i, 1)), std::string(r->at(i, 2)), std::string(r->at(i, 3))});
  return out;
}

result<std::multimap<std::string, cells>> images(database::connection& c, const sql::table& t,
                                                 const std::string& hashes) {
  auto r = c.execute(with_hash(t, column_list(t, "t")), {hashes});
  if (!r) return r.error();
  std::multimap<std::string, cells> out;
  for (int i = 0; i < r->size(); ++i) out.emplace(r->at(i, 0), cells_of(*r, i, 1, r->columns() - 1));
  return out;
}

result<void> begin_as_op(workbench& w, const sql::table& t, transaction_guard& secondary) {
  auto id = w.primary.run("SELECT pg_current_xact_id(), (SELECT token FROM pgtandem.boot)");
  if (!id) return id.error();
  if (auto r = secondary.begin("BEGIN; SET CONSTRAINTS ALL DEFERRED"); !r) return r;
  const database::param boot = id->null(0, 1) ? database::param() : database::param(std::string(id->at(0, 1)));
  auto r = w.secondary.execute(
      "INSERT INTO pgtandem.ledger (op_id, epoch, kind, boot, source_rev, keys)"
      " VALUES (gen_random_uuid(), $1::int, 'sync', $2::uuid, $3::xid8, $4::jsonb)",
      {std::to_string(w.epoch), boot, std::string(id->at(0, 0)), to_json({{t.qualified, {}, {}, true}})});
  if (!r) return r.error();
  return {};
}

}  // namespace

result<sync_outcome> sync_keyless(workbench& w, const sql::table& t, const std::vector<difference>& differences,
                                  const std::vector<std::int64_t>& seqs) {
  sync_outcome out;
  array_writer list;
  for (const difference& d : differences) list.add(std::string_view(std::to_string(d.hash)));
  const std::string hashes = list.take();

  auto before = versions(w.secondary, t, hashes);
  if (!before) return before.error();
  auto passed = wait_for_horizon(w.watcher, w.secondary, w.partitions, w.horizon_limit);
  if (!passed) return passed.error();
  if (!*passed) {
    out.horizon_missed = true;
    return out;
  }
  transaction_guard primary(w.primary), secondary(w.secondary);
  if (auto r = primary.begin(); !r) return r.error();
  auto wanted = images(w.primary, t, hashes);
  if (!wanted) return wanted.error();
  if (auto r = begin_as_op(w, t, secondary); !r) return r.error();
  // A second look: what live ops have inserted since must not be inserted again.
  auto now = versions(w.secondary, t, hashes);
  if (!now) return now.error();

  std::vector<cells> missing, surplus;
  for (const difference& d : differences) {
    const std::string hash = std::to_string(d.hash);
    auto [image, images_end] = wanted->equal_range(hash);
    auto [version, versions_end] = before->equal_range(hash);
    for (auto n = static_cast<std::int64_t>(wanted->count(hash)) - static_cast<std::int64_t>(now->count(hash));
         n > 0 && image != images_end; --n, ++image)
      missing.push_back(image->second);
    for (auto n = static_cast<std::int64_t>(before->count(hash)) - static_cast<std::int64_t>(wanted->count(hash));
         n > 0 && version != versions_end; --n, ++version)
      surplus.push_back({version->second.tableoid, version->second.ctid, version->second.xmin});
  }
  if (!missing.empty())
    if (auto r = w.secondary.execute(plain_insert(t), by_column(missing, copied_columns(t).size())); !r)
      return r.error();
  if (!surplus.empty())
    if (auto r = w.secondary.execute(delete_versions(t), by_column(surplus, 3)); !r) return r.error();
  out.written = static_cast<std::int64_t>(missing.size());
  out.removed = static_cast<std::int64_t>(surplus.size());
  if (auto r = secondary.commit(); !r) return r.error();

  array_writer ended;
  for (const std::int64_t s : seqs) ended.add(std::string_view(std::to_string(s)));
  if (auto r = w.primary.execute("DELETE FROM pgtandem.dirty WHERE seq = ANY($1::bigint[])", {ended.take()}); !r)
    return r.error();
  if (auto r = primary.commit(); !r) return r.error();
  return out;
}

}  // namespace pgtandem::reconcile
