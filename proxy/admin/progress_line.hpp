// How far something has come, as one line of text: a bar for a terminal, a plain line for everything else. Pure.
#pragma once
#include <cstdint>
#include <string>

namespace pgtandem::admin {

struct progress {
  std::string name;
  std::int64_t rows_done = 0, rows_total = 0, bytes_done = 0;
  double rows_per_second = 0;   // 0 = not known yet
};

std::string human(std::int64_t bytes);      // "1.5 MiB"
std::string duration(double seconds);       // "1:02:03", "2:03", "4 s"
// Rows, bytes, rate and the time left. The total is an estimate: more done than that is 100 %.
std::string progress_line(const progress& p, bool terminal);

}  // namespace pgtandem::admin
