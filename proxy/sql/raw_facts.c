/* Facts: the names that a statement mentions, collected in a growing array. */
#include <stdlib.h>
#include <string.h>

#include "proxy/sql/raw_internal.h"

enum { first_capacity = 8 };

void raw_add_fact(raw_statement* s, raw_fact fact) {
  if (s->fact_count == s->fact_capacity) {
    size_t capacity = s->fact_capacity ? s->fact_capacity * 2 : first_capacity;
    raw_fact* facts = realloc(s->facts, capacity * sizeof *facts);
    if (!facts) {
      raw_mark(s, raw_no_memory);
      return;
    }
    s->facts = facts;
    s->fact_capacity = capacity;
  }
  s->facts[s->fact_count++] = fact;
}

raw_fact raw_relation_fact(const RangeVar* relation) {
  return (raw_fact){.kind = raw_fact_relation,
                    .schema = relation->schemaname,
                    .name = relation->relname,
                    .alias = relation->alias ? relation->alias->aliasname : relation->relname};
}

bool raw_is_temporary(const RangeVar* relation) {
  return relation->relpersistence == 't' || (relation->schemaname && strcmp(relation->schemaname, "pg_temp") == 0);
}
