#include "reconcile/sequence_keeper.hpp"

#include "proxy/database/sequences.hpp"
#include "proxy/telemetry/log.hpp"

namespace pgtandem::reconcile {
namespace {

constexpr std::chrono::seconds checkpoint_every{5};

}  // namespace

database::result<void> sequence_keeper::keep_ahead(place_pair& pair) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return {};
  next_ = now + checkpoint_every;
  auto from = database::read_sequences(pair.watcher(), settings_.scope.exclude);
  if (!from) return from.error();
  auto moved = database::advance_while_following(
      pair.secondary(), *from, static_cast<std::int64_t>(settings_.cutover.sequence_headroom), pair.now().epoch);
  if (!moved) return moved.error();
  if (moved->moved > 0) telemetry::log::debug("sequences advanced", {{"sequences", moved->moved}});
  return {};
}

}  // namespace pgtandem::reconcile
