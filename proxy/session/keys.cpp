#include "proxy/session/keys.hpp"

#include "proxy/session/image.hpp"

namespace pgtandem::session {
namespace {

class builder {
 public:
  explicit builder(std::size_t max) : max_(max) {}

  // false once there are too many
  bool add(std::string_view relation, const std::vector<std::string>* key, const std::vector<std::string>* scope) {
    std::string element = "[";
    append_json_string(element, relation);
    list(element, key);
    list(element, scope);
    element += ']';
    if (!seen_.insert(element).second) return true;
    if (seen_.size() > max_) return false;
    text_ += text_.empty() ? "[" : ",";
    text_ += element;
    return true;
  }
  std::string take() { return text_.empty() ? "[]" : std::move(text_) + "]"; }

 private:
  static void list(std::string& out, const std::vector<std::string>* values) {
    out += ',';
    if (!values) {
      out += "null";
      return;
    }
    out += '[';
    for (std::size_t i = 0; i < values->size(); ++i) {
      if (i) out += ',';
      append_json_string(out, (*values)[i]);
    }
    out += ']';
  }

  std::size_t max_;
  std::set<std::string> seen_;
  std::string text_;
};

std::size_t column_named(const sql::table& t, const std::string& name) {
  for (std::size_t i = 0; i < t.columns.size(); ++i)
    if (t.columns[i].name == name) return i;
  return t.columns.size();
}

// Tables below `t` along foreign keys with an action: a cascade may reach them, whoever their rows' parents were.
void add_below(builder& b, const sql::table& t, const sql::catalog& c, std::set<sql::oid>& visited) {
  for (const sql::reference& r : t.referenced_by) {
    if (r.on_delete == sql::fk_action::none && r.on_update == sql::fk_action::none) continue;
    const sql::table* child = c.find(r.child);
    if (!child || !visited.insert(child->id).second) continue;
    b.add(child->qualified, nullptr, nullptr);
    add_below(b, *child, c, visited);
  }
}

// A deleted row of `t`: its children by value, its grandchildren as whole tables.
bool add_scopes(builder& b, const sql::table& t, const std::vector<field>& fields, const sql::catalog& c) {
  for (const sql::reference& r : t.referenced_by) {
    if (r.on_delete == sql::fk_action::none) continue;
    const sql::table* child = c.find(r.child);
    if (!child) continue;
    std::vector<std::string> values;
    for (const std::string& column : r.parent_columns) {
      std::size_t i = column_named(t, column), at = i < t.columns.size() ? field_of(t, i) : 0;
      if (at == 0 || at >= fields.size() || !fields[at]) break;   // NULL references nothing
      values.push_back(*fields[at]);
    }
    if (values.size() != r.parent_columns.size()) continue;
    if (!b.add(child->qualified, &values, &r.child_columns)) return false;
    std::set<sql::oid> visited;  // `t` too: what a chain of references brings back to it has no value here either
    if (r.on_delete == sql::fk_action::cascade) add_below(b, *child, c, visited);
  }
  return true;
}

bool add_effect(builder& b, const op& o, const effect& e, const sql::catalog& c, std::vector<field>& fields) {
  if (e.kind == effect_kind::truncate) return b.add(e.table->qualified, nullptr, nullptr);
  std::vector<std::string> key;
  if (!parse_record(std::string_view(o.images).substr(e.offset, e.length), fields) || !key_of(*e.table, fields, key))
    return b.add(e.table->qualified, nullptr, nullptr);
  if (!b.add(e.table->qualified, &key, nullptr)) return false;
  return e.kind != effect_kind::remove || add_scopes(b, *e.table, fields, c);
}

std::string whole_tables(const op& o, const sql::catalog& c, const std::set<std::string>& whole) {
  builder b(static_cast<std::size_t>(-1));
  for (const std::string& name : whole) b.add(name, nullptr, nullptr);
  for (const effect& e : o.effects) {
    b.add(e.table->qualified, nullptr, nullptr);
    std::set<sql::oid> visited{e.table->id};
    if (e.kind == effect_kind::remove) add_below(b, *e.table, c, visited);
  }
  return b.take();
}

}  // namespace

std::string keys_json(const op& o, const sql::catalog& catalog, std::size_t keys_max, const std::set<std::string>& whole) {
  if (!whole.empty()) return whole_tables(o, catalog, whole);
  builder b(keys_max);
  std::vector<field> fields;
  for (const effect& e : o.effects)
    if (!add_effect(b, o, e, catalog, fields)) return whole_tables(o, catalog, whole);
  return b.take();
}

std::size_t field_of(const sql::table& t, std::size_t column) {
  if (t.columns[column].generated) return 0;
  std::size_t at = 2;   // after tableoid and ddl_version
  for (std::size_t i = 0; i < column; ++i) at += !t.columns[i].generated;
  return at;
}

bool key_of(const sql::table& t, const std::vector<std::optional<std::string>>& fields, std::vector<std::string>& key) {
  key.clear();
  for (std::uint16_t k : t.key) {
    std::size_t at = field_of(t, k);
    if (at == 0 || at >= fields.size() || !fields[at]) return false;
    key.push_back(*fields[at]);
  }
  return !key.empty();
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += hex[(c >> 4) & 0xf];
          out += hex[c & 0xf];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

namespace {

void append_escape(std::string& out, std::uint32_t unit) {
  static constexpr char hex[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += hex[(unit >> shift) & 0xf];
}

// Takes the character that begins at text[at], a byte beyond ASCII. 0: it is none; one byte is taken.
std::uint32_t take_character(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  const int more = lead >= 0xf0 && lead < 0xf8 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  if (more == 0 || lead >= 0xf8) return 0;
  std::uint32_t c = lead & (0x3fu >> more);
  if (at + static_cast<std::size_t>(more) > text.size()) return 0;
  for (int i = 0; i < more; ++i) {
    const auto byte = static_cast<unsigned char>(text[at + static_cast<std::size_t>(i)]);
    if ((byte & 0xc0) != 0x80) return 0;
    c = c << 6 | (byte & 0x3fu);
  }
  at += static_cast<std::size_t>(more);
  return c;
}

}  // namespace

std::string ascii_json(std::string_view utf8) {
  static constexpr std::uint32_t beyond_bmp = 0x10000;
  std::string out;
  out.reserve(utf8.size());
  for (std::size_t at = 0; at < utf8.size();) {
    if (static_cast<unsigned char>(utf8[at]) < 0x80) {
      out += utf8[at++];
      continue;
    }
    const std::size_t from = at;
    const std::uint32_t c = take_character(utf8, at);
    if (c == 0) {
      out += utf8[from];
    } else if (c < beyond_bmp) {
      append_escape(out, c);
    } else {
      append_escape(out, 0xd800 + ((c - beyond_bmp) >> 10));
      append_escape(out, 0xdc00 + ((c - beyond_bmp) & 0x3ff));
    }
  }
  return out;
}

}  // namespace pgtandem::session
