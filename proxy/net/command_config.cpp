// `pgtandem config`: the reference of all settings, or whether a file is right.
#include <iostream>

#include "config/file.hpp"
#include "config/reference.hpp"
#include "proxy/net/commands.hpp"
#include "proxy/telemetry/log.hpp"

namespace pgtandem::net {

std::optional<config::settings> settings_from(const std::string& config_file) {
  const auto read = config::load_file(config_file);
  if (!read.ok()) {
    std::cerr << config::describe(read.mistakes, config_file);
    return std::nullopt;
  }
  namespace log = telemetry::log;
  log::configure(log::level_named(read.values.log.level).value_or(log::level::info),
                 log::format_named(read.values.log.format).value_or(log::format::plain));
  return read.values;
}

int command_config(config_action action, const std::string& config_file) {
  switch (action) {
    case config_action::reference:
      std::cout << config::reference();
      return 0;
    case config_action::markdown:
      std::cout << config::reference_table();
      return 0;
    case config_action::check:
      if (!settings_from(config_file)) return 2;
      std::cout << config_file << ": ok\n";
      return 0;
  }
  return 2;
}

}  // namespace pgtandem::net
