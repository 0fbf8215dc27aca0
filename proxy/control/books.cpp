#include "proxy/control/books.hpp"

#include <string>

namespace pgtandem::control {
namespace {

using telemetry::metric;

double seconds_of(const database::rows& r, int column) { return std::stod(std::string(r.at(0, column))); }

// Age of something that was `age` seconds old when it was read.
double age_now(double age, const place_books& b, place_books::clock::time_point now) {
  return age + std::chrono::duration<double>(now - b.read_at).count();
}

}  // namespace

database::result<place_books> read_books(database::connection& c) {
  const auto begun = place_books::clock::now();
  auto r = c.run(
      "WITH s AS MATERIALIZED (SELECT s.pass, extract(epoch FROM clock_timestamp() - s.ended_at)::float8 AS age, coalesce(s.clean, false) AS "
      "clean, coalesce(s.differing, 0) AS differing FROM pgtandem.sweep s, pgtandem.migration m WHERE s.ended_at IS NOT NULL AND s.epoch >= "
      "coalesce((m.attempt->>'mirrored_from')::int, 0) ORDER BY s.pass DESC LIMIT " +
      std::to_string(sweeps_read) +
      "), last AS (SELECT * FROM s ORDER BY pass DESC LIMIT 1) SELECT (SELECT coalesce(sum(rows_total), 0)::bigint FROM pgtandem.progress), "
      "(SELECT coalesce(sum(row_count) FILTER (WHERE state = 'verified'), 0)::bigint FROM pgtandem.chunk), "
      "(SELECT coalesce(sum(bytes), 0)::bigint FROM pgtandem.chunk), (SELECT age FROM last), (SELECT clean FROM last), "
      "(SELECT differing FROM last), (SELECT age FROM s WHERE clean ORDER BY pass DESC LIMIT 1), "
      "(SELECT extract(epoch FROM clock_timestamp() - changed_at)::float8 FROM pgtandem.migration), l.* FROM (SELECT "
      "count(*) FILTER (WHERE c.relname ~ '^epoch_[0-9]+$'), count(*) FILTER (WHERE c.relname ~ '^ledger_' AND c.relispartition), "
      "count(*) FILTER (WHERE c.relname ~ '^ledger_' AND NOT c.relispartition), "
      "coalesce(sum(pg_stat_get_live_tuples(c.oid)) FILTER (WHERE c.relname ~ '^ledger_' AND c.relispartition), 0)::bigint, "
      "coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname ~ '^ledger_'), 0)::bigint "
      "FROM pg_class c WHERE c.relnamespace = 'pgtandem'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^(epoch|ledger)_[0-9]+$') l");
  if (!r) return r.error();
  place_books b;
  b.read_at = begun;
  b.rows_expected = r->integer(0, 0);
  b.rows_verified = r->integer(0, 1);
  b.bytes_copied = r->integer(0, 2);
  if (!r->null(0, 3)) b.last = place_books::sweep{seconds_of(*r, 3), r->boolean(0, 4), r->integer(0, 5)};
  if (!r->null(0, 6)) b.last_clean = seconds_of(*r, 6);
  b.ledger.epoch_age = seconds_of(*r, 7);
  b.ledger.epochs = r->integer(0, 8);
  b.ledger.attached = r->integer(0, 9);
  b.ledger.detached = r->integer(0, 10);
  b.ledger.rows = r->integer(0, 11);
  b.ledger.bytes = r->integer(0, 12);
  return b;
}

figures figures_of(const place_books* source, const place_books* target, place primary, place_books::clock::time_point now) {
  figures f;
  if (const place_books* secondary = primary == place::source ? target : source) f.ledger_bytes = secondary->ledger.bytes;
  if (source) f.rows_expected = source->rows_expected;
  if (target) {
    f.rows_verified = target->rows_verified;
    f.bytes_copied = target->bytes_copied;
  }
  double youngest = -1;
  for (const place_books* b : {source, target}) {
    if (!b) continue;
    if (b->last && (youngest < 0 || age_now(b->last->age, *b, now) < youngest)) {
      youngest = age_now(b->last->age, *b, now);
      f.last_clean = b->last->clean;
      f.last_differing = b->last->differing;
    }
    if (b->last_clean && (f.clean_age < 0 || age_now(*b->last_clean, *b, now) < f.clean_age))
      f.clean_age = age_now(*b->last_clean, *b, now);
  }
  return f;
}

void show(const figures& f, telemetry::meter& m) {
  m.set(metric::backfill_rows_total, static_cast<double>(f.rows_expected));
  m.set(metric::migrated_rows, static_cast<double>(f.rows_verified));
  m.set(metric::backfill_bytes, static_cast<double>(f.bytes_copied));
  m.set(metric::checksum_ok, f.last_clean ? 1 : 0);
  m.set(metric::sweep_differing, static_cast<double>(f.last_differing));
  m.set(metric::sweep_age_seconds, f.clean_age);
  m.set(metric::ledger_bytes, static_cast<double>(f.ledger_bytes));
}

}  // namespace pgtandem::control
