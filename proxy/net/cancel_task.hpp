// Carries a CancelRequest to the server connection that the key means now, unless its session deals with it.
#pragma once
#include "proxy/net/asio_types.hpp"
#include "proxy/net/cancel_registry.hpp"

namespace pgtandem::net {

// Ends when the server has closed its end (it has then acted), or within a bound. An unknown key ends at once: like
// PostgreSQL, the proxy tells nobody whether a key exists.
task<void> forward_cancel(boost::asio::io_context& context, const cancel_registry& keys, cancel_key key);

}  // namespace pgtandem::net
