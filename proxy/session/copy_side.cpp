// COPY … FROM STDIN. From its Execute or Query to CopyDone or CopyFail the primary takes CopyData and ignores Flush and
// Sync; anything else ends the connection (copyfromparse.c, CopyGetData). A client need not wait for CopyInResponse:
// which of the Syncs that it has sent ahead of it will be answered is told by where CopyDone and CopyFail stand among
// the requests.
#include "proxy/session/state.hpp"

namespace pgtandem::session {

using protocol::frame;
namespace frontend = protocol::frontend;

// CopyData, CopyDone, CopyFail at any time; Flush and Sync while the primary takes data.
void session::state::on_copy(const frame& f) {
  if (f.type == frontend::sync) return;  // not sent: if the COPY has failed meanwhile, it would be answered
  if (f.type == frontend::copy_done || f.type == frontend::copy_fail) {
    if (!copying_in && !awaiting.empty()) ++awaiting.back().copy_ends;
    copying_in = false;
  }
  forward(f.whole);  // without a COPY, or after it has failed, the primary drops it
}

// CopyInResponse.
void session::state::copy_in_begins() {
  bool ended = awaiting.front().copy_ends > 0;
  if (ended) --awaiting.front().copy_ends;
  while (!ended && awaiting.size() > 1 && awaiting[1].what == request::sync) {  // sent before the end of the data
    ended = awaiting[1].copy_ends > 0;
    if (ended) awaiting.front().copy_ends = awaiting[1].copy_ends - 1;
    awaiting.erase(awaiting.begin() + 1);
  }
  if (awaiting.size() == 1 && awaiting.front().what == request::execute) unsynced = true;  // its pipeline is still open
  copying_in = !ended;
}

}  // namespace pgtandem::session
