#include "proxy/session/paused.hpp"

namespace pgtandem::session {

bool paused_rows::keep(std::string row) {
  if (bytes + cost(row) > room) return false;
  bytes += cost(row);
  rows.push_back(std::move(row));
  return true;
}

std::size_t paused_rows::give(std::size_t limit, std::size_t given, std::string& to) {
  for (; !rows.empty() && (limit == 0 || given < limit); ++given) {
    bytes -= cost(rows.front());
    to += rows.front();
    rows.pop_front();
  }
  return given;
}

paused_ptr paused_portals::find(const std::string& portal) const {
  auto i = portals_.find(portal);
  return i == portals_.end() ? nullptr : i->second;
}

std::size_t paused_portals::bytes() const {
  std::size_t sum = 0;
  for (const auto& [name, rows] : portals_) sum += rows->bytes;
  return sum;
}

std::string tag_of(std::string_view tag, std::size_t rows) {
  std::size_t space = tag.rfind(' ');
  if (space == std::string_view::npos) return std::string(tag);
  return std::string(tag.substr(0, space + 1)) + std::to_string(rows);
}

}  // namespace pgtandem::session
