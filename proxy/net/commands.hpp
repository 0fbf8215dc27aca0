// The subcommands of `pgtandem`: each reads its configuration, does its work, and returns the exit status.
// 0 = done, 1 = the work failed, 2 = the configuration or the command line is wrong.
#pragma once
#include <optional>
#include <string>

#include "config/settings.hpp"

namespace pgtandem::net {

int command_proxy(const std::string& config_file);
int command_reconcile(const std::string& config_file);
int command_init(const std::string& config_file);
int command_uninit(const std::string& config_file, bool force);
int command_check(const std::string& config_file);

// ctl has options of its own and needs no configuration file: see proxy/admin/ctl.hpp.

enum class config_action { reference, markdown, check };
int command_config(config_action action, const std::string& config_file);

// Loads, prints every mistake to standard error, sets the log up. Nothing if there was one.
std::optional<config::settings> settings_from(const std::string& config_file);

}  // namespace pgtandem::net
