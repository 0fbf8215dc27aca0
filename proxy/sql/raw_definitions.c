/* Data definition: the second word of the construct and the relations concerned. */
#include "proxy/sql/raw_refine.h"

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

static void refine_create(const RangeVar* relation, raw_statement* s) {
  if (raw_is_temporary(relation)) {
    s->kind = raw_create_temp;
    s->relation = raw_relation_fact(relation);
  } else {
    raw_add_relation(s, relation);
  }
}

void raw_refine_create_table(const void* node, raw_statement* s) {
  refine_create(((const CreateStmt*)node)->relation, s);
}

void raw_refine_create_view(const void* node, raw_statement* s) { refine_create(((const ViewStmt*)node)->view, s); }

void raw_refine_create_sequence(const void* node, raw_statement* s) {
  refine_create(((const CreateSeqStmt*)node)->sequence, s);
}

/* A temporary table may be filled by any function, so the query counts; an EXECUTE's query is not here to be read. */
void raw_refine_create_as(const void* node, raw_statement* s) {
  const CreateTableAsStmt* create = node;
  if (create->objtype == OBJECT_MATVIEW) s->construct = "CREATE MATERIALIZED VIEW";
  if (nodeTag(create->query) == T_SelectStmt) {
    refine_create(create->into->rel, s);
    raw_walk(create->query, s);
  }
}

void raw_refine_drop(const void* node, raw_statement* s) {
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
    raw_add_fact(s, (raw_fact){.kind = raw_fact_relation,
                               .schema = parts > 1 ? strVal(list_nth(names, parts - 2)) : NULL,
                               .name = strVal(list_nth(names, parts - 1))});
  }
}

void raw_refine_rename(const void* node, raw_statement* s) {
  const RenameStmt* rename = node;
  s->object = object_names[rename->renameType == OBJECT_COLUMN ? rename->relationType : rename->renameType];
  if (rename->relation) raw_add_relation(s, rename->relation);
}

void raw_refine_set_schema(const void* node, raw_statement* s) {
  const AlterObjectSchemaStmt* alter = node;
  s->object = object_names[alter->objectType];
  if (alter->relation) raw_add_relation(s, alter->relation);
}

void raw_refine_set_owner(const void* node, raw_statement* s) {
  s->object = object_names[((const AlterOwnerStmt*)node)->objectType];
}

void raw_refine_depends(const void* node, raw_statement* s) {
  s->object = object_names[((const AlterObjectDependsStmt*)node)->objectType];
}

void raw_refine_alter_table(const void* node, raw_statement* s) {
  const AlterTableStmt* alter = node;
  s->object = object_names[alter->objtype];
  raw_add_relation(s, alter->relation);
}

void raw_refine_move_all(const void* node, raw_statement* s) {
  s->object = object_names[((const AlterTableMoveAllStmt*)node)->objtype];
}

void raw_refine_define(const void* node, raw_statement* s) {
  s->object = object_names[((const DefineStmt*)node)->kind];
}

void raw_refine_index(const void* node, raw_statement* s) { raw_add_relation(s, ((const IndexStmt*)node)->relation); }

void raw_refine_function(const void* node, raw_statement* s) {
  if (((const CreateFunctionStmt*)node)->is_procedure) s->construct = "CREATE PROCEDURE";
}

void raw_refine_alter_function(const void* node, raw_statement* s) {
  s->object = object_names[((const AlterFunctionStmt*)node)->objtype];
}

void raw_refine_grant(const void* node, raw_statement* s) {
  if (!((const GrantStmt*)node)->is_grant) s->construct = "REVOKE";
}

void raw_refine_grant_role(const void* node, raw_statement* s) {
  s->construct = ((const GrantRoleStmt*)node)->is_grant ? "GRANT ROLE" : "REVOKE ROLE";
}
