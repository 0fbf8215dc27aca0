/* What the C files of the raw tree share. Includes PostgreSQL's headers: no C++ file may include this one.
 *
 * These headers declare libpg_query's thread-local variables as plain ones: never touch a global of PostgreSQL here
 * (CurrentMemoryContext, palloc's macros, PG_TRY); memory is malloc's and goes with the tree. */
#pragma once
/* PostgreSQL's headers want this order. */
/* clang-format off */
#include "postgres.h"
#include "nodes/nodes.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
/* clang-format on */
#include "proxy/sql/raw_tree.h"

static inline void raw_mark(raw_statement* s, unsigned flag) { s->flags |= flag; }
static inline bool raw_marked(const raw_statement* s, unsigned flag) { return (s->flags & flag) != 0; }

/* raw_facts.c */
void raw_name_as(raw_statement* s, raw_kind kind, const char* construct);
void raw_add_fact(raw_statement* s, raw_fact fact);
void raw_add_relation(raw_statement* s, const RangeVar* relation);
void raw_add_relations(raw_statement* s, const List* relations);
raw_fact raw_relation_fact(const RangeVar* relation);
bool raw_is_temporary(const RangeVar* relation);

/* raw_walk.c: everything an expression or query below `root` names or calls becomes facts and flags of `s`. */
void raw_walk(const void* root, raw_statement* s);

/* raw_rules.c: fills all of `s` but its byte range. */
void raw_classify(const Node* node, raw_statement* s);
void raw_statement_free(raw_statement* s);
