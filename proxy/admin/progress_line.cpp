#include "proxy/admin/progress_line.hpp"

#include <algorithm>
#include <cstdio>

namespace pgtandem::admin {
namespace {

template <class... A>
std::string format(const char* pattern, A... a) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, a...);
  return text;
}

}  // namespace

std::string human(std::int64_t bytes) {
  constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double n = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; n >= 1024 && unit + 1 < std::size(units); ++unit) n /= 1024;
  return unit == 0 ? format("%lld B", static_cast<long long>(bytes)) : format("%.1f %s", n, units[unit]);
}

std::string duration(double seconds) {
  long long s = static_cast<long long>(std::clamp(seconds, 0.0, 1e9) + 0.5);
  if (s >= 3600) return format("%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  if (s >= 60) return format("%lld:%02lld", s / 60, s % 60);
  return format("%lld s", s);
}

std::string progress_line(const progress& p, bool terminal) {
  std::int64_t total = std::max(p.rows_total, p.rows_done);
  double share = total > 0 ? static_cast<double>(p.rows_done) / static_cast<double>(total) : 0;
  std::string rate = p.rows_per_second > 0 ? format(", %.0f rows/s", p.rows_per_second) : std::string();
  std::string left = p.rows_per_second > 0 && total > p.rows_done
                         ? ", " + duration(static_cast<double>(total - p.rows_done) / p.rows_per_second) + " left"
                         : std::string();
  std::string figures = format("%lld of %lld rows, ", static_cast<long long>(p.rows_done), static_cast<long long>(total)) +
                        human(p.bytes_done) + rate + left;
  if (!terminal) return p.name + ": " + format("%.0f %%, ", share * 100) + figures;
  constexpr int width = 30;
  int full = static_cast<int>(share * width);
  return format("%-24.24s [", p.name.c_str()) + std::string(static_cast<std::size_t>(full), '#') +
         std::string(static_cast<std::size_t>(width - full), '.') + format("] %3.0f %%  ", share * 100) + figures;
}

}  // namespace pgtandem::admin
