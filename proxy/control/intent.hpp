// What an operator wants, handed from the admin port to the control thread: a small bounded desk.
//
// Any thread. An intent is queued, then taken by the coordinator, then done or failed; the newest `kept_max` reports stay readable.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/control/phase.hpp"

namespace pgtandem::control {

enum class intent_verb : std::uint8_t { change_phase, cutover, rollback };
std::string_view name_of(intent_verb v);

struct intent {
  intent_verb verb = intent_verb::change_phase;
  phase to = phase::passthrough;   // of change_phase
  bool dry_run = false;            // compute the gates, change nothing
};

enum class intent_state : std::uint8_t { queued, running, done, failed };
std::string_view name_of(intent_state s);

struct proxy_hold {
  std::string name;    // of the proxy
  double held_ms = 0;
};

struct gate_result {
  std::string name, computed, evidence;  // what it is, how it is computed, what was found
  bool holds = false;
  bool warning_only = false;
};

struct intent_report {
  std::uint64_t id = 0;
  intent what;
  intent_state state = intent_state::queued;
  std::string step;                   // where it is: a step of the flip or of the phase change
  std::string message;                // the outcome in words; of a failure what to do about it
  std::vector<gate_result> gates;     // as computed for it
  std::vector<proxy_hold> holds;      // of a flip: per proxy
  double cutover_ms = 0;              // of a flip: from the first hold to the last release
};

class intent_desk {
 public:
  static constexpr std::size_t queue_max = 8;
  static constexpr std::size_t kept_max = 64;

  std::optional<std::uint64_t> submit(const intent& what);   // nullopt: the queue is full
  std::optional<intent_report> report(std::uint64_t id) const;
  std::vector<intent_report> reports() const;                // newest first

  // The coordinator's side.
  std::optional<intent_report> take(std::chrono::milliseconds limit);  // becomes running; nullopt: none, or woken
  void note(std::uint64_t id, std::string_view step);                  // progress
  void finish(const intent_report& r);
  void wake();                                                         // ends a take() early

 private:
  intent_report* find(std::uint64_t id);
  mutable std::mutex lock_;
  std::condition_variable arrived_;
  std::deque<intent_report> reports_;  // by id
  std::uint64_t last_ = 0;
  bool woken_ = false;
};

}  // namespace pgtandem::control
