/* One row per kind of statement in PostgreSQL 15's grammar: what the proxy calls it and what it does with it.
 *
 * Constructs are spelled like command tags. Whatever may write and has no other row of its own is raw_uncaptured; a
 * statement without a row is uncaptured as well. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proxy/sql/raw_internal.h"

/* Second words of CREATE, ALTER and DROP; a part of something is named by the whole. */
static const char* const object_names[] = {
    [OBJECT_ACCESS_METHOD] = "ACCESS METHOD",
    [OBJECT_AGGREGATE] = "AGGREGATE",
    [OBJECT_ATTRIBUTE] = "TYPE",
    [OBJECT_CAST] = "CAST",
    [OBJECT_COLUMN] = "TABLE",
    [OBJECT_COLLATION] = "COLLATION",
    [OBJECT_CONVERSION] = "CONVERSION",
    [OBJECT_DATABASE] = "DATABASE",
    [OBJECT_DOMAIN] = "DOMAIN",
    [OBJECT_DOMCONSTRAINT] = "DOMAIN",
    [OBJECT_EVENT_TRIGGER] = "EVENT TRIGGER",
    [OBJECT_EXTENSION] = "EXTENSION",
    [OBJECT_FDW] = "FOREIGN DATA WRAPPER",
    [OBJECT_FOREIGN_SERVER] = "SERVER",
    [OBJECT_FOREIGN_TABLE] = "FOREIGN TABLE",
    [OBJECT_FUNCTION] = "FUNCTION",
    [OBJECT_INDEX] = "INDEX",
    [OBJECT_LANGUAGE] = "LANGUAGE",
    [OBJECT_LARGEOBJECT] = "LARGE OBJECT",
    [OBJECT_MATVIEW] = "MATERIALIZED VIEW",
    [OBJECT_OPCLASS] = "OPERATOR CLASS",
    [OBJECT_OPERATOR] = "OPERATOR",
    [OBJECT_OPFAMILY] = "OPERATOR FAMILY",
    [OBJECT_POLICY] = "POLICY",
    [OBJECT_PROCEDURE] = "PROCEDURE",
    [OBJECT_PUBLICATION] = "PUBLICATION",
    [OBJECT_ROLE] = "ROLE",
    [OBJECT_ROUTINE] = "ROUTINE",
    [OBJECT_RULE] = "RULE",
    [OBJECT_SCHEMA] = "SCHEMA",
    [OBJECT_SEQUENCE] = "SEQUENCE",
    [OBJECT_STATISTIC_EXT] = "STATISTICS",
    [OBJECT_SUBSCRIPTION] = "SUBSCRIPTION",
    [OBJECT_TABCONSTRAINT] = "TABLE",
    [OBJECT_TABLE] = "TABLE",
    [OBJECT_TABLESPACE] = "TABLESPACE",
    [OBJECT_TRANSFORM] = "TRANSFORM",
    [OBJECT_TRIGGER] = "TRIGGER",
    [OBJECT_TSCONFIGURATION] = "TEXT SEARCH CONFIGURATION",
    [OBJECT_TSDICTIONARY] = "TEXT SEARCH DICTIONARY",
    [OBJECT_TSPARSER] = "TEXT SEARCH PARSER",
    [OBJECT_TSTEMPLATE] = "TEXT SEARCH TEMPLATE",
    [OBJECT_TYPE] = "TYPE",
    [OBJECT_VIEW] = "VIEW",
};

static void name_as(raw_statement* s, raw_kind kind, const char* construct) {
  s->kind = kind;
  s->construct = construct;
  s->object = NULL;
}

static void add_relation(raw_statement* s, const RangeVar* relation) { raw_add_fact(s, raw_relation_fact(relation)); }

static void add_relations(raw_statement* s, const List* relations) {
  const ListCell* cell;
  foreach (cell, relations) add_relation(s, lfirst(cell));
}

static void add_set_columns(raw_statement* s, const List* targets) {
  const ListCell* cell;
  foreach (cell, targets)
    raw_add_fact(s, (raw_fact){.kind = raw_fact_set_column, .name = lfirst_node(ResTarget, cell)->name});
}

/* Queries */

static void refine_select(const void* node, raw_statement* s) {
  raw_walk(node, s);
  if (raw_marked(s, raw_select_into)) name_as(s, raw_uncaptured, "SELECT INTO");
  if (raw_marked(s, raw_select_into_temp)) name_as(s, raw_create_temp, "SELECT INTO");
}

static void refine_insert(const void* node, raw_statement* s) {
  const InsertStmt* insert = node;
  s->relation = raw_relation_fact(insert->relation);
  if (insert->returningList) raw_mark(s, raw_returning);
  if (insert->onConflictClause) add_set_columns(s, insert->onConflictClause->targetList);
  raw_walk(node, s);
}

static void refine_update(const void* node, raw_statement* s) {
  const UpdateStmt* update = node;
  s->relation = raw_relation_fact(update->relation);
  if (!update->relation->inh) raw_mark(s, raw_only);
  if (update->returningList) raw_mark(s, raw_returning);
  add_set_columns(s, update->targetList);
  raw_walk(node, s);
}

static void refine_delete(const void* node, raw_statement* s) {
  const DeleteStmt* delete = node;
  s->relation = raw_relation_fact(delete->relation);
  if (!delete->relation->inh) raw_mark(s, raw_only);
  if (delete->returningList) raw_mark(s, raw_returning);
  raw_walk(node, s);
}

static void refine_merge(const void* node, raw_statement* s) {
  add_relation(s, ((const MergeStmt*)node)->relation);
  raw_walk(node, s);
}

static void refine_truncate(const void* node, raw_statement* s) {
  const TruncateStmt* truncate = node;
  add_relations(s, truncate->relations);
  if (truncate->behavior == DROP_CASCADE) raw_mark(s, raw_cascade);
  if (truncate->restart_seqs) raw_mark(s, raw_restart_identity);
}

static void refine_copy(const void* node, raw_statement* s) {
  const CopyStmt* copy = node;
  const char* direction = copy->is_from ? "COPY FROM" : "COPY TO";
  name_as(s, copy->is_from ? raw_copy_from : raw_copy_to, direction);
  if (copy->relation) s->relation = raw_relation_fact(copy->relation);
  raw_walk(copy->whereClause, s);
  if (copy->query) {
    raw_walk(copy->query, s);
    if (nodeTag(copy->query) != T_SelectStmt || raw_marked(s, raw_select_into | raw_select_into_temp))
      name_as(s, raw_uncaptured, "COPY of a writing query");
  } else if (!copy->is_from) {
    raw_fact read = s->relation;
    read.kind = raw_fact_reads;
    raw_add_fact(s, read);
  }
  if (copy->filename) {
    s->object = copy->is_program ? "PROGRAM" : "file";
    if (s->kind == raw_copy_from) s->kind = raw_uncaptured;
    if (s->kind == raw_copy_to) s->kind = raw_session;
  }
}

/* Cursors, prepared statements, EXPLAIN */

static void refine_cursor(const void* node, raw_statement* s) {
  const DeclareCursorStmt* declare = node;
  if (declare->options & CURSOR_OPT_HOLD) raw_mark(s, raw_holds_session);
  raw_walk(declare->query, s);
  if (raw_marked(s, raw_select_into | raw_select_into_temp)) name_as(s, raw_uncaptured, "SELECT INTO");
}

static void refine_prepare(const void* node, raw_statement* s) {
  const PrepareStmt* prepare = node;
  s->name = prepare->name;
  s->inner = calloc(1, sizeof *s->inner);
  if (!s->inner) {
    raw_mark(s, raw_no_memory);
    return;
  }
  raw_classify(prepare->query, s->inner);
  s->flags |= s->inner->flags & raw_no_memory;
}

static void refine_execute(const void* node, raw_statement* s) {
  const ExecuteStmt* execute = node;
  s->name = execute->name;
  raw_walk(execute->params, s);
}

static void refine_deallocate(const void* node, raw_statement* s) { s->name = ((const DeallocateStmt*)node)->name; }

/* defGetBoolean()'s rule. A value that it would refuse counts as true: the server says so. */
static bool option_is_true(const DefElem* option) {
  if (!option->arg) return true;
  if (nodeTag(option->arg) == T_Integer) return intVal(option->arg) != 0;
  if (nodeTag(option->arg) != T_String) return true;
  return strcasecmp(strVal(option->arg), "false") != 0 && strcasecmp(strVal(option->arg), "off") != 0;
}

static void refine_explain(const void* node, raw_statement* s) {
  const ExplainStmt* explain = node;
  bool executes = false;
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
    name_as(s, raw_uncaptured, "EXPLAIN ANALYZE");
  }
  raw_statement_free(&query);
}

/* Transactions and the session */

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

static void refine_transaction(const void* node, raw_statement* s) {
  const TransactionStmt* transaction = node;
  const struct transaction_rule* rule = &transaction_rules[transaction->kind];
  name_as(s, rule->kind, rule->construct);
  s->name = transaction->savepoint_name;
  if (transaction->chain) raw_mark(s, raw_chain);
}

static void refine_set(const void* node, raw_statement* s) {
  const VariableSetStmt* set = node;
  if (set->kind == VAR_RESET || set->kind == VAR_RESET_ALL) s->construct = "RESET";
  s->name = set->name;
  if (set->kind == VAR_SET_MULTI) { /* SET TRANSACTION …, SET SESSION CHARACTERISTICS … */
    if (strncmp(set->name, "TRANSACTION", strlen("TRANSACTION")) != 0) raw_mark(s, raw_changes_settings);
    return;
  }
  raw_mark(s, raw_changes_settings);
  if (set->name && (strcasecmp(set->name, "role") == 0 || strcasecmp(set->name, "session_authorization") == 0))
    raw_mark(s, raw_changes_role);
}

static void refine_discard(const void* node, raw_statement* s) {
  static const char* const names[] = {
      [DISCARD_ALL] = "ALL", [DISCARD_PLANS] = "PLANS", [DISCARD_SEQUENCES] = "SEQUENCES", [DISCARD_TEMP] = "TEMP"};
  DiscardMode target = ((const DiscardStmt*)node)->target;
  s->name = s->object = names[target];
  if (target == DISCARD_ALL) raw_mark(s, raw_changes_settings | raw_changes_role);
}

static void refine_listen(const void* node, raw_statement* s) {
  (void)node;
  raw_mark(s, raw_holds_session);
}

static void refine_vacuum(const void* node, raw_statement* s) {
  s->construct = ((const VacuumStmt*)node)->is_vacuumcmd ? "VACUUM" : "ANALYZE";
}

static void refine_fetch(const void* node, raw_statement* s) {
  s->construct = ((const FetchStmt*)node)->ismove ? "MOVE" : "FETCH";
}

static void refine_call(const void* node, raw_statement* s) { raw_walk(((const CallStmt*)node)->funccall, s); }

/* Definitions */

static void refine_create(const RangeVar* relation, raw_statement* s) {
  if (raw_is_temporary(relation))
    s->kind = raw_create_temp;
  else
    add_relation(s, relation);
}

static void refine_create_table(const void* node, raw_statement* s) {
  refine_create(((const CreateStmt*)node)->relation, s);
}

static void refine_create_view(const void* node, raw_statement* s) { refine_create(((const ViewStmt*)node)->view, s); }

static void refine_create_sequence(const void* node, raw_statement* s) {
  refine_create(((const CreateSeqStmt*)node)->sequence, s);
}

/* A temporary table may be filled by any function, so the query counts; an EXECUTE's query is not here to be read. */
static void refine_create_as(const void* node, raw_statement* s) {
  const CreateTableAsStmt* create = node;
  if (create->objtype == OBJECT_MATVIEW) s->construct = "CREATE MATERIALIZED VIEW";
  if (nodeTag(create->query) == T_SelectStmt) {
    refine_create(create->into->rel, s);
    raw_walk(create->query, s);
  }
}

static void refine_drop(const void* node, raw_statement* s) {
  const DropStmt* drop = node;
  s->object = object_names[drop->removeType];
  if (drop->behavior == DROP_CASCADE) raw_mark(s, raw_cascade);
  bool relations = drop->removeType == OBJECT_TABLE || drop->removeType == OBJECT_VIEW ||
                   drop->removeType == OBJECT_MATVIEW || drop->removeType == OBJECT_SEQUENCE ||
                   drop->removeType == OBJECT_FOREIGN_TABLE || drop->removeType == OBJECT_INDEX;
  if (!relations) return;
  const ListCell* cell;
  foreach (cell, drop->objects) {
    const List* names = lfirst_node(List, cell);
    int parts = list_length(names);
    const char* name = strVal(list_nth(names, parts - 1));
    raw_add_fact(s, (raw_fact){.kind = raw_fact_relation,
                               .schema = parts > 1 ? strVal(list_nth(names, parts - 2)) : NULL,
                               .name = name,
                               .alias = name});
  }
}

static void refine_rename(const void* node, raw_statement* s) {
  const RenameStmt* rename = node;
  s->object = object_names[rename->renameType == OBJECT_COLUMN ? rename->relationType : rename->renameType];
  if (rename->relation) add_relation(s, rename->relation);
}

static void refine_set_schema(const void* node, raw_statement* s) {
  const AlterObjectSchemaStmt* alter = node;
  s->object = object_names[alter->objectType];
  if (alter->relation) add_relation(s, alter->relation);
}

static void refine_set_owner(const void* node, raw_statement* s) {
  s->object = object_names[((const AlterOwnerStmt*)node)->objectType];
}

static void refine_depends(const void* node, raw_statement* s) {
  s->object = object_names[((const AlterObjectDependsStmt*)node)->objectType];
}

static void refine_alter_table(const void* node, raw_statement* s) {
  const AlterTableStmt* alter = node;
  s->object = object_names[alter->objtype];
  add_relation(s, alter->relation);
}

static void refine_move_all(const void* node, raw_statement* s) {
  s->object = object_names[((const AlterTableMoveAllStmt*)node)->objtype];
}

static void refine_define(const void* node, raw_statement* s) {
  s->object = object_names[((const DefineStmt*)node)->kind];
}

static void refine_index(const void* node, raw_statement* s) { add_relation(s, ((const IndexStmt*)node)->relation); }

static void refine_function(const void* node, raw_statement* s) {
  if (((const CreateFunctionStmt*)node)->is_procedure) s->construct = "CREATE PROCEDURE";
}

static void refine_alter_function(const void* node, raw_statement* s) {
  s->object = object_names[((const AlterFunctionStmt*)node)->objtype];
}

static void refine_grant(const void* node, raw_statement* s) {
  if (!((const GrantStmt*)node)->is_grant) s->construct = "REVOKE";
}

static void refine_grant_role(const void* node, raw_statement* s) {
  s->construct = ((const GrantRoleStmt*)node)->is_grant ? "GRANT ROLE" : "REVOKE ROLE";
}

static const struct statement_rule {
  raw_kind kind;
  const char* construct;
  void (*refine)(const void* node, raw_statement* s);
} rules[] = {
    [T_SelectStmt] = {raw_read, "SELECT", refine_select},
    [T_InsertStmt] = {raw_insert, "INSERT", refine_insert},
    [T_UpdateStmt] = {raw_update, "UPDATE", refine_update},
    [T_DeleteStmt] = {raw_delete, "DELETE", refine_delete},
    [T_MergeStmt] = {raw_uncaptured, "MERGE", refine_merge},
    [T_TruncateStmt] = {raw_truncate, "TRUNCATE", refine_truncate},
    [T_CopyStmt] = {raw_copy_to, "COPY", refine_copy},

    [T_TransactionStmt] = {raw_begin, "BEGIN", refine_transaction},
    [T_VariableSetStmt] = {raw_set, "SET", refine_set},
    [T_ConstraintsSetStmt] = {raw_set, "SET CONSTRAINTS"},
    [T_VariableShowStmt] = {raw_read, "SHOW"},
    [T_ExplainStmt] = {raw_read, "EXPLAIN", refine_explain},
    [T_DeclareCursorStmt] = {raw_read, "DECLARE CURSOR", refine_cursor},
    [T_FetchStmt] = {raw_read, "FETCH", refine_fetch},
    [T_ClosePortalStmt] = {raw_read, "CLOSE"},
    [T_PrepareStmt] = {raw_prepare, "PREPARE", refine_prepare},
    [T_ExecuteStmt] = {raw_execute, "EXECUTE", refine_execute},
    [T_DeallocateStmt] = {raw_deallocate, "DEALLOCATE", refine_deallocate},
    [T_DiscardStmt] = {raw_discard, "DISCARD", refine_discard},

    [T_ListenStmt] = {raw_session, "LISTEN", refine_listen},
    [T_UnlistenStmt] = {raw_session, "UNLISTEN"},
    [T_NotifyStmt] = {raw_session, "NOTIFY"},
    [T_LockStmt] = {raw_session, "LOCK TABLE"},
    [T_VacuumStmt] = {raw_session, "VACUUM", refine_vacuum},
    [T_CheckPointStmt] = {raw_session, "CHECKPOINT"},
    [T_LoadStmt] = {raw_session, "LOAD"},
    [T_ReindexStmt] = {raw_session, "REINDEX"},
    [T_ClusterStmt] = {raw_session, "CLUSTER"},
    [T_AlterSystemStmt] = {raw_session, "ALTER SYSTEM"},

    [T_DoStmt] = {raw_uncaptured, "DO"},
    [T_CallStmt] = {raw_uncaptured, "CALL", refine_call},
    [T_CreateStmt] = {raw_uncaptured, "CREATE TABLE", refine_create_table},
    [T_CreateTableAsStmt] = {raw_uncaptured, "CREATE TABLE AS", refine_create_as},
    [T_ViewStmt] = {raw_uncaptured, "CREATE VIEW", refine_create_view},
    [T_CreateSeqStmt] = {raw_uncaptured, "CREATE SEQUENCE", refine_create_sequence},
    [T_IndexStmt] = {raw_uncaptured, "CREATE INDEX", refine_index},
    [T_RefreshMatViewStmt] = {raw_uncaptured, "REFRESH MATERIALIZED VIEW"},
    [T_DropStmt] = {raw_uncaptured, "DROP", refine_drop},
    [T_RenameStmt] = {raw_uncaptured, "ALTER", refine_rename},
    [T_AlterTableStmt] = {raw_uncaptured, "ALTER", refine_alter_table},
    [T_AlterTableMoveAllStmt] = {raw_uncaptured, "ALTER", refine_move_all},
    [T_AlterObjectSchemaStmt] = {raw_uncaptured, "ALTER", refine_set_schema},
    [T_AlterOwnerStmt] = {raw_uncaptured, "ALTER", refine_set_owner},
    [T_AlterObjectDependsStmt] = {raw_uncaptured, "ALTER", refine_depends},
    [T_DefineStmt] = {raw_uncaptured, "CREATE", refine_define},
    [T_CreateFunctionStmt] = {raw_uncaptured, "CREATE FUNCTION", refine_function},
    [T_AlterFunctionStmt] = {raw_uncaptured, "ALTER", refine_alter_function},
    [T_GrantStmt] = {raw_uncaptured, "GRANT", refine_grant},
    [T_GrantRoleStmt] = {raw_uncaptured, "GRANT ROLE", refine_grant_role},

    [T_AlterCollationStmt] = {raw_uncaptured, "ALTER COLLATION"},
    [T_AlterDatabaseRefreshCollStmt] = {raw_uncaptured, "ALTER DATABASE"},
    [T_AlterDatabaseSetStmt] = {raw_uncaptured, "ALTER DATABASE"},
    [T_AlterDatabaseStmt] = {raw_uncaptured, "ALTER DATABASE"},
    [T_AlterDefaultPrivilegesStmt] = {raw_uncaptured, "ALTER DEFAULT PRIVILEGES"},
    [T_AlterDomainStmt] = {raw_uncaptured, "ALTER DOMAIN"},
    [T_AlterEnumStmt] = {raw_uncaptured, "ALTER TYPE"},
    [T_AlterEventTrigStmt] = {raw_uncaptured, "ALTER EVENT TRIGGER"},
    [T_AlterExtensionContentsStmt] = {raw_uncaptured, "ALTER EXTENSION"},
    [T_AlterExtensionStmt] = {raw_uncaptured, "ALTER EXTENSION"},
    [T_AlterFdwStmt] = {raw_uncaptured, "ALTER FOREIGN DATA WRAPPER"},
    [T_AlterForeignServerStmt] = {raw_uncaptured, "ALTER SERVER"},
    [T_AlterOpFamilyStmt] = {raw_uncaptured, "ALTER OPERATOR FAMILY"},
    [T_AlterOperatorStmt] = {raw_uncaptured, "ALTER OPERATOR"},
    [T_AlterPolicyStmt] = {raw_uncaptured, "ALTER POLICY"},
    [T_AlterPublicationStmt] = {raw_uncaptured, "ALTER PUBLICATION"},
    [T_AlterRoleSetStmt] = {raw_uncaptured, "ALTER ROLE"},
    [T_AlterRoleStmt] = {raw_uncaptured, "ALTER ROLE"},
    [T_AlterSeqStmt] = {raw_uncaptured, "ALTER SEQUENCE"},
    [T_AlterStatsStmt] = {raw_uncaptured, "ALTER STATISTICS"},
    [T_AlterSubscriptionStmt] = {raw_uncaptured, "ALTER SUBSCRIPTION"},
    [T_AlterTSConfigurationStmt] = {raw_uncaptured, "ALTER TEXT SEARCH CONFIGURATION"},
    [T_AlterTSDictionaryStmt] = {raw_uncaptured, "ALTER TEXT SEARCH DICTIONARY"},
    [T_AlterTableSpaceOptionsStmt] = {raw_uncaptured, "ALTER TABLESPACE"},
    [T_AlterTypeStmt] = {raw_uncaptured, "ALTER TYPE"},
    [T_AlterUserMappingStmt] = {raw_uncaptured, "ALTER USER MAPPING"},
    [T_CommentStmt] = {raw_uncaptured, "COMMENT"},
    [T_CompositeTypeStmt] = {raw_uncaptured, "CREATE TYPE"},
    [T_CreateAmStmt] = {raw_uncaptured, "CREATE ACCESS METHOD"},
    [T_CreateCastStmt] = {raw_uncaptured, "CREATE CAST"},
    [T_CreateConversionStmt] = {raw_uncaptured, "CREATE CONVERSION"},
    [T_CreateDomainStmt] = {raw_uncaptured, "CREATE DOMAIN"},
    [T_CreateEnumStmt] = {raw_uncaptured, "CREATE TYPE"},
    [T_CreateEventTrigStmt] = {raw_uncaptured, "CREATE EVENT TRIGGER"},
    [T_CreateExtensionStmt] = {raw_uncaptured, "CREATE EXTENSION"},
    [T_CreateFdwStmt] = {raw_uncaptured, "CREATE FOREIGN DATA WRAPPER"},
    [T_CreateForeignServerStmt] = {raw_uncaptured, "CREATE SERVER"},
    [T_CreateForeignTableStmt] = {raw_uncaptured, "CREATE FOREIGN TABLE"},
    [T_CreateOpClassStmt] = {raw_uncaptured, "CREATE OPERATOR CLASS"},
    [T_CreateOpFamilyStmt] = {raw_uncaptured, "CREATE OPERATOR FAMILY"},
    [T_CreatePLangStmt] = {raw_uncaptured, "CREATE LANGUAGE"},
    [T_CreatePolicyStmt] = {raw_uncaptured, "CREATE POLICY"},
    [T_CreatePublicationStmt] = {raw_uncaptured, "CREATE PUBLICATION"},
    [T_CreateRangeStmt] = {raw_uncaptured, "CREATE TYPE"},
    [T_CreateRoleStmt] = {raw_uncaptured, "CREATE ROLE"},
    [T_CreateSchemaStmt] = {raw_uncaptured, "CREATE SCHEMA"},
    [T_CreateStatsStmt] = {raw_uncaptured, "CREATE STATISTICS"},
    [T_CreateSubscriptionStmt] = {raw_uncaptured, "CREATE SUBSCRIPTION"},
    [T_CreateTableSpaceStmt] = {raw_uncaptured, "CREATE TABLESPACE"},
    [T_CreateTransformStmt] = {raw_uncaptured, "CREATE TRANSFORM"},
    [T_CreateTrigStmt] = {raw_uncaptured, "CREATE TRIGGER"},
    [T_CreateUserMappingStmt] = {raw_uncaptured, "CREATE USER MAPPING"},
    [T_CreatedbStmt] = {raw_uncaptured, "CREATE DATABASE"},
    [T_DropOwnedStmt] = {raw_uncaptured, "DROP OWNED"},
    [T_DropRoleStmt] = {raw_uncaptured, "DROP ROLE"},
    [T_DropSubscriptionStmt] = {raw_uncaptured, "DROP SUBSCRIPTION"},
    [T_DropTableSpaceStmt] = {raw_uncaptured, "DROP TABLESPACE"},
    [T_DropUserMappingStmt] = {raw_uncaptured, "DROP USER MAPPING"},
    [T_DropdbStmt] = {raw_uncaptured, "DROP DATABASE"},
    [T_ImportForeignSchemaStmt] = {raw_uncaptured, "IMPORT FOREIGN SCHEMA"},
    [T_ReassignOwnedStmt] = {raw_uncaptured, "REASSIGN OWNED"},
    [T_RuleStmt] = {raw_uncaptured, "CREATE RULE"},
    [T_SecLabelStmt] = {raw_uncaptured, "SECURITY LABEL"},
};

size_t raw_rule_count(void) { return lengthof(rules); }
const char* raw_rule_construct(size_t i) { return i < lengthof(rules) ? rules[i].construct : NULL; }

/* What the descent found may overrule what the statement is called. */
static void settle(raw_statement* s) {
  if (raw_marked(s, raw_unknown_node)) name_as(s, raw_uncaptured, "unrecognised expression");
  if (s->kind != raw_uncaptured && raw_marked(s, raw_writing_cte)) name_as(s, raw_uncaptured, "data-modifying CTE");
}

void raw_classify(const Node* node, raw_statement* s) {
  size_t tag = (size_t)nodeTag(node);
  if (tag >= lengthof(rules) || !rules[tag].construct) {
    name_as(s, raw_uncaptured, "unrecognised statement");
    return;
  }
  name_as(s, rules[tag].kind, rules[tag].construct);
  if (rules[tag].refine) rules[tag].refine(node, s);
  settle(s);
}
