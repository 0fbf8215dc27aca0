// The known name nearest to a mistyped one. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace pgtandem::config {

// Empty if none is near enough to be a likely typing mistake. A match of the last part alone ("port" for "listen.port")
// counts as near.
std::string nearest(std::string_view name, const std::vector<std::string>& known);

}  // namespace pgtandem::config
