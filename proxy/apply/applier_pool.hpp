// The appliers of one loop: a few connections to the secondary that apply ops in groups (one transaction, one ledger
// insert, one upsert or delete per table), in libpq pipeline mode, driven by the loop's io_context.
//
// Guarantees: an op is sent only while !given_up; its ledger row and its effects commit together or not at all; a group
// that fails is applied op by op; a retry that meets its own ledger row counts as applied only if that row's kind is
// 'op'. Every submitted op is answered exactly once, from the same thread, never from inside submit().
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "proxy/session/op.hpp"
#include "proxy/session/world.hpp"

namespace boost::asio {
class io_context;
}

namespace pgtandem::apply {

struct pool_settings {
  std::uint32_t appliers = 2;      // connections
  std::uint32_t group_max = 64;    // ops in one transaction
  std::uint32_t gather_us = 0;     // an op waits that long for those that are about to come, see expect(); 0 = never
  std::uint32_t queue_max = 4096;  // ops waiting; beyond it submit() answers queue_full
  std::uint32_t budget_ms =
      250;  // lock_timeout of the appliers; an op not answered in 4 × budget is lost, its connection closed
  std::uint32_t breaker_failures = 5;   // in a row, to open
  std::uint32_t breaker_successes = 3;  // probes in a row, to close
  std::uint32_t probe_interval_ms = 500;
};

struct pool_tally {  // cumulative
  std::uint64_t groups = 0, grouped_ops = 0, ops = 0, groups_fell_apart = 0, refused = 0, lost = 0, timed_out = 0, breaker_opened = 0;
  std::uint32_t waiting = 0;
  bool breaker_open = false;
};

using answer = std::function<void(const session::op_ptr&, const session::apply_outcome&)>;

class applier_pool {
 public:
  // conninfo: a libpq connection string of the secondary.
  applier_pool(boost::asio::io_context& loop, std::string conninfo, pool_settings s);
  ~applier_pool();

  void submit(session::op_ptr o, answer done);
  // The op's client has waited its whole budget. Counts as a failure of the secondary now, not when the op's own answer
  // comes (that may take 4 × budget), so that the others need not wait for the same.
  void overdue(const session::op_ptr& o);
  // So many more (or fewer) ops are about to be submitted: each needs only its primary's answer. Where some are, one that
  // waits already is not sent alone: a transaction of the secondary costs about the same for one op as for several.
  void expect(int more);
  // The secondary's place or catalog changed: finish what is in flight, then use these.
  void secondary_changed(std::string conninfo, sql::catalog_ptr secondary);
  void use_budget(std::uint32_t ms);  // from now on; the appliers connect anew once they have finished what is in flight
  bool breaker_open() const;
  pool_tally tally() const;

 private:
  struct impl;
  std::unique_ptr<impl> i_;
};

}  // namespace pgtandem::apply
