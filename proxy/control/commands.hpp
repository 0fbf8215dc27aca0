// `pgtandem init`, `uninit` and `check`: what they do to both databases, and what they say about it. Exit status 0 = done, 1 = it failed
// or the databases are not fit.
#pragma once
#include <iosfwd>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "proxy/sql/catalog.hpp"

namespace pgtandem::control {

// Installs the schema on both sides, and says in both that they belong together; again is harmless. Refused where they do not: one database
// as both, two migrations, what is left over of one.
int init(const config::settings& s, std::ostream& out, std::ostream& err);
// Removes every trace from both sides. Refused while writes are mirrored: the proxies would fail every write. A place that cannot be
// reached is named, the other is cleaned all the same. Two that do not belong together are refused, too, for another migration may need
// them. `force` asks neither.
int uninit(const config::settings& s, std::ostream& out, std::ostream& err, bool force = false);
// Fit for a migration? Servers, tables against tables, and what of each table dual_write would refuse.
int check(const config::settings& s, std::ostream& out, std::ostream& err);

// What the operator should know of the primary's tables before dual_write, one line each. Pure.
std::vector<std::string> table_hints(const sql::catalog& primary);

}  // namespace pgtandem::control
