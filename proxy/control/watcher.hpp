// Watches one place: reads its migration row as soon as it changes (LISTEN pgtandem, and a look every poll interval), says whether it
// can be reached, and sees to its boot token while it is the primary. One thread, one connection; a sick place keeps only its own
// watcher waiting. A database that is not what the configuration calls it, or does not belong with the other, counts as not reachable.
#pragma once
#include <chrono>

#include "proxy/control/board.hpp"
#include "proxy/control/control_settings.hpp"
#include "proxy/control/worker.hpp"
#include "proxy/database/connection.hpp"

namespace pgtandem::control {

class watcher {
 public:
  static constexpr std::chrono::milliseconds poll{200};            // between looks without a NOTIFY
  static constexpr std::chrono::milliseconds count_interval{1000};  // between counts of doubts and looks into the books, for the metrics
  static constexpr std::chrono::milliseconds connect_limit{2000}, statement_limit{2000};
  static constexpr std::chrono::milliseconds other_look{5};         // at the start, until the other place has been tried
  static constexpr std::chrono::milliseconds again{200};           // after a failure to connect

  watcher(place where, const control_settings& s, board& b) : where_(where), settings_(s), board_(b) {}
  void start() { worker_.start([this] { run(); }); }
  void ask_to_stop() { worker_.ask_to_stop(); }
  void stop() { worker_.stop(); }

 private:
  void run();
  void watch(database::connection& c);
  bool admit(database::connection& c);         // false: it is not the database it should be
  bool look(database::connection& c);          // false: the connection is of no more use
  bool look_at_row(database::connection& c);
  bool count_doubts(database::connection& c);
  bool read_the_books(database::connection& c);
  void lost(const database::error& e);

  const place where_;
  const control_settings& settings_;
  board& board_;
  bool admitted_ = false;   // on the present connection
  clock::time_point counted_{};
  worker worker_;
};

}  // namespace pgtandem::control
