// The SQL texts that bring row images into a table: one upsert and one delete for any number of rows, from one text
// array per column. Texts are made once per table and numbered, so that a connection prepares each at most once. Pure;
// one thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/sql/catalog.hpp"

namespace pgtandem::apply {

struct sql_text {
  std::uint64_t id = 0;  // names the prepared statement; 0 = do not prepare
  std::string sql;
};
using sql_text_ptr = std::shared_ptr<const sql_text>;

struct table_sql {
  std::shared_ptr<const sql::table> table;  // kept, so that its address stays its name in the cache
  std::vector<std::uint16_t> columns;       // in an image, in its order: those that are not generated
  std::vector<std::uint16_t> key_fields;    // positions of the key's columns within `columns`, in key order
  std::vector<sql_text_ptr> upsert;         // one after the other, each with an array per entry of `columns`
  sql_text_ptr remove;                      // an array per key column; null: the table has no key
};

class table_sql_cache {
 public:
  static constexpr std::size_t kept_max = 8192;  // tables; beyond it everything is forgotten once
  const table_sql& of(const std::shared_ptr<const sql::table>& t);
  // A text that belongs to no table, numbered like the others.
  sql_text_ptr number(std::string sql) { return std::make_shared<sql_text>(sql_text{++last_id_, std::move(sql)}); }

 private:
  std::unordered_map<const sql::table*, table_sql> known_;
  std::uint64_t last_id_ = 0;
};

// "…" with quotes doubled, always quoted.
std::string quoted(std::string_view identifier);

}  // namespace pgtandem::apply
