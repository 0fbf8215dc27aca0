#include "proxy/session/inbox.hpp"

namespace pgtandem::session {

std::string_view inbox::with(std::string_view more) {
  if (kept_.empty()) return more;
  kept_.append(more);
  return kept_;
}

void inbox::keep(std::string_view rest) {
  if (rest.empty()) {
    kept_.clear();
    if (kept_.capacity() > kept_capacity) kept_.shrink_to_fit();
  } else if (rest.data() >= kept_.data() && rest.data() <= kept_.data() + kept_.size()) {
    kept_.erase(0, kept_.size() - rest.size());
  } else {
    kept_.assign(rest);
  }
}

}  // namespace pgtandem::session
