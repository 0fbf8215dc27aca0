// Bytes that came and are not yet used.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace pgtandem::session {

class inbox {
 public:
  // What is there, with `more` behind it. Valid until the next call.
  std::string_view with(std::string_view more);
  void keep(std::string_view rest);
  bool empty() const { return kept_.empty(); }
  std::size_t size() const { return kept_.size(); }

 private:
  static constexpr std::size_t kept_capacity = 64 * 1024;  // of an empty one
  std::string kept_;
};

}  // namespace pgtandem::session
