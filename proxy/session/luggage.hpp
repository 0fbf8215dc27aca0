// What a session takes along to another primary: its settings, who it is, what it listens to, what it has prepared.
//
// All texts are in the encoding of the server's database: there they came from, whatever encodings the client has had
// since.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/setting_names.hpp"
#include "proxy/sql/catalog.hpp"

namespace pgtandem::session {

struct carried {
  std::string what, name, value;  // what: encoding, set, authorization, role, listen, prepare
};
using luggage = std::vector<carried>;

// Asks a session's server for it, on its own connection. `c`: what functions there may have set; may be null.
std::string luggage_query(const setting_names& names, const sql::catalog* c = nullptr);
// Its answer, nothing if it is not one.
std::optional<luggage> read_luggage(const std::vector<std::vector<std::string>>& rows);

// A Query that makes a part of it again, in this order: how texts are read, settings, who, channels, statements; then
// what would bear on these: timeouts and the client's own encoding.
struct replay_step {
  std::string sql;
  bool dispensable = false;  // a statement that cannot be prepared any more: EXECUTE will say so
};
std::vector<replay_step> replay_steps(const luggage& all);

// Is this what PostgreSQL finds wrong with a statement, and not with the moment?
bool of_the_statement(std::string_view sqlstate);

}  // namespace pgtandem::session
