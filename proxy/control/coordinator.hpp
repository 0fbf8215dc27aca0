// Carries out what the operator wants, and mends what an interrupted coordinator (of any proxy) has left: one thread per proxy, at
// work only while it holds the coordinator's lock on the databases concerned.
#pragma once
#include <atomic>
#include <optional>
#include <string>

#include "proxy/control/board.hpp"
#include "proxy/control/control_settings.hpp"
#include "proxy/control/crew.hpp"
#include "proxy/control/duty.hpp"
#include "proxy/control/gates.hpp"
#include "proxy/control/intent.hpp"
#include "proxy/control/worker.hpp"
#include "proxy/telemetry/metrics.hpp"

namespace pgtandem::control {

class coordinator {
 public:
  static constexpr std::chrono::milliseconds take_limit{200};
  static constexpr std::chrono::milliseconds mend_after{500};     // a state that a living coordinator passes through in less
  static constexpr std::chrono::milliseconds mend_every{250};
  static constexpr std::chrono::milliseconds roll_every{1000};
  static constexpr std::chrono::milliseconds busy_limit{3000};    // for the lock, before an intent is given up

  coordinator(const control_settings& s, std::string proxy_id, board& b, intent_desk& d, telemetry::meter& m)
      : settings_(s), proxy_id_(std::move(proxy_id)), board_(b), desk_(d), meter_(m), hands_(settings_, proxy_id_) {}
  void start() { worker_.start([this] { run(); }); }
  void ask_to_stop() { worker_.ask_to_stop(); desk_.wake(); }
  void stop() { ask_to_stop(); worker_.stop(); }
  bool at_work() const { return at_work_; }

 private:
  struct standing {
    migration_row row;
    std::int32_t mirrored_from = 0;
  };
  void run();
  void carry_out(intent_report r);
  void attempt(intent_report& r);
  std::string take_places(bool secondary_needed);                 // why not; empty = aboard
  database::result<standing> read(place p);
  std::optional<phase> wanted(const intent& what, phase now, std::string& why) const;
  void flip_to(intent_report& r, const standing& now, phase to);
  void change_to(intent_report& r, const standing& now, phase to);

  bool needs_mending(const board_state& b) const;
  void mend();
  void align(place primary, const standing& say);
  bool roll_wanted(const board_state& b) const;
  void roll();

  duty duty_for(std::uint64_t intent_id);

  const control_settings settings_;
  const std::string proxy_id_;
  board& board_;
  intent_desk& desk_;
  telemetry::meter& meter_;
  crew hands_;
  std::optional<clock::time_point> broken_since_, mended_, rolled_;
  std::atomic<bool> at_work_{false};
  worker worker_;
};

}  // namespace pgtandem::control
