// What the threads of control know of both databases: written by the watchers and the keepers, read by the one that decides.
//
// One mutex, held for copies only. Every change wakes whoever waits.
#pragma once
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "proxy/control/authority.hpp"
#include "proxy/control/books.hpp"
#include "proxy/database/pairing.hpp"
#include "proxy/sql/catalog.hpp"

namespace pgtandem::control {

using clock = std::chrono::steady_clock;

struct place_state {
  bool reachable = false;
  std::string problem;                    // why it is not
  clock::time_point lost_at{};            // when it became unreachable
  bool tried = false;                     // the first attempt to reach it has ended
  std::optional<database::pairing> self;  // who it said it was, when it was last asked
  clock::time_point looked_at{};          // start of the last look that succeeded
  int server_version = 0;
  bool installed = false;                 // has the schema pgtandem
  std::optional<migration_row> row;       // the last that was read; survives a loss
  bool triggers_off = false;              // its row records triggers that were disabled so that it could follow
  std::int64_t ddl_version = 0;
  sql::catalog_ptr catalog;
  std::int64_t dirty = 0, unsettled = 0;  // bounded counts, for the metrics; the watcher of the fitting role fills them
  std::optional<place_books> books;       // for the metrics; null before they were first read
};

struct board_state {
  std::array<place_state, 2> at;
  std::string pair;   // of the migration that this process works for, once it is known
  std::optional<clock::time_point> lease_renewed;   // start of the last renewal that succeeded
  std::optional<clock::time_point> lease_agreed;    // start of the last one after which the row still said the epoch of the loops
  std::optional<clock::time_point> lease_first;     // end of the first one
  const place_state& of(place p) const { return at[static_cast<std::size_t>(p)]; }
  place_state& of(place p) { return at[static_cast<std::size_t>(p)]; }
};

class board {
 public:
  board_state look() const;
  // Applies `change`; wakes the waiters if it returns true.
  void update(const std::function<bool(board_state&)>& change);
  // Something happened elsewhere (a loop, a stop): wakes the waiters.
  void poke();
  // Waits until something has changed since `seen` (then updated), or the limit.
  void wait(std::uint64_t& seen, std::chrono::milliseconds limit) const;

 private:
  mutable std::mutex lock_;
  mutable std::condition_variable changed_;
  board_state state_;
  std::uint64_t changes_ = 0;
};

}  // namespace pgtandem::control
