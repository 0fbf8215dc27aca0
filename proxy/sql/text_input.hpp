// How SQL of ours turns the text of a value back into the value: always by the type's input function. A cast from text
// will not do: it prefers a function of its own where there is one, PostgreSQL's (regclass: '-' and numbers are no
// names to it) or a user's CREATE CAST (text AS …), which may make anything of it.
//
// A parameter of texts is an array of the type itself, whose elements go through the input function. Not for arrays,
// which have no array type, and not where the delimiter may not be a comma: box, and types of users, whose values are
// taken out of an array of one. `type` is sql::column::type. Pure.
#pragma once
#include <string>

namespace pgtandem::sql {

namespace text_input {

// Types with an array type whose delimiter is a comma, as far as that is known.
inline bool has_plain_array(const std::string& type) {
  const bool of_a_user = type.find('.') != std::string::npos;  // only those are written with their schema
  return !of_a_user && !type.ends_with("[]") && type != "box";
}

// "$n" as an array with the texts of many values
inline std::string array_parameter(const std::string& type, std::size_t n) {
  return "$" + std::to_string(n) + "::" + (has_plain_array(type) ? type : "text") + "[]";
}

// An element of such an array as a value
inline std::string element(const std::string& type, const std::string& sql) {
  if (has_plain_array(type)) return sql;
  if (type.ends_with("[]")) return sql + "::" + type;  // by array_in(), and its elements by theirs
  return R"((('{"' || replace(replace()" + sql + R"(, E'\\', E'\\\\'), '"', E'\\"') || '"}')::)" + type + "[])[1]";
}

}  // namespace text_input
}  // namespace pgtandem::sql
