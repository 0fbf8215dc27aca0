#include "proxy/control/roll_runner.hpp"

#include <charconv>

#include "proxy/control/leases.hpp"
#include "proxy/control/roll_statements.hpp"
#include "proxy/telemetry/log.hpp"

namespace pgtandem::control {
namespace {

std::set<std::int32_t> parse(std::string_view list) {
  std::set<std::int32_t> out;
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    std::int32_t n = 0;
    if (std::from_chars(item.data(), item.data() + item.size(), n).ec == std::errc()) out.insert(n);
  }
  return out;
}

}  // namespace

database::result<std::optional<migration_row>> roll_runner::row(place p) {
  auto found = hands_.run(p, "SELECT epoch, phase, step FROM pgtandem.migration");
  if (!found) return found.error();
  if (found->size() != 1) return std::optional<migration_row>();
  return read_migration_row(found->integer(0, 0), found->at(0, 1), found->at(0, 2), false, "");
}

database::result<std::set<std::int32_t>> roll_runner::numbers(place p, const std::string& sql) {
  auto found = hands_.run(p, sql);
  if (!found) return found.error();
  return parse(found->at(0, 0));
}

database::result<bool> roll_runner::due(const roll_facts& f, place primary) {
  auto age = hands_.run(primary, epoch_age_sql());
  if (!age) return age.error();
  auto rows = hands_.run(other(primary), ledger_rows_sql(f.primary->epoch));
  if (!rows) return rows.error();
  if (rows->integer(0, 1) >= detached_max) return false;
  return age->integer(0, 0) >= settings_.epoch_age.count() || rows->integer(0, 0) >= settings_.ledger_rows;
}

// The leases are read after the row: a proxy that is not among them yet will read that row, or a newer one, before it serves.
database::result<roll_facts> roll_runner::read(place primary) {
  roll_facts f;
  auto mine = row(primary);
  if (!mine) return mine.error();
  auto theirs = row(other(primary));
  if (!theirs) return theirs.error();
  f.primary = *mine;
  f.secondary = *theirs;
  if (!f.primary || !f.secondary || row_of(f.primary->now).primary != primary) return roll_facts{};
  epoch_ = f.primary->epoch;
  auto open = numbers(primary, list_epochs_sql());
  if (!open) return open.error();
  auto attached = numbers(other(primary), list_ledgers_sql());
  if (!attached) return attached.error();
  f.epochs = std::move(*open);
  f.ledgers = std::move(*attached);
  auto leases = read_leases(hands_[primary], settings_.lease);
  if (!leases) return leases.error();
  f.moved = not_on_epoch(*leases, f.primary->epoch).empty();
  auto d = due(f, primary);
  if (!d) return d.error();
  f.due = *d;
  return f;
}

database::result<roll_act> roll_runner::look(place primary) {
  auto f = read(primary);
  if (!f) return f.error();
  return next_roll(*f);
}

database::result<void> roll_runner::perform(roll_act a, place primary) {
  const auto at = [&](place p, const std::string& sql) -> database::result<void> {
    auto r = hands_.run(p, sql, lock_limit);
    if (!r) return r.error();
    return {};
  };
  switch (a) {
    case roll_act::attach: return at(other(primary), attach_ledger_sql(epoch_ + 1, lock_limit));
    case roll_act::advance: return at(primary, advance_epoch_sql(epoch_ + 1, lock_limit));
    case roll_act::tell: return at(other(primary), tell_epoch_sql(epoch_));
    case roll_act::drop: return at(primary, drop_older_epochs_sql(epoch_, lock_limit));
    case roll_act::detach: return at(other(primary), detach_older_ledgers_sql(epoch_, lock_limit));
    case roll_act::none:
    case roll_act::wait: break;
  }
  return {};
}

database::result<roll_act> roll_runner::run(place primary) {
  roll_act next = roll_act::none;
  const auto until = std::chrono::steady_clock::now() + moved_limit;
  for (int i = 0; i < acts_max; ++i) {
    auto todo = look(primary);
    for (; todo && *todo == roll_act::wait && std::chrono::steady_clock::now() < until; todo = look(primary))
      if (auto told = hands_[primary].wait(moved_look); !told) return told.error();
    if (!todo) return todo.error();
    next = *todo;
    if (next == roll_act::none || next == roll_act::wait) break;
    if (auto r = perform(next, primary); !r) {
      telemetry::log::info("epoch cannot roll on yet", {{"act", name_of(next)}, {"epoch", epoch_}, {"sqlstate", r.error().sqlstate}});
      if (r.error().lost) return r.error();
      break;
    }
    telemetry::log::info("epoch rolls", {{"act", name_of(next)}, {"epoch", epoch_}});
  }
  return next;
}

}  // namespace pgtandem::control
