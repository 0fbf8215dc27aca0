#include "proxy/session/reply.hpp"

#include <algorithm>

namespace pgtandem::session {

std::string plan::original_text() const {
  std::string text(this->text());
  for (auto i = whole.insertions.rbegin(); i != whole.insertions.rend(); ++i)
    if (i->at >= begin && i->at - begin < text.size()) text.erase(i->at - begin, i->length);
  return text;
}

std::size_t plan::original(std::size_t position, bool utf8) const {
  auto head = std::string_view(whole.text).substr(0, begin);
  auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  std::size_t before = utf8 ? static_cast<std::size_t>(std::count_if(head.begin(), head.end(), starts)) : head.size();
  return whole.original_offset(before + position, utf8);
}

}  // namespace pgtandem::session
