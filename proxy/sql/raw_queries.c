/* Queries and writes, and what wraps them: COPY, cursors, prepared statements, EXPLAIN. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proxy/sql/raw_refine.h"

static void add_set_columns(raw_statement* s, const List* targets) {
  const ListCell* cell;
  foreach (cell, targets)
    raw_add_fact(s, (raw_fact){.kind = raw_fact_set_column, .name = lfirst_node(ResTarget, cell)->name});
}

void raw_refine_select(const void* node, raw_statement* s) {
  raw_walk(node, s);
  if (raw_marked(s, raw_select_into)) raw_name_as(s, raw_uncaptured, "SELECT INTO");
  if (raw_marked(s, raw_select_into_temp)) raw_name_as(s, raw_create_temp, "SELECT INTO");
}

void raw_refine_insert(const void* node, raw_statement* s) {
  const InsertStmt* insert = node;
  s->relation = raw_relation_fact(insert->relation);
  if (insert->returningList) raw_mark(s, raw_returning);
  if (insert->onConflictClause) add_set_columns(s, insert->onConflictClause->targetList);
  raw_walk(node, s);
}

void raw_refine_update(const void* node, raw_statement* s) {
  const UpdateStmt* update = node;
  s->relation = raw_relation_fact(update->relation);
  if (!update->relation->inh) raw_mark(s, raw_only);
  if (update->returningList) raw_mark(s, raw_returning);
  add_set_columns(s, update->targetList);
  raw_walk(node, s);
}

void raw_refine_delete(const void* node, raw_statement* s) {
  const DeleteStmt* delete = node;
  s->relation = raw_relation_fact(delete->relation);
  if (!delete->relation->inh) raw_mark(s, raw_only);
  if (delete->returningList) raw_mark(s, raw_returning);
  raw_walk(node, s);
}

void raw_refine_merge(const void* node, raw_statement* s) {
  raw_add_relation(s, ((const MergeStmt*)node)->relation);
  raw_walk(node, s);
}

void raw_refine_truncate(const void* node, raw_statement* s) {
  const TruncateStmt* truncate = node;
  raw_add_relations(s, truncate->relations);
  if (truncate->behavior == DROP_CASCADE) raw_mark(s, raw_cascade);
  if (truncate->restart_seqs) raw_mark(s, raw_restart_identity);
}

void raw_refine_copy(const void* node, raw_statement* s) {
  const CopyStmt* copy = node;
  const char* direction = copy->is_from ? "COPY FROM" : "COPY TO";
  raw_name_as(s, copy->is_from ? raw_copy_from : raw_copy_to, direction);
  if (copy->relation) s->relation = raw_relation_fact(copy->relation);
  raw_walk(copy->whereClause, s);
  if (copy->query) {
    raw_walk(copy->query, s);
    if (nodeTag(copy->query) != T_SelectStmt || raw_marked(s, raw_select_into | raw_select_into_temp))
      raw_name_as(s, raw_uncaptured, "COPY of a writing query");
  } else if (!copy->is_from) {
    raw_fact read = s->relation;
    read.kind = raw_fact_reads;
    raw_add_fact(s, read);
  }
  if (copy->filename && s->kind != raw_uncaptured) {
    s->object = copy->is_program ? "PROGRAM" : "file";
    if (s->kind == raw_copy_from) s->kind = raw_uncaptured;
    if (s->kind == raw_copy_to) s->kind = raw_session;
  }
}

/* Cursors, prepared statements, EXPLAIN */

void raw_refine_cursor(const void* node, raw_statement* s) {
  const DeclareCursorStmt* declare = node;
  if (declare->options & CURSOR_OPT_HOLD) raw_mark(s, raw_holds_session);
  raw_walk(declare->query, s);
  if (raw_marked(s, raw_select_into | raw_select_into_temp)) raw_name_as(s, raw_uncaptured, "SELECT INTO");
}

void raw_refine_prepare(const void* node, raw_statement* s) {
  const PrepareStmt* prepare = node;
  s->name = prepare->name;
  s->inner = calloc(1, sizeof *s->inner);
  if (!s->inner) {
    raw_mark(s, raw_no_memory);
    return;
  }
  raw_classify(prepare->query, s->inner);
  s->flags |= s->inner->flags & (raw_no_memory | raw_by_value);
}

void raw_refine_execute(const void* node, raw_statement* s) {
  const ExecuteStmt* execute = node;
  s->name = execute->name;
  s->arguments = (size_t)list_length(execute->params);
  raw_walk(execute->params, s);
}

void raw_refine_deallocate(const void* node, raw_statement* s) { s->name = ((const DeallocateStmt*)node)->name; }

/* defGetBoolean()'s rule. A value that it would refuse counts as true: the server says so. */
static bool option_is_true(const DefElem* option) {
  if (!option->arg) return true;
  if (nodeTag(option->arg) == T_Integer) return intVal(option->arg) != 0;
  if (nodeTag(option->arg) != T_String) return true;
  return strcasecmp(strVal(option->arg), "false") != 0 && strcasecmp(strVal(option->arg), "off") != 0;
}

void raw_refine_explain(const void* node, raw_statement* s) {
  const ExplainStmt* explain = node;
  bool executes = false;
  raw_mark(s, raw_by_value);
  const ListCell* cell;
  foreach (cell, explain->options) {
    const DefElem* option = lfirst_node(DefElem, cell);
    if (strcmp(option->defname, "analyze") == 0) executes = option_is_true(option);
  }
  raw_statement query = {0};
  raw_classify(explain->query, &query);
  s->flags |= query.flags & (raw_has_parameters | raw_no_memory);
  if (executes && query.kind == raw_read) {
    s->flags |= query.flags;
    s->facts = query.facts;
    s->fact_count = query.fact_count;
    s->fact_capacity = query.fact_capacity;
    query.facts = NULL;
  } else if (executes) {
    raw_name_as(s, raw_uncaptured, "EXPLAIN ANALYZE");
  }
  raw_statement_free(&query);
}
