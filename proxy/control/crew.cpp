#include "proxy/control/crew.hpp"

#include "proxy/database/schema.hpp"
#include "proxy/sql/rewrite.hpp"
#include "proxy/telemetry/log.hpp"

namespace pgtandem::control {
namespace {

constexpr std::string_view name_prefix = "pgtandem coordinator ";   // + proxy_id: 57 of at most 63 bytes

std::string lock_number() { return std::to_string(database::coordinator_lock); }

// The holder of the lock in this database: its backend and the proxy it works for.
std::string holder_sql() {
  return "SELECT a.pid, substr(a.application_name, " + std::to_string(name_prefix.size() + 1) +
         ") FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
         "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
         "AND (l.classid::bigint << 32 | l.objid::bigint) = " + lock_number();
}

}  // namespace

database::result<bool> crew::try_lock(place p) {
  auto got = at(p)->run("SELECT pg_try_advisory_lock(" + lock_number() + ")");
  if (!got) return got.error();
  return got->boolean(0, 0);
}

database::result<bool> crew::holder_is_dead(place p, place leases) {
  auto holder = at(p)->run(holder_sql());
  if (!holder) return holder.error();
  if (holder->size() != 1) return true;   // gone in between
  std::string pid(holder->at(0, 0)), proxy(holder->at(0, 1));
  if (proxy == proxy_id_) return true;    // a connection of our own that was lost; the server has not noticed yet
  if (!aboard(leases)) return false;
  auto live = at(leases)->run("SELECT EXISTS (SELECT FROM pgtandem.lease WHERE proxy_id::text = " + sql::quote_literal(proxy) +
                              " AND renewed_at > clock_timestamp() - interval '" + std::to_string(settings_.lease.count() + 500) +
                              " ms')");
  if (!live) return live.error();
  if (live->boolean(0, 0)) return false;
  telemetry::log::warning("coordinator passed over", {{"place", name_of(p)}, {"proxy_id", proxy}});
  return true;
}

database::result<void> crew::connect(place p) {
  database::open_options o;
  o.application_name = std::string(name_prefix) + proxy_id_;
  o.connect_timeout = connect_limit;
  o.statement_limit = statement_slack;
  auto c = database::connection::open(settings_.conninfo(p), o);
  if (!c) return c.error();
  auto self = database::read_pairing(*c);
  if (!self) return self.error();
  std::string why = database::misplaced(*self, name_of(p));
  selves_[static_cast<std::size_t>(p)] = std::move(*self);
  if (why.empty() && aboard(other(p))) why = database::not_a_pair(selves_[0], selves_[1]);
  if (!why.empty()) return database::error("55000", why);
  at(p).emplace(std::move(*c));
  return {};
}

database::result<void> crew::visit(place p) {
  if (aboard(p)) return {};
  return connect(p);
}

database::result<void> crew::board(place p, place leases) {
  if (aboard(p)) return {};
  if (auto c = connect(p); !c) return c;
  auto fail = [&](const database::error& e) -> database::result<void> {
    dismiss(p);
    return e;
  };
  auto got = try_lock(p);
  if (!got) return fail(got.error());
  if (!*got) {
    auto dead = holder_is_dead(p, leases);
    if (!dead) return fail(dead.error());
    if (!*dead) return fail({"55P03", "another proxy coordinates: it holds the lock of the " + std::string(name_of(p))});
    auto ended = at(p)->run("SELECT pg_terminate_backend(pid) FROM (" + holder_sql() + ") h(pid, proxy)");
    if (!ended) return fail(ended.error());
    auto waited = at(p)->run("SET lock_timeout = " + std::to_string(takeover_limit.count() * 3 / 4) + "; SELECT pg_advisory_lock(" +
                             lock_number() + "); RESET lock_timeout");
    if (!waited) return fail(waited.error());
  }
  if (auto r = at(p)->run("LISTEN pgtandem"); !r) return fail(r.error());
  return {};
}

database::result<database::rows> crew::run(place p, std::string_view text, std::chrono::milliseconds patience) {
  if (!aboard(p)) return database::error("08003", "no connection to the " + std::string(name_of(p)), true);
  at(p)->statement_limit(patience + statement_slack);
  auto r = at(p)->run(text);
  if (!r && !r.error().lost && at(p)->in_transaction()) (void)at(p)->run("ROLLBACK");
  return r;
}

}  // namespace pgtandem::control
