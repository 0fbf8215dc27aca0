#include "config/reload.hpp"

#include "config/table.hpp"

namespace pgtandem::config {
namespace {

void copy_value(const row& r, settings& to, const settings& from) {
  std::visit([&](auto member) { member(to) = member(const_cast<settings&>(from)); }, r.at);
}

bool same_value(const row& r, const settings& a, const settings& b) {
  return std::visit([&](auto member) { return member(const_cast<settings&>(a)) == member(const_cast<settings&>(b)); },
                    r.at);
}

}  // namespace

reloaded reload(const settings& now, const settings& wanted) {
  reloaded result{now, {}, {}};
  for (const row& r : table()) {
    if (same_value(r, now, wanted)) continue;
    (r.reloadable ? result.applied : result.refused).emplace_back(r.name);
    if (r.reloadable) copy_value(r, result.values, wanted);
  }
  return result;
}

}  // namespace pgtandem::config
