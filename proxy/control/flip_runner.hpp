// Performs the acts of a flip on the crew's connections, one after the other, and measures how long the clients wait.
//
// Every wait has a deadline and ends early by NOTIFY. What cannot be decided (the new primary is gone at the very moment of its
// opening) is asked for again until it answers, another coordinator has taken over, or the process stops.
#pragma once
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "proxy/control/crew.hpp"
#include "proxy/control/duty.hpp"
#include "proxy/control/flip.hpp"
#include "proxy/control/intent.hpp"
#include "proxy/control/leases.hpp"
#include "proxy/control/statements.hpp"
#include "proxy/database/sequences.hpp"

namespace pgtandem::control {

struct flip_outcome {
  flip_end end = flip_end::running;   // running: given up; a coordinator that starts anew decides
  std::string message;                // why it was undone or given up
  double cutover_ms = 0;
  std::vector<proxy_hold> holds;
};

class flip_runner {
 public:
  static constexpr std::chrono::milliseconds again{100};            // between attempts to reach a lost place
  static constexpr std::chrono::milliseconds ack_look{20};          // between looks at the leases without a NOTIFY
  static constexpr std::chrono::milliseconds drain_look{2};         // between looks at the doubts without a NOTIFY
  static constexpr std::chrono::milliseconds follow_limit{500};     // locks of the new secondary, while the clients wait
  static constexpr std::chrono::milliseconds moved_limit{3000};     // for the proxies' own figures

  flip_runner(crew& hands, const control_settings& s, std::string proxy_id, std::int32_t mirrored_from, duty d);

  flip_outcome run(flip f);

 private:
  using clock = std::chrono::steady_clock;
  struct answer {
    outcome what = outcome::done;
    std::string why;
  };
  answer perform(const flip& f);
  answer text(const flip& f, const std::string& sql, std::chrono::milliseconds patience = {});
  answer await(const flip& f, step s, clock::time_point deadline);
  answer await_warm(const flip& f);
  answer await_drained(const flip& f);
  answer rehearse(const flip& f);
  answer fence_secondary(const flip& f);
  answer drain_and_advance(const flip& f);
  answer look(const flip& f);
  answer back_aboard(place p, place leases);
  bool retried(act a) const;
  standing_order order(std::int32_t epoch, phase p, std::chrono::milliseconds lock_limit) const;
  std::chrono::milliseconds left(clock::time_point deadline) const;
  void collect(const flip& f, flip_outcome& out);

  crew& hands_;
  const control_settings& settings_;
  const std::string proxy_id_;
  const std::int32_t mirrored_from_;
  const duty duty_;
  clock::time_point hold_begun_{}, hold_deadline_{}, drain_deadline_{};
  std::vector<lease> held_;   // the leases of the moment when all that live were held
  std::string timeline_;      // act: ms, for the journal
  std::optional<std::vector<database::sequence>> sequences_;   // of the old primary, read while its secondary is fenced
  answer advanced_;           // what came of bringing them to the secondary, done beside mark_draining
  double opened_ms_ = 0;      // from the hold to the opening
};

}  // namespace pgtandem::control
