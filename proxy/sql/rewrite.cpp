#include "proxy/sql/rewrite.hpp"

#include <algorithm>
#include <cstdint>

#include "proxy/sql/prepare_text.hpp"

namespace pgtandem::sql {
namespace {

// Names are qualified throughout: the client's search_path may hide pg_catalog's.
std::string ddl_version_expression(oid sequence) {
  if (sequence == 0) return "NULL::pg_catalog.int8";
  return "pg_catalog.pg_sequence_last_value(" + std::to_string(sequence) + ")";
}

// In ISO style every date and time zone is written out in full, and the two IntervalStyles are exact: read back under
// any settings they are the same (datetime.c, EncodeDateTime, EncodeInterval).
constexpr const char* styles_hold =
    "pg_catalog.starts_with(pg_catalog.current_setting('DateStyle'), 'ISO') AND "
    "pg_catalog.starts_with(pg_catalog.current_setting('IntervalStyle'), 'postgres')";

// The catalog's name, which is UTF-8, in ASCII: U&"…", which is read alike whatever standard_conforming_strings is (scan.l).
std::string ascii_ident(const std::string& name) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "U&\"";
  for (std::size_t i = 0; i < name.size();) {
    const auto lead = static_cast<unsigned char>(name[i]);
    if (lead < 0x80) {
      if (lead == '"' || lead == '\\') out += name[i];
      out += name[i++];
      continue;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    std::uint32_t point = lead & (0xffu >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < name.size(); ++k) point = point << 6 | (static_cast<unsigned char>(name[i + k]) & 0x3f);
    i += length;
    out += "\\+";
    for (int shift = 20; shift >= 0; shift -= 4) out += digits[point >> shift & 0xf];
  }
  return out + '"';
}

std::string column_ident(const std::string& name, bool utf8) {
  const bool ascii = std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return utf8 || ascii ? quote_ident(name) : ascii_ident(name);
}

std::string row_expression(const table& t, const std::string& prefix, oid sequence, bool prove_styles, bool utf8) {
  const std::string version = ddl_version_expression(sequence);
  std::string row = "ROW(" + prefix + "tableoid, ";
  row += prove_styles ? "CASE WHEN " + std::string(styles_hold) + " THEN " + version + " ELSE -1 END" : version;
  for (const column& c : t.columns)
    if (!c.generated) row += ", " + prefix + column_ident(c.name, utf8);
  return row + ")";
}

// How the statement's RETURNING names its target, with the dot. A schema that is written out stays: in `DELETE FROM a.t
// USING b.t` the name alone would be ambiguous.
std::string target_prefix(const relation_name& r) { return (r.aliased ? quote_ident(r.alias) : r.quoted()) + "."; }

std::string image_of(const table& t, const std::string& prefix, const capture_options& o) {
  const bool through_function = t.any_fragile || (t.any_styled && !o.iso);
  std::string image = row_expression(t, prefix, o.ddl_version_sequence, t.any_styled && !through_function, !o.hex);
  if (through_function) image = "pgtandem.image(" + image + ")";
  image += "::pg_catalog.text";
  return o.hex ? "pg_catalog.encode(pg_catalog.convert_to(" + image + ", 'UTF8'), 'hex')" : image;
}

// On a line of its own: a trailing `--` comment must not swallow it. RETURNING is the last clause of every statement
// that has one.
std::string image_clause(const statement& s, const table& t, const capture_options& o) {
  return (s.returning ? "\n, " : "\nRETURNING ") + image_of(t, target_prefix(s.relation), o);
}

// Characters in `text`: bytes that do not continue one, if it is UTF-8.
std::size_t characters(std::string_view text, bool utf8) {
  if (!utf8) return text.size();
  std::size_t n = 0;
  for (char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

}  // namespace

std::string image_expression(const table& t, std::string_view alias, const capture_options& o) {
  return image_of(t, quote_ident(alias) + ".", o);
}

std::string with_image(std::string_view text, const statement& s, const table& t, const capture_options& o) {
  return std::string(text) + image_clause(s, t, o);
}

std::size_t rewritten_text::original_offset(std::size_t position, bool utf8) const {
  std::size_t added = 0, counted = 0, from = 0;  // characters of insertions, characters before byte `from`
  for (const inserted& i : insertions) {
    counted += characters(std::string_view(text).substr(from, i.at - from), utf8);
    if (position <= counted) return position - added;
    const std::size_t length = characters(std::string_view(text).substr(i.at, i.length), utf8);
    if (position <= counted + length) return 0;
    counted += length;
    added += length;
    from = i.at + i.length;
  }
  return position - added;
}

rewritten_text rewrite_all(std::string_view sql, const analysis& a, std::span<const rewrite_target> targets,
                           const capture_options& o) {
  rewritten_text out;
  std::size_t copied = 0;
  for (const rewrite_target& target : targets) {
    const statement& s = a.statements[target.statement];
    std::size_t end = a.ranges[target.statement].end;
    if (s.kind == statement_kind::execute) {
      const std::size_t begin = a.ranges[target.statement].begin;
      end = begin + execute_name_end(sql.substr(begin, end - begin), s.name).value_or(0);
    }
    out.text += sql.substr(copied, end - copied);
    copied = end;
    const std::string clause =
        s.kind == statement_kind::execute ? std::string(target.suffix) : image_clause(s, *target.relation, o);
    out.insertions.push_back({out.text.size(), clause.size()});
    out.text += clause;
  }
  out.text += sql.substr(copied);
  return out;
}

}  // namespace pgtandem::sql
