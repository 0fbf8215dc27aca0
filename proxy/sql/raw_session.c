/* Transaction control and statements about the session itself. */
#include <string.h>
#include <strings.h>

#include "proxy/sql/raw_refine.h"

static const struct transaction_rule {
  raw_kind kind;
  const char* construct;
} transaction_rules[] = {
    [TRANS_STMT_BEGIN] = {raw_begin, "BEGIN"},
    [TRANS_STMT_START] = {raw_begin, "START TRANSACTION"},
    [TRANS_STMT_COMMIT] = {raw_commit, "COMMIT"},
    [TRANS_STMT_ROLLBACK] = {raw_rollback, "ROLLBACK"},
    [TRANS_STMT_SAVEPOINT] = {raw_savepoint, "SAVEPOINT"},
    [TRANS_STMT_RELEASE] = {raw_release, "RELEASE"},
    [TRANS_STMT_ROLLBACK_TO] = {raw_rollback_to, "ROLLBACK TO"},
    [TRANS_STMT_PREPARE] = {raw_uncaptured, "PREPARE TRANSACTION"},
    [TRANS_STMT_COMMIT_PREPARED] = {raw_uncaptured, "COMMIT PREPARED"},
    [TRANS_STMT_ROLLBACK_PREPARED] = {raw_uncaptured, "ROLLBACK PREPARED"},
};

/* READ ONLY among the modes of SET TRANSACTION or BEGIN (which has effect inside a block, too). */
static void read_only_of(const List* modes, raw_statement* s) {
  const ListCell* cell;
  foreach (cell, modes) {
    const DefElem* mode = lfirst_node(DefElem, cell);
    if (strcmp(mode->defname, "transaction_read_only") == 0 && ((const A_Const*)mode->arg)->val.ival.ival)
      raw_mark(s, raw_read_only);
  }
}

void raw_refine_transaction(const void* node, raw_statement* s) {
  const TransactionStmt* transaction = node;
  const struct transaction_rule* rule = &transaction_rules[transaction->kind];
  raw_name_as(s, rule->kind, rule->construct);
  s->name = transaction->savepoint_name;
  if (transaction->chain) raw_mark(s, raw_chain);
  read_only_of(transaction->options, s);
}

void raw_refine_set(const void* node, raw_statement* s) {
  const VariableSetStmt* set = node;
  if (set->kind == VAR_RESET || set->kind == VAR_RESET_ALL) s->construct = "RESET";
  s->name = set->name;
  if (set->kind == VAR_SET_MULTI) { /* SET TRANSACTION …, SET SESSION CHARACTERISTICS … */
    if (strncmp(set->name, "TRANSACTION", strlen("TRANSACTION")) != 0) raw_mark(s, raw_changes_settings);
    else read_only_of(set->args, s);
    return;
  }
  raw_mark(s, raw_changes_settings);
  if (set->name && strcasecmp(set->name, "transaction_read_only") == 0) raw_mark(s, raw_read_only); /* or not: rare */
  if (set->name && (strcasecmp(set->name, "role") == 0 || strcasecmp(set->name, "session_authorization") == 0))
    raw_mark(s, raw_changes_role);
}

void raw_refine_discard(const void* node, raw_statement* s) {
  static const char* const names[] = {
      [DISCARD_ALL] = "ALL", [DISCARD_PLANS] = "PLANS", [DISCARD_SEQUENCES] = "SEQUENCES", [DISCARD_TEMP] = "TEMP"};
  DiscardMode target = ((const DiscardStmt*)node)->target;
  s->name = s->object = names[target];
  if (target == DISCARD_ALL) raw_mark(s, raw_changes_settings | raw_changes_role);
}

void raw_refine_listen(const void* node, raw_statement* s) {
  (void)node;
  raw_mark(s, raw_holds_session);
}

void raw_refine_vacuum(const void* node, raw_statement* s) {
  s->construct = ((const VacuumStmt*)node)->is_vacuumcmd ? "VACUUM" : "ANALYZE";
}

void raw_refine_fetch(const void* node, raw_statement* s) {
  s->construct = ((const FetchStmt*)node)->ismove ? "MOVE" : "FETCH";
}

void raw_refine_do(const void* node, raw_statement* s) {
  const ListCell* cell;
  raw_mark(s, raw_by_value);
  foreach (cell, ((const DoStmt*)node)->args) {
    const DefElem* part = lfirst_node(DefElem, cell);
    if (strcmp(part->defname, "as") == 0 && part->arg && nodeTag(part->arg) == T_String)
      raw_add_fact(s, (raw_fact){.kind = raw_fact_body, .name = strVal(part->arg)});
  }
}

void raw_refine_call(const void* node, raw_statement* s) { raw_walk(((const CallStmt*)node)->funccall, s); }
