// The breaker in front of a sick secondary, with hysteresis: a run of failures opens it, a run of successful probes
// closes it. Then it is on trial: before an op has succeeded one failure opens it again. Pure: it counts; the pool asks
// and acts.
#pragma once
#include <cstdint>
#include <string_view>

#include "proxy/session/op.hpp"

namespace pgtandem::apply {

class breaker {
 public:
  breaker(std::uint32_t failures_to_open, std::uint32_t successes_to_close)
      : to_open_(failures_to_open), to_close_(successes_to_close) {}

  bool open() const { return open_; }
  std::uint64_t opened() const { return opened_; }  // how often, cumulative

  // Of an op. A success closes nothing: only probes do. true: it has just opened.
  void succeeded() { failures_ = 0; }
  bool failed();
  // Of a probe. true: it has just closed.
  bool probe_succeeded();
  void probe_failed() { successes_ = 0; }

  void reset() { failures_ = 0, successes_ = 0, open_ = false; }  // another secondary

 private:
  std::uint32_t to_open_, to_close_, failures_ = 0, successes_ = 0;
  std::uint64_t opened_ = 0;
  bool open_ = false;
};

// Does this outcome speak against the secondary's health? A refusal of the row itself (classes 22 and 23: a parent that
// has not been copied yet, a claim, a detached ledger partition) does not.
bool counts_as_failure(session::apply_result r, std::string_view sqlstate);

}  // namespace pgtandem::apply
