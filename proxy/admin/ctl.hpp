// `pgtandem ctl`: speaks to an admin port, waits for what was asked for, and shows how far it has come.
//
// Exit status: 0 only if what was asked for has been done; 1 = it failed or was refused; 2 = the command line is wrong; 3 = the admin
// port cannot be reached.
#pragma once
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace pgtandem::admin {

struct ctl_options {
  std::string url = "http://127.0.0.1:6433";   // --admin
  std::string token;                           // --token, else the environment's PGTANDEM_ADMIN_TOKEN
  bool dry_run = false;                        // --dry-run: compute the gates only
  bool json = false;                           // --json: the server's answer as it is
  bool terminal = false;                       // progress bars in place, else a line now and then
  unsigned timeout_seconds = 0;                // --timeout: give up waiting (0 = never)
  std::vector<std::string> words;              // the verb and its words: {"phase", "dual_write"}
};

int ctl(const ctl_options& o, std::ostream& out, std::ostream& err);

// The verbs with their help, a line each.
std::string ctl_verbs();

}  // namespace pgtandem::admin
