// Keeps the catalog of one place on the board: loads it when the place is first reached, when its ddl_version has moved, and when a
// loop asks. One thread per place, a connection of its own, opened for a load and kept while loads follow each other.
#pragma once
#include <atomic>

#include "proxy/control/board.hpp"
#include "proxy/control/control_settings.hpp"
#include "proxy/control/worker.hpp"
#include "proxy/database/connection.hpp"
#include "proxy/telemetry/metrics.hpp"

namespace pgtandem::control {

class catalog_keeper {
 public:
  static constexpr std::chrono::milliseconds look_every{25}, again{500}, apart{50};
  static constexpr std::chrono::seconds keep_connection{10}, load_limit{30};

  catalog_keeper(place where, const control_settings& s, board& b, telemetry::meter& m)
      : where_(where), settings_(s), board_(b), meter_(m) {}
  void start() { worker_.start([this] { run(); }); }
  void refresh() {
    asked_ = true;
    worker_.ring();
  }
  void ask_to_stop() { worker_.ask_to_stop(); }
  void stop() { worker_.stop(); }

 private:
  void run();
  bool due() const;
  bool load();

  const place where_;
  const control_settings& settings_;
  board& board_;
  telemetry::meter& meter_;
  std::atomic<bool> asked_{false};
  std::optional<database::connection> c_;
  clock::time_point used_{};
  worker worker_;
};

}  // namespace pgtandem::control
