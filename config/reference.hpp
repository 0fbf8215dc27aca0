// The settings written out: as an annotated YAML file, as a table for the documentation, and as they are now. Pure.
#pragma once
#include <string>

#include "config/settings.hpp"

namespace pgtandem::config {

// A YAML file with every setting at its default, each under a comment with meaning, unit, bounds and environment
// variable. load() accepts it once source and target are filled in.
std::string reference();

// The same as a Markdown table, for OPERATIONS.md.
std::string reference_table();

// "name = value" lines of all settings; secrets appear as "(set)" or "(empty)".
std::string shown(const settings& s);

}  // namespace pgtandem::config
