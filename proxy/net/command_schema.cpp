// `pgtandem init`, `uninit` and `check`: the pgtandem schema on both databases, and whether they are fit for a
// migration.
#include <array>
#include <iostream>
#include <string_view>

#include "proxy/database/connection.hpp"
#include "proxy/database/preflight.hpp"
#include "proxy/database/schema.hpp"
#include "proxy/net/commands.hpp"

namespace pgtandem::net {
namespace {

constexpr std::array<std::string_view, 2> place_names{"source", "target"};

bool complain(std::string_view where, const database::error& e) {
  std::cerr << where << ": " << e.message;
  if (!e.sqlstate.empty()) std::cerr << " (" << e.sqlstate << ")";
  std::cerr << "\n";
  return false;
}

// Both databases, in the order of place_names; nothing if one cannot be reached.
std::optional<std::array<database::connection, 2>> both(const config::settings& s) {
  auto source = database::connection::open(s.source);
  if (!source) complain(place_names[0], source.error());
  auto target = database::connection::open(s.target);
  if (!target) complain(place_names[1], target.error());
  if (!source || !target) return std::nullopt;
  return std::array<database::connection, 2>{std::move(*source), std::move(*target)};
}

bool show(std::string_view where, const database::result<database::preflight_report>& r) {
  if (!r) return complain(where, r.error());
  for (const auto& w : r->warnings) std::cout << where << ": warning: " << w << "\n";
  for (const auto& w : r->refusals) std::cout << where << ": refused: " << w << "\n";
  return r->refusals.empty();
}

bool fit(std::array<database::connection, 2>& places) {
  bool ok = show(place_names[0], database::preflight(places[0], database::role::primary));
  ok &= show(place_names[1], database::preflight(places[1], database::role::secondary));
  ok &= show("source and target", database::preflight_pair(places[0], places[1]));
  return ok;
}

// Opens both and does `each` on one after the other; stops at the first that fails.
template <class Each>
int on_both(const std::string& config_file, Each&& each) {
  const auto s = settings_from(config_file);
  if (!s) return 2;
  auto places = both(*s);
  if (!places) return 1;
  for (std::size_t i = 0; i < places->size(); ++i)
    if (!each(place_names[i], (*places)[i])) return 1;
  return 0;
}

bool install(std::string_view where, database::connection& c) {
  const auto done = database::install(c);
  if (!done) return complain(where, done.error());
  for (const auto& w : done->warnings) std::cout << where << ": warning: " << w << "\n";
  if (const auto token = database::ensure_boot_token(c); !token) return complain(where, token.error());
  std::cout << where << ": schema pgtandem " << (done->created ? "installed" : "is there") << ", version "
            << database::schema_version << "\n";
  return true;
}

bool uninstall(std::string_view where, database::connection& c) {
  const auto gone = database::uninstall(c);
  if (!gone) return complain(where, gone.error());
  std::cout << where << ": " << (*gone ? "schema pgtandem removed" : "nothing to remove") << "\n";
  return true;
}

}  // namespace

int command_init(const std::string& config_file) { return on_both(config_file, install); }
int command_uninit(const std::string& config_file) { return on_both(config_file, uninstall); }

int command_check(const std::string& config_file) {
  const auto s = settings_from(config_file);
  if (!s) return 2;
  auto places = both(*s);
  if (!places) return 1;
  const bool ok = fit(*places);
  std::cout << (ok ? "fit for a migration\n" : "not fit for a migration\n");
  return ok ? 0 : 1;
}

}  // namespace pgtandem::net
