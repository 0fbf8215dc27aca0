#include "proxy/database/catalog_loader.hpp"

#include "proxy/database/catalog_builder.hpp"
#include "proxy/database/catalog_queries.hpp"
#include "proxy/database/schema.hpp"

namespace pgtandem::database {

namespace {

constexpr int attempts = 5;  // loads while tables keep changing

struct version {
  sql::oid sequence = 0;  // 0: the schema pgtandem is not there
  std::int64_t value = 0;
};

result<version> read_version(connection& c) {
  auto r = c.execute(catalog_query::ddl_version);
  if (!r) return r.error();
  version v;
  if (r->size() == 1) {
    v.sequence = static_cast<sql::oid>(r->integer(0, 0));
    v.value = r->integer(0, 1);
  }
  return v;
}

// A counted change is visible only after its transaction, which holds the lock shared; whoever gets it has seen them
// all end.
result<version> settled_version(connection& c) {
  if (auto r = c.run("BEGIN; SET LOCAL lock_timeout = '1s'; SELECT pg_catalog.pg_advisory_xact_lock(" +
                     std::to_string(ddl_lock) + ")");
      !r) {
    if (!r.error().lost) (void)c.run("ROLLBACK");
    return r.error();
  }
  auto v = read_version(c);
  if (auto r = c.run("COMMIT"); !r) return r.error();
  return v;
}

result<void> read_all(connection& c, catalog_builder& b) {
  using step = void (catalog_builder::*)(const rows&);
  const std::pair<std::string_view, step> steps[] = {
      {catalog_query::relations, &catalog_builder::relations},
      {catalog_query::inheritance, &catalog_builder::inheritance},
      {catalog_query::columns, &catalog_builder::columns},
      {catalog_query::indexes, &catalog_builder::indexes},
      {catalog_query::index_hashes, &catalog_builder::index_hashes},
      {catalog_query::foreign_keys, &catalog_builder::foreign_keys},
      {catalog_query::unsure_defaults, &catalog_builder::unsure_defaults},
      {catalog_query::deferrable, &catalog_builder::deferrable},
      {catalog_query::triggers, &catalog_builder::triggers},
      {catalog_query::writing_functions, &catalog_builder::writing_functions},
      {catalog_query::default_calls, &catalog_builder::default_calls},
      {catalog_query::view_calls, &catalog_builder::view_calls},
      {catalog_query::view_reads, &catalog_builder::view_reads},
      {catalog_query::setting_bodies, &catalog_builder::setting_bodies},
  };
  for (const auto& [sql, take] : steps) {
    auto r = c.execute(sql);
    if (!r) return r.error();
    (b.*take)(*r);
  }
  return {};
}

// search_path is empty of user schemas so that format_type() and pg_get_indexdef() write every name in full.
result<sql::catalog_ptr> load_once(connection& c, const load_options& o, const version& v) {
  if (auto r = c.run(
          "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = pg_catalog; SET LOCAL jit = off");
      !r)
    return r.error();
  catalog_builder b(o);
  auto read = read_all(c, b);
  if (!read) {
    if (!read.error().lost) (void)c.run("ROLLBACK");
    return read.error();
  }
  if (auto r = c.run("COMMIT"); !r) return r.error();
  return b.finish(v.value, v.sequence);
}

}  // namespace

result<sql::catalog_ptr> load_catalog(connection& c, const load_options& o) {
  for (int n = 0; n < attempts; ++n) {
    auto before = settled_version(c);
    if (!before) return before.error();
    auto loaded = load_once(c, o, *before);
    if (!loaded) return loaded;
    auto after = read_version(c);
    if (!after) return after.error();
    if (after->value == before->value && after->sequence == before->sequence) return loaded;
  }
  return error("55P03", "tables kept changing while the catalog was read");
}

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] == text[t] && pattern[p] != '*'))) {
      ++p, ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (star != std::string_view::npos) {  // let the last star take one character more
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace pgtandem::database
