#include "proxy/telemetry/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>

namespace pgtandem::telemetry::log {
namespace {

constexpr std::string_view level_names[] = {"debug", "info", "warning", "error"};
constexpr std::size_t value_max = 4096;  // bytes of one value in a line; the rest is cut

std::atomic<level> least_level{level::info};
std::atomic<format> line_format{format::plain};

// spdlog only prints: level and shape are decided here. "%v" is the whole line after the time.
spdlog::logger& output() {
  static std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("pgtandem", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    made->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc));
    return made;
  }();
  return *logger;
}

std::string now_text() {
  auto now = std::chrono::system_clock::now();
  auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - seconds).count();
  std::time_t whole = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  gmtime_r(&whole, &parts);
  char text[40];
  std::size_t n = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + n, sizeof text - n, ".%03dZ", static_cast<int>(ms));
  return text;
}

// JSON string escapes; they serve the plain format as well.
void escape(std::string& out, std::string_view text) {
  for (char c : text.substr(0, value_max)) {
    unsigned char byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", byte);
      out += code;
    } else {
      out += c;
    }
  }
}

void quote(std::string& out, std::string_view text) {
  out += '"';
  escape(out, text);
  out += '"';
}

bool plain_word(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\\' || c == '=' || c == 0x7f) return false;
  return true;
}

std::string plain_line(level l, std::string_view event, fields values) {
  std::string out(name_of(l));
  out += ' ';
  escape(out, event);
  for (const field& f : values) {
    ((out += ' ') += f.name) += '=';
    if (f.is.bare() || plain_word(f.is.text()))
      out += f.is.text().substr(0, value_max);
    else
      quote(out, f.is.text());
  }
  return out;
}

std::string json_line(level l, std::string_view event, fields values) {
  std::string out = "\"level\":\"";
  out += name_of(l);
  out += "\",\"event\":";
  quote(out, event);
  for (const field& f : values) {
    out += ',';
    quote(out, f.name);
    out += ':';
    if (f.is.bare())
      out += f.is.text();
    else
      quote(out, f.is.text());
  }
  return out + '}';
}

}  // namespace

std::string_view name_of(level l) { return level_names[static_cast<std::size_t>(l)]; }

std::optional<level> level_named(std::string_view name) {
  for (std::size_t i = 0; i < std::size(level_names); ++i)
    if (level_names[i] == name) return static_cast<level>(i);
  return std::nullopt;
}

std::optional<format> format_named(std::string_view name) {
  if (name == "plain") return format::plain;
  if (name == "json") return format::json;
  return std::nullopt;
}

void configure(level least, format as) {
  least_level = least;
  line_format = as;
}

void set_level(level least) { least_level = least; }
bool enabled(level l) { return l >= least_level.load(std::memory_order_relaxed); }

// JSON knows no infinities: they are written as null.
std::string value::decimal(double d) { return std::isfinite(d) ? fmt::format("{:.6g}", d) : "null"; }

std::string line(format as, level l, std::string_view event, fields values) {
  return as == format::json ? '{' + json_line(l, event, values) : plain_line(l, event, values);
}

void write(level l, std::string_view event, fields values) {
  if (!enabled(l)) return;
  std::string whole = line_format == format::json ? "{\"at\":\"" + now_text() + "\"," + json_line(l, event, values)
                                                  : now_text() + ' ' + plain_line(l, event, values);
  output().log(spdlog::level::info, spdlog::string_view_t(whole.data(), whole.size()));
}

}  // namespace pgtandem::telemetry::log
