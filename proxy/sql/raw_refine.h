/* What a rule (raw_rules.c) does beyond naming a statement: one function per node type that has more to say.
 *
 * Each gets a node of its type and the statement, already named by its rule; it may name it anew. */
#pragma once
#include "proxy/sql/raw_internal.h"

/* raw_queries.c */
void raw_refine_select(const void* node, raw_statement* s);
void raw_refine_insert(const void* node, raw_statement* s);
void raw_refine_update(const void* node, raw_statement* s);
void raw_refine_delete(const void* node, raw_statement* s);
void raw_refine_merge(const void* node, raw_statement* s);
void raw_refine_truncate(const void* node, raw_statement* s);
void raw_refine_copy(const void* node, raw_statement* s);
void raw_refine_cursor(const void* node, raw_statement* s);
void raw_refine_prepare(const void* node, raw_statement* s);
void raw_refine_execute(const void* node, raw_statement* s);
void raw_refine_deallocate(const void* node, raw_statement* s);
void raw_refine_explain(const void* node, raw_statement* s);

/* raw_session.c */
void raw_refine_transaction(const void* node, raw_statement* s);
void raw_refine_set(const void* node, raw_statement* s);
void raw_refine_discard(const void* node, raw_statement* s);
void raw_refine_listen(const void* node, raw_statement* s);
void raw_refine_vacuum(const void* node, raw_statement* s);
void raw_refine_fetch(const void* node, raw_statement* s);
void raw_refine_do(const void* node, raw_statement* s);
void raw_refine_call(const void* node, raw_statement* s);

/* raw_definitions.c */
void raw_refine_create_table(const void* node, raw_statement* s);
void raw_refine_create_view(const void* node, raw_statement* s);
void raw_refine_create_sequence(const void* node, raw_statement* s);
void raw_refine_create_as(const void* node, raw_statement* s);
void raw_refine_drop(const void* node, raw_statement* s);
void raw_refine_rename(const void* node, raw_statement* s);
void raw_refine_set_schema(const void* node, raw_statement* s);
void raw_refine_set_owner(const void* node, raw_statement* s);
void raw_refine_depends(const void* node, raw_statement* s);
void raw_refine_alter_table(const void* node, raw_statement* s);
void raw_refine_move_all(const void* node, raw_statement* s);
void raw_refine_define(const void* node, raw_statement* s);
void raw_refine_index(const void* node, raw_statement* s);
void raw_refine_function(const void* node, raw_statement* s);
void raw_refine_alter_function(const void* node, raw_statement* s);
void raw_refine_grant(const void* node, raw_statement* s);
void raw_refine_grant_role(const void* node, raw_statement* s);
