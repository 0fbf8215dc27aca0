// `pgtandem reconcile`: runs the reconciler until SIGTERM or SIGINT.
#include <csignal>

#include "proxy/net/commands.hpp"
#include "reconcile/run.hpp"

namespace pgtandem::net {
namespace {

reconcile::stop_line stop_reconciler;

void ask_to_stop(int) { stop_reconciler.ring(); }

}  // namespace

int command_reconcile(const std::string& config_file) {
  const auto s = settings_from(config_file);
  if (!s) return 2;
  std::signal(SIGTERM, ask_to_stop);
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGHUP, SIG_IGN);  // none of its settings is reloadable
  return reconcile::run_reconciler(*s, stop_reconciler);
}

}  // namespace pgtandem::net
