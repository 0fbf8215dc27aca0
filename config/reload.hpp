// What a SIGHUP may change: reloadable settings take their new values, the others keep the old ones and are named.
// Pure.
#pragma once
#include <string>
#include <vector>

#include "config/settings.hpp"

namespace pgtandem::config {

struct reloaded {
  settings values;                   // the old ones with the reloadable changes in them
  std::vector<std::string> applied;  // names of settings that changed
  std::vector<std::string> refused;  // names of settings that differ but need a restart
};

reloaded reload(const settings& now, const settings& wanted);

}  // namespace pgtandem::config
