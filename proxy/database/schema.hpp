// The schema `pgtandem`, installed on both databases: what it holds is in schema_ddl.cpp; how it comes, goes and is
// kept.
//
// Every function works on an idle connection (no transaction open) of the role that owns the schema, is idempotent, and
// does its work in one transaction. The statements for the epoch and the ledger's partitions are texts, because the
// flip runs them inside transactions of its own.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/database/connection.hpp"

namespace pgtandem::database {

inline constexpr int schema_version = 2;

// Advisory lock classes of pgtandem (pg_advisory_lock(bigint)).
inline constexpr std::int64_t coordinator_lock = 7433001;  // held for its life by the process that flips
inline constexpr std::int64_t install_lock = 7433002;      // one install or uninstall at a time
inline constexpr std::int64_t ddl_lock = 7433003;  // shared: a transaction that changed tables; see catalog_loader

struct install_report {
  bool created = false;               // false: it was there already, in this version
  std::vector<std::string> warnings;  // what could not be installed as wanted, and what follows from it
};

// What the database is told to be (pairing.hpp), in the transaction that installs.
struct belonging {
  std::string pair, place;
};
// Refuses (error 0A000) a schema of a newer version.
result<install_report> install(connection& c, const belonging& as = {});
// Removes every trace, event triggers too. true if there was something to remove.
result<bool> uninstall(connection& c);
// The installed version, 0 = none.
result<int> installed_version(connection& c);
// Makes sure that this incarnation of the database has its boot token, and returns it.
result<std::string> ensure_boot_token(connection& c);

// Each may be run again: what is there (or gone) already stays so.
std::string create_epoch_sql(std::int32_t epoch);   // on the primary; takes the fence's place
std::string drop_epoch_sql(std::int32_t epoch);     // waits for every transaction that holds the fence
std::string create_ledger_sql(std::int32_t epoch);  // on the secondary: attaches the partition
// The same without a lock that an applier would wait for, and also for a partition that is there and detached.
std::string attach_ledger_sql(std::int32_t epoch);
std::string detach_ledger_sql(std::int32_t epoch);  // waits for batches in flight; late ones find no partition (23514)
std::string drop_ledger_sql(std::int32_t epoch);    // a detached partition

}  // namespace pgtandem::database
