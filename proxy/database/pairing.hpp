// Which two databases belong together. `pgtandem init` draws a pair id and writes it, with the place (source or target), into both rows of
// pgtandem.migration; whoever opens a connection to a place asks the database who it is before it believes anything else there. A
// configuration with the two swapped, or with the target of another migration, would otherwise overwrite one with the other.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/database/connection.hpp"

namespace pgtandem::database {

struct pairing {
  std::string server;       // system identifier and database; empty: the role may not ask
  int version = 0;          // of the schema pgtandem; 0 = none
  std::string pair, place;  // empty: installed by version 1, which knew neither
  std::int64_t epoch = 0;
  std::string phase;
  bool installed() const { return version > 0; }
};

result<pairing> read_pairing(connection& c);

// Why the database may not be what the configuration calls it, as a sentence; empty: it may. One without a schema may.
std::string misplaced(const pairing& here, std::string_view place);
// Why the two do not belong together; empty: they do, or nothing speaks against it.
std::string not_a_pair(const pairing& source, const pairing& target);

}  // namespace pgtandem::database
