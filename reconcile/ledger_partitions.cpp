#include "reconcile/ledger_partitions.hpp"

#include <charconv>

namespace pgtandem::reconcile {
namespace {

constexpr int most_rebuilds = 8;  // of one query; partitions come and go only with flips

const std::string list_query =
    "(SELECT string_agg(substr(c.relname, 8) || CASE WHEN c.relispartition THEN ':t' ELSE ':f' END, ',' ORDER BY c.oid)"
    " FROM pg_class c WHERE c.relnamespace = 'pgtandem'::regnamespace AND c.relkind = 'r'"
    " AND c.relname ~ '^ledger_[0-9]+$')";

std::string all_rows(const std::vector<ledger_partition>& partitions) {
  const std::string columns = "SELECT tableoid, op_id, epoch, kind, boot, source_rev, target_rev, keys, settled FROM ";
  if (partitions.empty()) return columns + "pgtandem.ledger WHERE false";
  std::string out;
  for (const ledger_partition& p : partitions) out += (out.empty() ? "" : " UNION ALL ") + columns + p.name();
  return out;
}

}  // namespace

std::vector<ledger_partition> parse_partitions(std::string_view list) {
  std::vector<ledger_partition> out;
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    ledger_partition p;
    const auto [end, wrong] = std::from_chars(item.data(), item.data() + item.size(), p.epoch);
    if (wrong != std::errc() || end == item.data()) continue;
    p.attached = item.ends_with(":t");
    out.push_back(p);
  }
  return out;
}

std::vector<std::int32_t> ledger_partitions::attached_epochs() const {
  std::vector<std::int32_t> out;
  for (const ledger_partition& p : known_)
    if (p.attached) out.push_back(p.epoch);
  return out;
}

database::result<database::rows> ledger_partitions::query(database::connection& secondary, const std::string& columns,
                                                          const std::string& tail,
                                                          std::span<const database::param> parameters) {
  database::error last("40001", "the ledger's partitions keep changing");
  for (int i = 0; i < most_rebuilds; ++i) {
    const std::string sql =
        "SELECT h.xmin, u.*, h.list FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin, " + list_query +
        " AS list) h LEFT JOIN (SELECT " + columns + " FROM (" + all_rows(known_) + ") l " + tail + ") u ON true";
    auto r = secondary.execute(sql, parameters);
    if (!r) {
      // 42P01: a partition was dropped; 55000 and the like are the caller's.
      if (r.error().sqlstate != "42P01" || known_.empty()) return r;
      last = r.error();
      known_.clear();
      continue;
    }
    auto seen = parse_partitions(r->at(0, r->columns() - 1));
    if (seen == known_) return r;
    known_ = std::move(seen);
  }
  return last;
}

}  // namespace pgtandem::reconcile
