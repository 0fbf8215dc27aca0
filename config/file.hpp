// The impure edge of the configuration: real files and the process environment.
#pragma once
#include <optional>
#include <string>

#include "config/load.hpp"

namespace pgtandem::config {

// The whole file, or nullopt if it cannot be read or is larger than 4 MiB.
std::optional<std::string> read_file(const std::string& path);

// The variables of this process whose names begin with PGTANDEM_. Others of that prefix than settings are left alone:
// an orchestrator may set its own (a Kubernetes service called pgtandem does).
environment process_environment();

// load() with the above; an unreadable file is a mistake like any other.
loaded load_file(const std::string& path);

}  // namespace pgtandem::config
