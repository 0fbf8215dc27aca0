#include "reconcile/row_hash.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>

#include "reconcile/table_sql.hpp"

namespace pgtandem::reconcile {
namespace {

// How a type is hashed; $ stands for the value. Types that are not here go through their output function.
struct rule {
  std::string_view type, hashed;
};
constexpr std::array<rule, 22> rules{{
    {"smallint", "$"},
    {"integer", "$"},
    {"bigint", "$"},
    {"boolean", "$"},
    {"uuid", "$"},
    {"date", "$"},
    {"oid", "$"},
    {"bytea", "$"},
    {"timestamp without time zone", "$"},
    {"timestamp with time zone", "$"},
    {"time without time zone", "$"},
    {"\"char\"", "$"},
    // In the session's encoding, which is the same on both sides
    {"text", "textsend($)"},
    {"character varying", "varcharsend($)"},
    {"character", "bpcharsend($)"},
    {"bpchar", "bpcharsend($)"},
    {"numeric", "numeric_send($)"},
    {"real", "float4send(CASE WHEN $ = 'NaN' THEN 'NaN' ELSE $ END)"},
    {"double precision", "float8send(CASE WHEN $ = 'NaN' THEN 'NaN' ELSE $ END)"},
    {"json", "json_send($)"},
    {"jsonb", "jsonb_send($)"},
    // xml_out() drops the encoding and one line end in front of the rest, every time the value is copied
    {"xml", "textsend(ltrim(xml_out($)::text, chr(10)))"},
}};

// "numeric(10,2)" -> "numeric", "timestamp(3) with time zone" -> "timestamp with time zone"; arrays keep their brackets
std::string without_modifier(const std::string& type) {
  const auto open = type.find('(');
  const auto close = type.find(')', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return type;
  return type.substr(0, open) + type.substr(close + 1);
}

std::string hash_of(const std::string& fields) { return "hash_record_extended(ROW(" + fields + "), 0)"; }

std::string filled_in(std::string_view pattern, const std::string& value) {
  std::string out;
  for (const char c : pattern) c == '$' ? out += value : out += c;
  return out;
}

}  // namespace

std::string hashed(const sql::table& t, const std::vector<std::size_t>& columns, const std::string& alias) {
  std::string fields, as_text;
  for (const std::size_t c : columns) {
    const std::string type = without_modifier(t.columns[c].type), value = alias + "." + quoted(t.columns[c].name);
    const auto known = std::find_if(rules.begin(), rules.end(), [&](const rule& r) { return r.type == type; });
    std::string& list = known == rules.end() ? as_text : fields;
    list += (list.empty() ? "" : ", ") + (known == rules.end() ? value : filled_in(known->hashed, value));
  }
  // One record for all of them; each value comes out quoted, so that none runs into the next.
  if (!as_text.empty()) fields += (fields.empty() ? "" : ", ") + ("textsend(ROW(" + as_text + ")::text)");
  return fields;
}

std::string row_hash(const sql::table& t, const std::string& alias) {
  std::vector<std::size_t> all(t.columns.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return hash_of(hashed(t, all, alias));
}

std::string leaf_number(const sql::table& t, const std::string& alias, std::uint32_t leaves) {
  const std::string hash = t.key.empty() ? row_hash(t, alias) : hash_of(hashed(t, {t.key.begin(), t.key.end()}, alias));
  return "((" + hash + " & 2147483647) % " + std::to_string(leaves) + ")::int";
}

std::string select_leaves(const sql::table& t, std::uint32_t leaves) {
  return "SELECT x.leaf, count(*), sum(x.h) FROM (SELECT " + leaf_number(t, "t", leaves) + " AS leaf, " +
         row_hash(t, "t") + "::numeric AS h FROM " + rows_of(t) + " t) x GROUP BY x.leaf";
}

std::string select_leaf_rows(const sql::table& t, std::uint32_t leaves) {
  const std::string key = key_list(t, "t");
  return "SELECT " + row_hash(t, "t") + ", t.xmin" + (key.empty() ? "" : ", " + key) + " FROM " + rows_of(t) +
         " t WHERE " + leaf_number(t, "t", leaves) + " = ANY($1::int[])";
}

}  // namespace pgtandem::reconcile
