// One turn of a relay: an event goes into the core, then its outbox is performed. Included by relay's own sources only.
#pragma once
#include "proxy/net/loop.hpp"
#include "proxy/net/relay.hpp"

namespace pgtandem::net {

// The outbox's buffers are the loop's while a turn lasts, so an idle session keeps no capacity of its own.
template <class Event>
void relay::turn(Event&& event) {
  if (over_ || finishing_) return;
  auto& out = core_.out();
  home_.lend(out.to_client, out.to_primary);
  event(core_);
  perform();
  home_.take_back(out.to_client, out.to_primary);
}

}  // namespace pgtandem::net
