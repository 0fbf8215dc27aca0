#include "proxy/apply/breaker.hpp"

namespace pgtandem::apply {

bool breaker::failed() {
  if (open_ || ++failures_ < to_open_) return false;
  open_ = true;
  successes_ = 0;
  ++opened_;
  return true;
}

bool breaker::probe_succeeded() {
  if (!open_ || ++successes_ < to_close_) return false;
  open_ = false;
  // On trial: a probe cannot prove what only an op needs, say a table that somebody has locked.
  failures_ = to_open_ - 1;
  return true;
}

bool counts_as_failure(session::apply_result r, std::string_view sqlstate) {
  switch (r) {
    case session::apply_result::lost:
    case session::apply_result::timed_out:
      return true;
    case session::apply_result::refused:
      return !sqlstate.starts_with("22") && !sqlstate.starts_with("23");
    case session::apply_result::applied:
    case session::apply_result::breaker_open:
    case session::apply_result::queue_full:
      return false;
  }
  return false;
}

}  // namespace pgtandem::apply
