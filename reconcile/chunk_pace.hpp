// How many rows the next chunk of a backfill takes, and when it may begin. Pure; time is given.
//
// Additive increase, multiplicative decrease on the time a chunk took on both databases together: it grows when either
// slows down.
#pragma once
#include <chrono>
#include <cstdint>

namespace pgtandem::reconcile {

class chunk_pace {
 public:
  struct limits {
    std::uint32_t rows_max = 20000;
    std::chrono::milliseconds target{250};
    std::uint64_t rows_per_second = 0;  // of this worker; 0 = no limit
  };
  explicit chunk_pace(limits l) : limits_(l) {}

  std::uint32_t rows() const { return rows_; }
  void took(std::uint32_t rows, std::uint64_t bytes, std::chrono::milliseconds time);
  // The pause that keeps the rate, after `rows` in `time`.
  std::chrono::milliseconds pause_after(std::uint32_t rows, std::chrono::milliseconds time) const;

 private:
  static constexpr std::uint32_t first_rows = 100, least_rows = 10;
  static constexpr std::uint64_t bytes_max = 8u << 20;  // of one chunk, in memory on this side
  limits limits_;
  std::uint32_t rows_ = first_rows;
  bool slowed_ = false;  // until the first slow chunk it doubles
};

}  // namespace pgtandem::reconcile
