// Quoting of identifiers and literals, and names made of them.
#include <algorithm>

#include "proxy/sql/analysis.hpp"
#include "proxy/sql/raw_tree.h"
#include "proxy/sql/rewrite.hpp"

namespace pgtandem::sql {
namespace {

bool is_plain_start(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }
bool is_plain(char c) { return is_plain_start(c) || (c >= '0' && c <= '9'); }

// The rule of PostgreSQL's quote_ident(), so that names made here equal those a server makes.
bool needs_quotes(const std::string& name) {
  if (name.empty() || !is_plain_start(name[0]) || !std::all_of(name.begin(), name.end(), is_plain)) return true;
  return raw_keyword_needs_quotes(name.c_str());
}

std::string wrapped(std::string_view text, char quote) {
  std::string out(1, quote);
  for (char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  out += quote;
  return out;
}

}  // namespace

std::string quote_ident(std::string_view name) {
  std::string plain(name);
  return needs_quotes(plain) ? wrapped(name, '"') : plain;
}

// Like quote_literal(): with a backslash in it the text becomes an E string, right whatever standard_conforming_strings
// is.
std::string quote_literal(std::string_view text) {
  if (text.find('\\') == std::string_view::npos) return wrapped(text, '\'');
  std::string doubled;
  for (char c : text) {
    if (c == '\\') doubled += c;
    doubled += c;
  }
  return " E" + wrapped(doubled, '\'');
}

std::string relation_name::quoted() const {
  return schema.empty() ? quote_ident(name) : quote_ident(schema) + "." + quote_ident(name);
}

}  // namespace pgtandem::sql
