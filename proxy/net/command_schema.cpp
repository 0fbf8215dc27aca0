// `pgtandem init`, `uninit` and `check`: the pgtandem schema on both databases, and whether they are fit for a
// migration.
#include <iostream>

#include "proxy/control/commands.hpp"
#include "proxy/net/commands.hpp"

namespace pgtandem::net {
namespace {

using command = int (*)(const config::settings&, std::ostream&, std::ostream&);

int with_settings(const std::string& config_file, command run) {
  const auto s = settings_from(config_file);
  return s ? run(*s, std::cout, std::cerr) : 2;
}

}  // namespace

int command_init(const std::string& config_file) { return with_settings(config_file, control::init); }
int command_uninit(const std::string& config_file, bool force) {
  const auto s = settings_from(config_file);
  return s ? control::uninit(*s, std::cout, std::cerr, force) : 2;
}
int command_check(const std::string& config_file) { return with_settings(config_file, control::check); }

}  // namespace pgtandem::net
