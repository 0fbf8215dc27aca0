// What every loop of a process shares. All of it outlives the loops; all of it may be used from any thread.
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "proxy/net/admission.hpp"
#include "proxy/net/cancel_registry.hpp"
#include "proxy/net/place_address.hpp"
#include "proxy/net/secret_source.hpp"
#include "proxy/session/world.hpp"
#include "proxy/telemetry/metrics.hpp"

namespace pgtandem::net {

struct loop_services {
  std::shared_ptr<const config::settings> settings;
  std::array<place_address, 2> places;  // by control::place
  cancel_registry* cancels = nullptr;
  secret_source* secrets = nullptr;
  telemetry::meter* meter = nullptr;
  std::string salt_key;  // random, for the process (protocol::scram_salt)
  // Whether a session may start under this world: not before the control thread knows where the primary is.
  std::function<bool(const session::world&)> may_serve;
  std::function<void()> changed;         // a number of a board became zero, or a world was taken
  std::function<void()> catalog_wanted;  // a session met a table that its catalog does not know, or saw DDL
};

}  // namespace pgtandem::net
