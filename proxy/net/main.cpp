// The command line of pgtandem.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <string>

#include "proxy/admin/ctl.hpp"
#include "proxy/net/commands.hpp"

namespace {

using namespace pgtandem::net;

// One subcommand that needs nothing but --config.
void add(CLI::App& app, int& status, std::string& file, const char* name, const char* help,
         int (*command)(const std::string&)) {
  auto* sub = app.add_subcommand(name, help);
  sub->add_option("--config,-c", file, "configuration file (YAML)")->required();
  sub->callback([&status, &file, command] { status = command(file); });
}

void add_uninit(CLI::App& app, int& status, std::string& file) {
  static bool force = false;
  auto* sub = app.add_subcommand("uninit", "remove every trace of pgtandem from both databases");
  sub->add_option("--config,-c", file, "configuration file (YAML)")->required();
  sub->add_flag("--force", force, "even while a phase says that writes are mirrored, or where the two do not belong together");
  sub->callback([&status, &file] { status = command_uninit(file, force); });
}

void add_config(CLI::App& app, int& status, std::string& file) {
  static bool reference_wanted = false, markdown_wanted = false;
  auto* sub = app.add_subcommand("config", "print the reference of all settings, or check a file");
  CLI::Option* reference = sub->add_flag("--reference", reference_wanted, "annotated YAML with every default");
  CLI::Option* markdown = sub->add_flag("--markdown", markdown_wanted, "the same as a Markdown table");
  CLI::Option* check = sub->add_option("--check", file, "report every mistake of this file");
  reference->excludes(markdown)->excludes(check);
  markdown->excludes(check);
  sub->require_option(1);
  sub->callback([&status, &file, check] {
    const auto action = *check            ? config_action::check
                        : markdown_wanted ? config_action::markdown
                                          : config_action::reference;
    status = command_config(action, file);
  });
}

void add_ctl(CLI::App& app, int& status, pgtandem::admin::ctl_options& o) {
  auto* sub = app.add_subcommand("ctl", "speak to the admin port of a proxy");
  sub->footer(pgtandem::admin::ctl_verbs());
  sub->add_option("--admin", o.url, "address of the admin port")->capture_default_str();
  sub->add_option("--token", o.token, "admin.token of the proxy; else the environment's PGTANDEM_ADMIN_TOKEN");
  sub->add_flag("--dry-run", o.dry_run, "only compute the gates");
  sub->add_flag("--json", o.json, "print the answer as it is");
  sub->add_option("--timeout", o.timeout_seconds, "seconds to wait for the end, 0 = for ever");
  sub->add_option("words", o.words, "the verb and its words")->required();
  sub->callback([&status, &o] {
    if (const char* token = std::getenv("PGTANDEM_ADMIN_TOKEN"); token && o.token.empty()) o.token = token;
    o.terminal = ::isatty(STDOUT_FILENO) == 1;
    status = pgtandem::admin::ctl(o, std::cout, std::cerr);
  });
}

}  // namespace

int main(int count, char** words) {
  CLI::App app{"pgtandem moves a live PostgreSQL database to another PostgreSQL", "pgtandem"};
  app.require_subcommand(1);
  int status = 0;
  std::string file;
  add(app, status, file, "proxy", "serve clients", command_proxy);
  add(app, status, file, "reconcile", "audit, repair, backfill and sweep", command_reconcile);
  add(app, status, file, "init", "install the schema pgtandem on both databases", command_init);
  add_uninit(app, status, file);
  add(app, status, file, "check", "tell whether the databases are fit for a migration", command_check);
  add_config(app, status, file);
  pgtandem::admin::ctl_options ctl;
  add_ctl(app, status, ctl);
  CLI11_PARSE(app, count, words);
  return status;
}
