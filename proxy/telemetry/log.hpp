// The one door to spdlog: events with named values, one line each on standard error.
//
//   log::info("applier connected", {{"place", "target"}, {"pid", pid}});
//   → 2026-01-31T12:00:00.123Z info applier connected place=target pid=4711        (plain)
//   → {"at":"…","level":"info","event":"applier connected","place":"target","pid":4711}   (json)
//
// Guarantees: any thread may log at any time, also before configure(); a line is written whole; control characters and
// quotes are escaped, so a value cannot forge a line. Callers never pass secrets or row values.
#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace pgtandem::telemetry::log {

enum class level : std::uint8_t { debug, info, warning, error };
enum class format : std::uint8_t { plain, json };

std::string_view name_of(level l);
std::optional<level> level_named(std::string_view name);    // the names of setting log.level
std::optional<format> format_named(std::string_view name);  // the names of setting log.format

void configure(level least, format as);
void set_level(level least);
bool enabled(level l);

// A value keeps whether it is a number or bool, for JSON. Views what it is given: use it within the logging call only.
class value {
 public:
  value(std::string_view text) : text_(text) {}
  value(const std::string& text) : text_(text) {}
  value(const char* text) : text_(text) {}
  value(bool b) : text_(b ? "true" : "false"), bare_(true) {}
  template <std::integral number>
  value(number n) : own_(std::to_string(n)), text_(own_), bare_(true) {}
  template <std::floating_point number>
  value(number n) : own_(decimal(n)), text_(own_), bare_(true) {}
  value(const value&) = delete;
  value& operator=(const value&) = delete;

  std::string_view text() const { return text_; }
  bool bare() const { return bare_; }  // not quoted in JSON

 private:
  static std::string decimal(double d);
  std::string own_;
  std::string_view text_;
  bool bare_ = false;
};

struct field {
  std::string_view name;
  value is;
};
using fields = std::initializer_list<field>;

void write(level l, std::string_view event, fields values = {});
inline void debug(std::string_view event, fields values = {}) { write(level::debug, event, values); }
inline void info(std::string_view event, fields values = {}) { write(level::info, event, values); }
inline void warning(std::string_view event, fields values = {}) { write(level::warning, event, values); }
inline void error(std::string_view event, fields values = {}) { write(level::error, event, values); }

// The line without its time, as write() would print it: for tests and for whoever prints elsewhere.
std::string line(format as, level l, std::string_view event, fields values = {});

}  // namespace pgtandem::telemetry::log
