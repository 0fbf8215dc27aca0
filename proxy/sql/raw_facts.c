/* What a statement is called and the names that it mentions, collected in a growing array. */
#include <stdlib.h>
#include <string.h>

#include "proxy/sql/raw_internal.h"

enum { first_capacity = 8 };

void raw_name_as(raw_statement* s, raw_kind kind, const char* construct) {
  s->kind = kind;
  s->construct = construct;
  s->object = NULL;
}

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
                    .alias = relation->alias ? relation->alias->aliasname : NULL};
}

bool raw_is_temporary(const RangeVar* relation) {
  return relation->relpersistence == 't' || (relation->schemaname && strcmp(relation->schemaname, "pg_temp") == 0);
}

void raw_add_relation(raw_statement* s, const RangeVar* relation) { raw_add_fact(s, raw_relation_fact(relation)); }

void raw_add_relations(raw_statement* s, const List* relations) {
  const ListCell* cell;
  foreach (cell, relations) raw_add_relation(s, lfirst(cell));
}
