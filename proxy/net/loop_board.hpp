// What a loop leaves for other threads to read at any time: its numbers, and the sessions that cannot move.
//
// Written by the loop's thread only (relaxed atomics, no read-modify-write), read by anyone.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "proxy/control/fleet.hpp"

namespace pgtandem::net {

// A number with one writer.
class board_number {
 public:
  void add(std::uint64_t n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_release); }
  std::uint64_t get() const { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct loop_board {
  board_number ticket;    // of the world the loop has taken
  board_number epoch;     // of the same
  board_number draining;  // 1: newcomers are refused
  board_number sessions, behind, open, cold;
  board_number applier_queue, breaker_open;  // renewed once a second
  board_number groups, grouped_ops;          // of the last second in which there was a group
  board_number longest_wait_us;              // of an op for the secondary, since the start; renewed once a second
  std::atomic<std::chrono::steady_clock::time_point> trusted_until{
      std::chrono::steady_clock::time_point::max()};  // control::fleet::trust_until (the control thread writes)
  std::atomic<std::uint32_t> load{0};        // clients that were handed to this loop and have not ended (many writers)
  mutable std::mutex mutex;                  // guards what follows
  std::vector<control::unmovable_session> unmovable;
  std::unordered_multiset<std::uint32_t> backends;  // the sessions' processes on their primary's server
};

}  // namespace pgtandem::net
