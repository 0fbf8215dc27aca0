// From a configuration file's text to settings, or to the list of everything that is wrong with it.
//
// Order of precedence: environment, file, default. A secret may be given as `<name>_file` (the file's content without
// its last line break), in the file or in the environment. All mistakes are reported together. Pure: the environment
// and the reading of files come in as values; config/file.hpp supplies the real ones.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"

namespace pgtandem::config {

struct mistake {
  int line = 0;         // in the file, from 1; 0 = not from the file
  std::string setting;  // as written; empty if it concerns the whole
  std::string text;     // what is wrong; never holds a secret's value
};

struct loaded {
  settings values;                // meaningful only without mistakes
  std::vector<mistake> mistakes;  // by line
  bool ok() const { return mistakes.empty(); }
};

using environment = std::map<std::string, std::string, std::less<>>;
using file_reader = std::function<std::optional<std::string>(const std::string& path)>;  // nullopt = unreadable

loaded load(std::string_view text, const environment& variables, const file_reader& read);

// One line per mistake: "pgtandem.yaml:12: listen.prot: unknown setting; did you mean listen.port?"
std::string describe(const std::vector<mistake>& mistakes, std::string_view file_name);

}  // namespace pgtandem::config
