#include "reconcile/row_hash.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "reconcile/table_sql.hpp"

namespace pgtandem::reconcile {
namespace {

constexpr std::array<std::string_view, 13> as_is{"smallint",
                                                 "integer",
                                                 "bigint",
                                                 "boolean",
                                                 "uuid",
                                                 "date",
                                                 "oid",
                                                 "text",
                                                 "bytea",
                                                 "timestamp without time zone",
                                                 "timestamp with time zone",
                                                 "time without time zone",
                                                 "\"char\""};

struct sender {
  std::string_view type, function;
};
constexpr std::array<sender, 4> senders{
    {{"numeric", "numeric_send"}, {"real", "float4send"}, {"double precision", "float8send"}, {"jsonb", "jsonb_send"}}};

// "numeric(10,2)" -> "numeric", "timestamp(3) with time zone" -> "timestamp with time zone"; arrays keep their brackets
std::string without_modifier(const std::string& type) {
  const auto open = type.find('(');
  const auto close = type.find(')', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return type;
  return type.substr(0, open) + type.substr(close + 1);
}

std::string hash_of(const std::string& fields) { return "hash_record_extended(ROW(" + fields + "), 0)"; }

}  // namespace

std::string hashed(const sql::column& c, const std::string& alias) {
  const std::string type = without_modifier(c.type), value = alias + "." + quoted(c.name);
  if (std::find(as_is.begin(), as_is.end(), type) != as_is.end()) return value;
  for (const sender& s : senders)
    if (s.type == type) return std::string(s.function) + "(" + value + ")";
  return value + "::text";
}

std::string row_hash(const sql::table& t, const std::string& alias) {
  std::string fields;
  for (const std::size_t c : copied_columns(t)) fields += (fields.empty() ? "" : ", ") + hashed(t.columns[c], alias);
  return hash_of(fields);
}

std::string leaf_number(const sql::table& t, const std::string& alias, std::uint32_t leaves) {
  std::string fields;
  for (const auto k : t.key) fields += (fields.empty() ? "" : ", ") + hashed(t.columns[k], alias);
  const std::string hash = fields.empty() ? row_hash(t, alias) : hash_of(fields);
  return "((" + hash + " & 2147483647) % " + std::to_string(leaves) + ")::int";
}

std::string select_leaves(const sql::table& t, std::uint32_t leaves) {
  return "SELECT x.leaf, count(*), sum(x.h) FROM (SELECT " + leaf_number(t, "t", leaves) + " AS leaf, " +
         row_hash(t, "t") + "::numeric AS h FROM " + t.qualified + " t) x GROUP BY x.leaf";
}

std::string select_leaf_rows(const sql::table& t, std::uint32_t leaves) {
  const std::string key = key_list(t, "t");
  return "SELECT " + row_hash(t, "t") + ", t.xmin" + (key.empty() ? "" : ", " + key) + " FROM " + t.qualified +
         " t WHERE " + leaf_number(t, "t", leaves) + " = ANY($1::int[])";
}

}  // namespace pgtandem::reconcile
