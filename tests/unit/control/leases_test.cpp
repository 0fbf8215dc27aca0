// Who is waited for, and who is named, by what the leases say.
#include "proxy/control/leases.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem::control;

TEST_CASE("a silent proxy counts where mirroring starts, if it may still write and nothing would refuse it") {
  struct row {
    const char* what;
    bool live, fenced, connected;
    int backends;
    bool missing_to_mirror, missing_to_pass, stalled;
  };
  constexpr row table[] = {
      {"serving, not there yet", true, false, true, 0, true, true, false},
      {"gone, with all of its sessions", false, false, false, 0, false, false, false},
      {"cut off, its sessions are there", false, false, false, 2, true, false, true},
      {"stopped, still connected", false, false, true, 0, true, false, true},
      {"cut off, but has acknowledged a fence", false, true, false, 2, false, false, false},
      {"stopped, but has acknowledged a fence", false, true, true, 2, false, false, true},
  };
  for (const row& r : table) {
    INFO(r.what);
    lease l;
    l.name = "a:1";
    l.epoch = 1;
    l.phase = r.fenced ? "dual_write" : "passthrough";
    l.step = "steady";
    l.live = r.live;
    l.fenced = r.fenced;
    l.connected = r.connected;
    l.backends = r.backends;
    CHECK(not_at_phase({l}, 3, phase::dual_write).empty() == !r.missing_to_mirror);
    CHECK(not_at_phase({l}, 3, phase::passthrough).empty() == !r.missing_to_pass);
    CHECK(stalled({l}).empty() == !r.stalled);
  }
}
