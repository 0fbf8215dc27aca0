// The waiting of `pgtandem ctl`: asks the admin port again and again until something has ended, and shows how far it is.
#pragma once
#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>

#include <boost/json/value.hpp>

#include "proxy/admin/http_client.hpp"

namespace pgtandem::admin {

struct watch_options {
  http_client& http;
  std::ostream& out;
  std::ostream& err;
  bool terminal, quiet;                // quiet: nothing but the end (for --json)
  std::chrono::seconds timeout;        // 0 = none
};

// Its report when it is done or failed; nothing if the port was lost or the time is up (said on `err`).
std::optional<boost::json::value> watch_intent(const watch_options& o, std::uint64_t id);
// Exit statuses: 0 = every table verified; 0 = a sweep that began after the call has ended clean.
int watch_backfill(const watch_options& o);
int watch_sweep(const watch_options& o);

}  // namespace pgtandem::admin
