/* One row per kind of statement in PostgreSQL 15's grammar: what the proxy calls it and what it does with it.
 *
 * Constructs are spelled like command tags. Whatever may write and has no other row of its own is raw_uncaptured; a
 * statement without a row is uncaptured as well. */
#include "proxy/sql/raw_refine.h"

static const struct statement_rule {
  raw_kind kind;
  const char* construct;
  void (*refine)(const void* node, raw_statement* s);
} rules[] = {
    [T_SelectStmt] = {raw_read, "SELECT", raw_refine_select},
    [T_InsertStmt] = {raw_insert, "INSERT", raw_refine_insert},
    [T_UpdateStmt] = {raw_update, "UPDATE", raw_refine_update},
    [T_DeleteStmt] = {raw_delete, "DELETE", raw_refine_delete},
    [T_MergeStmt] = {raw_uncaptured, "MERGE", raw_refine_merge},
    [T_TruncateStmt] = {raw_truncate, "TRUNCATE", raw_refine_truncate},
    [T_CopyStmt] = {raw_copy_to, "COPY", raw_refine_copy},

    [T_TransactionStmt] = {raw_begin, "BEGIN", raw_refine_transaction},
    [T_VariableSetStmt] = {raw_set, "SET", raw_refine_set},
    [T_ConstraintsSetStmt] = {raw_set, "SET CONSTRAINTS"},
    [T_VariableShowStmt] = {raw_read, "SHOW"},
    [T_ExplainStmt] = {raw_read, "EXPLAIN", raw_refine_explain},
    [T_DeclareCursorStmt] = {raw_read, "DECLARE CURSOR", raw_refine_cursor},
    [T_FetchStmt] = {raw_read, "FETCH", raw_refine_fetch},
    [T_ClosePortalStmt] = {raw_read, "CLOSE"},
    [T_PrepareStmt] = {raw_prepare, "PREPARE", raw_refine_prepare},
    [T_ExecuteStmt] = {raw_execute, "EXECUTE", raw_refine_execute},
    [T_DeallocateStmt] = {raw_deallocate, "DEALLOCATE", raw_refine_deallocate},
    [T_DiscardStmt] = {raw_discard, "DISCARD", raw_refine_discard},

    [T_ListenStmt] = {raw_session, "LISTEN", raw_refine_listen},
    [T_UnlistenStmt] = {raw_session, "UNLISTEN"},
    [T_NotifyStmt] = {raw_session, "NOTIFY"},
    [T_LockStmt] = {raw_session, "LOCK TABLE"},
    [T_VacuumStmt] = {raw_session, "VACUUM", raw_refine_vacuum},
    [T_CheckPointStmt] = {raw_session, "CHECKPOINT"},
    [T_LoadStmt] = {raw_session, "LOAD"},
    [T_ReindexStmt] = {raw_session, "REINDEX"},
    [T_ClusterStmt] = {raw_session, "CLUSTER"},
    [T_AlterSystemStmt] = {raw_session, "ALTER SYSTEM"},

    [T_DoStmt] = {raw_uncaptured, "DO", raw_refine_do},
    [T_CallStmt] = {raw_uncaptured, "CALL", raw_refine_call},
    [T_CreateStmt] = {raw_uncaptured, "CREATE TABLE", raw_refine_create_table},
    [T_CreateTableAsStmt] = {raw_uncaptured, "CREATE TABLE AS", raw_refine_create_as},
    [T_ViewStmt] = {raw_uncaptured, "CREATE VIEW", raw_refine_create_view},
    [T_CreateSeqStmt] = {raw_uncaptured, "CREATE SEQUENCE", raw_refine_create_sequence},
    [T_IndexStmt] = {raw_uncaptured, "CREATE INDEX", raw_refine_index},
    [T_RefreshMatViewStmt] = {raw_uncaptured, "REFRESH MATERIALIZED VIEW"},
    [T_DropStmt] = {raw_uncaptured, "DROP", raw_refine_drop},
    [T_RenameStmt] = {raw_uncaptured, "ALTER", raw_refine_rename},
    [T_AlterTableStmt] = {raw_uncaptured, "ALTER", raw_refine_alter_table},
    [T_AlterTableMoveAllStmt] = {raw_uncaptured, "ALTER", raw_refine_move_all},
    [T_AlterObjectSchemaStmt] = {raw_uncaptured, "ALTER", raw_refine_set_schema},
    [T_AlterOwnerStmt] = {raw_uncaptured, "ALTER", raw_refine_set_owner},
    [T_AlterObjectDependsStmt] = {raw_uncaptured, "ALTER", raw_refine_depends},
    [T_DefineStmt] = {raw_uncaptured, "CREATE", raw_refine_define},
    [T_CreateFunctionStmt] = {raw_uncaptured, "CREATE FUNCTION", raw_refine_function},
    [T_AlterFunctionStmt] = {raw_uncaptured, "ALTER", raw_refine_alter_function},
    [T_GrantStmt] = {raw_uncaptured, "GRANT", raw_refine_grant},
    [T_GrantRoleStmt] = {raw_uncaptured, "GRANT ROLE", raw_refine_grant_role},

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
  if (raw_marked(s, raw_unknown_node)) raw_name_as(s, raw_uncaptured, "unrecognised expression");
  if (s->kind != raw_uncaptured && raw_marked(s, raw_writing_cte)) raw_name_as(s, raw_uncaptured, "data-modifying CTE");
}

void raw_classify(const Node* node, raw_statement* s) {
  size_t tag = (size_t)nodeTag(node);
  if (tag >= lengthof(rules) || !rules[tag].construct) {
    raw_name_as(s, raw_uncaptured, "unrecognised statement");
    return;
  }
  raw_name_as(s, rules[tag].kind, rules[tag].construct);
  if (rules[tag].refine) rules[tag].refine(node, s);
  settle(s);
}
