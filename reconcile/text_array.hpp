// PostgreSQL's text[] literals: reading "{a,\"b,c\",NULL}" and writing them. One dimension only.
// Source of the rule: src/backend/utils/adt/arrayfuncs.c, array_in and array_out.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgtandem::reconcile {

using cell = std::optional<std::string>;  // a value's canonical text; nullopt = NULL
using cells = std::vector<cell>;

// Appends one element at a time; take() closes the literal.
class array_writer {
 public:
  void add(const cell& c);
  void add(std::string_view text);
  std::string take();
  bool empty() const { return first_; }

 private:
  void separate();
  std::string text_ = "{";
  bool first_ = true;
};

std::string to_array(const cells& values);
std::string to_array(const std::vector<std::string>& values);

// nullopt if `text` is not a one-dimensional array literal.
std::optional<cells> parse_array(std::string_view text);

}  // namespace pgtandem::reconcile
