// One server for all tests of this program, made at the first use.
#pragma once
#include <cstdlib>
#include <memory>

#include "proxy/database/connection.hpp"
#include "tests/unit/support/results.hpp"
#include "tests/unit/support/temporary_cluster.hpp"

namespace pgtandem::test {

inline temporary_cluster& shared_cluster() {
  static temporary_cluster c;
  return c;
}

// A new, empty database of that name, and a connection to it.
inline database::connection fresh_database(const std::string& name) {
  auto admin = database::connection::open(shared_cluster().conninfo());
  if (!admin) throw std::runtime_error(admin.error().message);
  (void)admin->run("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
  if (auto r = admin->run("CREATE DATABASE " + name); !r) throw std::runtime_error(r.error().message);
  auto c = database::connection::open(shared_cluster().conninfo(name));
  if (!c) throw std::runtime_error(c.error().message);
  return std::move(*c);
}

// The rows of a query as text: fields by '|', rows by a newline; or "ERROR <sqlstate>".
inline std::string text_of(const database::result<database::rows>& r) {
  if (!r) return "ERROR " + r.error().sqlstate + " " + r.error().message;
  std::string text;
  for (int i = 0; i < r->size(); ++i) {
    for (int k = 0; k < r->columns(); ++k) {
      if (k) text += '|';
      text += r->null(i, k) ? "NULL" : std::string(r->at(i, k));
    }
    if (i + 1 < r->size()) text += '\n';
  }
  return text;
}

}  // namespace pgtandem::test
