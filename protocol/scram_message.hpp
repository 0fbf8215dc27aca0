// The comma-separated attributes of a SCRAM message ("n=,r=…"), read one by one.
#pragma once
#include <optional>
#include <string_view>

namespace pgtandem::protocol {

class scram_attributes {
 public:
  explicit scram_attributes(std::string_view text) : rest_(text) {}

  // The value of the next attribute, which must have this name. Nothing if it has not.
  std::optional<std::string_view> take(char name);
  // Passes over any further attributes (extensions, to be ignored). false if what is left is not made of attributes.
  bool skip_rest();
  bool empty() const { return rest_.empty(); }

 private:
  std::optional<std::string_view> take_any(char& name);
  std::string_view rest_;
};

// Printable ASCII without comma, and not empty: what a nonce may be made of.
bool is_scram_nonce(std::string_view text);

}  // namespace pgtandem::protocol
