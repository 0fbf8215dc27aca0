#include "reconcile/chunk_book.hpp"

namespace pgtandem::reconcile {

using database::param;
using database::result;

result<table_progress> read_progress(database::connection& secondary, const std::string& relation) {
  if (auto r =
          secondary.execute("DELETE FROM pgtandem.chunk WHERE relation = $1 AND n >= (SELECT min(n) FROM pgtandem.chunk"
                            " WHERE relation = $1 AND state = 'copied')",
                            {relation});
      !r)
    return r.error();
  auto r = secondary.execute(
      "SELECT n, hi, (SELECT sum(row_count) FROM pgtandem.chunk WHERE relation = $1),"
      " (SELECT sum(bytes) FROM pgtandem.chunk WHERE relation = $1)"
      " FROM pgtandem.chunk WHERE relation = $1 ORDER BY n DESC LIMIT 1",
      {relation});
  if (!r) return r.error();
  table_progress p;
  if (r->size() == 0) return p;
  p.next.n = static_cast<int>(r->integer(0, 0)) + 1;
  p.finished = r->null(0, 1);
  if (!p.finished) p.next.lo = parse_array(r->at(0, 1));
  p.rows_done = r->integer(0, 2);
  p.bytes_done = r->integer(0, 3);
  return p;
}

result<void> record_copied(database::connection& secondary, const std::string& relation, const chunk& c) {
  auto r = secondary.execute(
      "INSERT INTO pgtandem.chunk (relation, n, lo, hi, state, row_count, bytes) VALUES ($1, $2::int, $3::text[], "
      "$4::text[], 'copied',"
      " $5::bigint, $6::bigint)",
      {relation, std::to_string(c.n), c.lo ? param(to_array(*c.lo)) : param(), c.hi ? param(to_array(*c.hi)) : param(),
       std::to_string(c.rows), std::to_string(c.bytes)});
  if (!r) return r.error();
  return {};
}

result<void> record_verified(database::connection& secondary, const std::string& relation, int n) {
  auto r = secondary.execute("UPDATE pgtandem.chunk SET state = 'verified' WHERE relation = $1 AND n = $2::int",
                             {relation, std::to_string(n)});
  if (!r) return r.error();
  return {};
}

result<void> publish(database::connection& primary, const std::string& relation, const published_progress& p) {
  auto r = primary.execute(
      "INSERT INTO pgtandem.progress AS p (relation, state, rows_total, rows_done, bytes_done, updated_at)"
      " VALUES ($1, $2, $3::bigint, $4::bigint, $5::bigint, clock_timestamp()) ON CONFLICT (relation) DO UPDATE SET"
      " state = excluded.state, rows_total = excluded.rows_total, rows_done = excluded.rows_done,"
      " bytes_done = excluded.bytes_done, updated_at = excluded.updated_at",
      {relation, p.state, std::to_string(p.rows_total), std::to_string(p.rows_done), std::to_string(p.bytes_done)});
  if (!r) return r.error();
  return {};
}

}  // namespace pgtandem::reconcile
