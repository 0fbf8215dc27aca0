// Tables and ops for the tests of this folder, written by hand.
#pragma once
#include <memory>
#include <string>

#include "proxy/session/op.hpp"

namespace pgtandem::test {

// Column list like "id*:integer v:text g=:integer i!:integer": '*' key, '=' generated, '!' identity always.
inline std::shared_ptr<sql::table> make_table(const std::string& qualified, std::string columns, sql::oid id = 1) {
  auto t = std::make_shared<sql::table>();
  t->id = id;
  t->qualified = qualified;
  const auto dot = qualified.find('.');
  t->schema = qualified.substr(0, dot);
  t->name = qualified.substr(dot + 1);
  columns += ' ';
  for (std::size_t space; (space = columns.find(' ')) != std::string::npos; columns.erase(0, space + 1)) {
    const std::string one = columns.substr(0, space);
    if (one.empty()) continue;
    const auto colon = one.find(':');
    sql::column c;
    c.type = one.substr(colon + 1);
    for (char mark : one.substr(0, colon)) {
      if (mark == '*')
        t->key.push_back(static_cast<std::uint16_t>(t->columns.size()));
      else if (mark == '=')
        c.generated = true;
      else if (mark == '!')
        c.identity_always = true;
      else
        c.name += mark;
    }
    t->columns.push_back(std::move(c));
  }
  return t;
}

// A catalog that knows these tables.
inline sql::catalog_ptr make_catalog(const std::vector<std::shared_ptr<const sql::table>>& tables) {
  auto c = std::make_shared<sql::catalog>();
  for (const auto& t : tables) {
    const sql::oid id = static_cast<sql::oid>(c->by_oid.size() + 1);
    c->by_oid.emplace(id, t);
    c->by_name.emplace(t->qualified, id);
  }
  return c;
}

inline void add_effect(session::op& o, session::effect_kind kind, std::shared_ptr<const sql::table> t,
                       const std::string& values, std::uint32_t group = 0) {
  const std::string image = kind == session::effect_kind::truncate ? values : "(1,1," + values + ")";
  o.effects.push_back({kind, std::move(t), static_cast<std::uint32_t>(o.images.size()),
                       static_cast<std::uint32_t>(image.size()), group});
  o.images += image;
}
inline void upsert(session::op& o, std::shared_ptr<const sql::table> t, const std::string& values) {
  add_effect(o, session::effect_kind::upsert, std::move(t), values);
}
inline void remove(session::op& o, std::shared_ptr<const sql::table> t, const std::string& values) {
  add_effect(o, session::effect_kind::remove, std::move(t), values);
}

}  // namespace pgtandem::test
