/* The descent through raw expressions and queries: a worklist on the heap, no recursion, so depth costs no stack.
 *
 * `shapes` says for each node type where its children hang. PostgreSQL 15's gram.y makes no other node inside a SELECT,
 * INSERT, UPDATE, DELETE or MERGE; one that is not in the table marks the statement as not understood. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proxy/sql/raw_internal.h"

enum { max_children = 14, first_capacity = 64 };

typedef struct node_shape {
  bool known;
  bool special;                       /* visit() has something to do */
  unsigned short child[max_children]; /* offsets of Node pointers; 0 ends them (a node's tag is at 0) */
} node_shape;

#define AT(type, field) ((unsigned short)offsetof(type, field))

static const node_shape shapes[] = {
    [T_Integer] = {true},
    [T_Float] = {true},
    [T_Boolean] = {true},
    [T_String] = {true},
    [T_BitString] = {true},
    [T_A_Const] = {true},
    [T_A_Star] = {true},
    [T_ColumnRef] = {true},
    [T_ColumnDef] = {true}, /* of a function's column definition list: names and types */
    [T_TypeName] = {true},
    [T_SetToDefault] = {true},
    [T_CurrentOfExpr] = {true},
    [T_SQLValueFunction] = {true},
    [T_LockingClause] = {true},
    [T_ParamRef] = {true, true},
    [T_RangeVar] = {true, true},
    [T_List] = {true, true},
    [T_MultiAssignRef] = {true, true},
    [T_A_Expr] = {true, false, {AT(A_Expr, lexpr), AT(A_Expr, rexpr)}},
    [T_BoolExpr] = {true, false, {AT(BoolExpr, args)}},
    [T_FuncCall] = {true,
                    true,
                    {AT(FuncCall, args), AT(FuncCall, agg_order), AT(FuncCall, agg_filter), AT(FuncCall, over)}},
    [T_NamedArgExpr] = {true, false, {AT(NamedArgExpr, arg)}},
    [T_A_Indices] = {true, false, {AT(A_Indices, lidx), AT(A_Indices, uidx)}},
    [T_A_Indirection] = {true, false, {AT(A_Indirection, arg), AT(A_Indirection, indirection)}},
    [T_A_ArrayExpr] = {true, false, {AT(A_ArrayExpr, elements)}},
    [T_ResTarget] = {true, false, {AT(ResTarget, indirection), AT(ResTarget, val)}},
    [T_TypeCast] = {true, false, {AT(TypeCast, arg)}},
    [T_CollateClause] = {true, false, {AT(CollateClause, arg)}},
    [T_SortBy] = {true, false, {AT(SortBy, node)}},
    [T_WindowDef] = {true,
                     false,
                     {AT(WindowDef, partitionClause), AT(WindowDef, orderClause), AT(WindowDef, startOffset),
                      AT(WindowDef, endOffset)}},
    [T_RangeSubselect] = {true, false, {AT(RangeSubselect, subquery)}},
    [T_RangeFunction] = {true, false, {AT(RangeFunction, functions), AT(RangeFunction, coldeflist)}},
    [T_RangeTableSample] =
        {true, false, {AT(RangeTableSample, relation), AT(RangeTableSample, args), AT(RangeTableSample, repeatable)}},
    [T_RangeTableFunc] = {true,
                          false,
                          {AT(RangeTableFunc, docexpr), AT(RangeTableFunc, rowexpr), AT(RangeTableFunc, namespaces),
                           AT(RangeTableFunc, columns)}},
    [T_RangeTableFuncCol] = {true, false, {AT(RangeTableFuncCol, colexpr), AT(RangeTableFuncCol, coldefexpr)}},
    [T_GroupingSet] = {true, false, {AT(GroupingSet, content)}},
    [T_GroupingFunc] = {true, false, {AT(GroupingFunc, args)}},
    [T_SubLink] = {true, false, {AT(SubLink, testexpr), AT(SubLink, subselect)}},
    [T_CaseExpr] = {true, false, {AT(CaseExpr, arg), AT(CaseExpr, args), AT(CaseExpr, defresult)}},
    [T_CaseWhen] = {true, false, {AT(CaseWhen, expr), AT(CaseWhen, result)}},
    [T_RowExpr] = {true, false, {AT(RowExpr, args)}},
    [T_CoalesceExpr] = {true, false, {AT(CoalesceExpr, args)}},
    [T_MinMaxExpr] = {true, false, {AT(MinMaxExpr, args)}},
    [T_XmlExpr] = {true, false, {AT(XmlExpr, named_args), AT(XmlExpr, args)}},
    [T_XmlSerialize] = {true, false, {AT(XmlSerialize, expr)}},
    [T_NullTest] = {true, false, {AT(NullTest, arg)}},
    [T_BooleanTest] = {true, false, {AT(BooleanTest, arg)}},
    [T_JoinExpr] = {true, false, {AT(JoinExpr, larg), AT(JoinExpr, rarg), AT(JoinExpr, quals)}},
    [T_WithClause] = {true, false, {AT(WithClause, ctes)}},
    [T_CommonTableExpr] = {true, true, {AT(CommonTableExpr, ctequery), AT(CommonTableExpr, cycle_clause)}},
    [T_CTECycleClause] = {true, false, {AT(CTECycleClause, cycle_mark_value), AT(CTECycleClause, cycle_mark_default)}},
    [T_InferClause] = {true, false, {AT(InferClause, indexElems), AT(InferClause, whereClause)}},
    [T_IndexElem] = {true, false, {AT(IndexElem, expr)}},
    [T_OnConflictClause] = {true,
                            false,
                            {AT(OnConflictClause, infer), AT(OnConflictClause, targetList),
                             AT(OnConflictClause, whereClause)}},
    [T_MergeWhenClause] =
        {true, false, {AT(MergeWhenClause, condition), AT(MergeWhenClause, targetList), AT(MergeWhenClause, values)}},
    [T_SelectStmt] = {true,
                      true,
                      {AT(SelectStmt, distinctClause), AT(SelectStmt, targetList), AT(SelectStmt, fromClause),
                       AT(SelectStmt, whereClause), AT(SelectStmt, groupClause), AT(SelectStmt, havingClause),
                       AT(SelectStmt, windowClause), AT(SelectStmt, valuesLists), AT(SelectStmt, sortClause),
                       AT(SelectStmt, limitOffset), AT(SelectStmt, limitCount), AT(SelectStmt, withClause),
                       AT(SelectStmt, larg), AT(SelectStmt, rarg)}},
    [T_InsertStmt] = {true,
                      false,
                      {AT(InsertStmt, cols), AT(InsertStmt, selectStmt), AT(InsertStmt, onConflictClause),
                       AT(InsertStmt, returningList), AT(InsertStmt, withClause)}},
    [T_UpdateStmt] = {true,
                      false,
                      {AT(UpdateStmt, targetList), AT(UpdateStmt, whereClause), AT(UpdateStmt, fromClause),
                       AT(UpdateStmt, returningList), AT(UpdateStmt, withClause)}},
    [T_DeleteStmt] = {true,
                      false,
                      {AT(DeleteStmt, usingClause), AT(DeleteStmt, whereClause), AT(DeleteStmt, returningList),
                       AT(DeleteStmt, withClause)}},
    [T_MergeStmt] =
        {true,
         false,
         {AT(MergeStmt, sourceRelation), AT(MergeStmt, joinCondition), AT(MergeStmt, mergeWhenClauses),
          AT(MergeStmt, withClause)}},
};

enum { shape_count = sizeof shapes / sizeof *shapes };

typedef struct worklist {
  const Node** items;
  size_t count, capacity;
  raw_statement* s;
} worklist;

static void push(worklist* w, const Node* node) {
  if (!node) return;
  unsigned tag = (unsigned)nodeTag(node);
  if (tag >= shape_count || !shapes[tag].known) {
    raw_mark(w->s, raw_unknown_node);
    return;
  }
  if (!shapes[tag].special && shapes[tag].child[0] == 0) return;
  if (w->count == w->capacity) {
    size_t capacity = w->capacity ? w->capacity * 2 : first_capacity;
    const Node** items = realloc(w->items, capacity * sizeof *items);
    if (!items) {
      raw_mark(w->s, raw_no_memory);
      return;
    }
    w->items = items;
    w->capacity = capacity;
  }
  w->items[w->count++] = node;
}

/* Functions that leave something in the session which a proxy cannot carry to another server. */
static bool holds_a_session_lock(const char* function) {
  static const char* const names[] = {"pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock",
                                      "pg_try_advisory_lock_shared"};
  for (size_t i = 0; i < lengthof(names); i++)
    if (strcmp(function, names[i]) == 0) return true;
  return false;
}

static const Node* argument(const FuncCall* call, int i) {
  const Node* node = list_length(call->args) > i ? list_nth(call->args, i) : NULL;
  while (node && nodeTag(node) == T_TypeCast) node = ((const TypeCast*)node)->arg;
  return node;
}

static const A_Const* constant_of(const Node* node) {
  const A_Const* constant = node && nodeTag(node) == T_A_Const ? (const A_Const*)node : NULL;
  return constant && !constant->isnull ? constant : NULL;
}

/* set_config(): which setting; a role is changed unless the name is written out and is another. */
static void visit_set_config(raw_statement* s, const FuncCall* call) {
  const Node* first = argument(call, 0);
  const A_Const *name = constant_of(first), *local = constant_of(argument(call, 2));
  raw_mark(s, raw_changes_settings | raw_by_value);
  if (name && nodeTag(&name->val) == T_String) {
    const char* setting = name->val.sval.sval;
    raw_add_fact(s, (raw_fact){.kind = raw_fact_setting, .name = setting});
    if (strcasecmp(setting, "role") == 0 || strcasecmp(setting, "session_authorization") == 0)
      raw_mark(s, raw_changes_role);
    return;
  }
  raw_mark(s, raw_changes_role);
  if (local && nodeTag(&local->val) == T_Boolean && local->val.boolval.boolval) return; /* for the transaction */
  if (first && nodeTag(first) == T_ParamRef)
    raw_add_fact(s, (raw_fact){.kind = raw_fact_setting_parameter, .number = ((const ParamRef*)first)->number});
  else
    raw_mark(s, raw_computed_setting);
}

static void visit_function(worklist* w, const FuncCall* call) {
  const char* name = strVal(llast(call->funcname));
  const char* schema = list_length(call->funcname) > 1 ? strVal(linitial(call->funcname)) : NULL;
  raw_add_fact(w->s, (raw_fact){.kind = raw_fact_function, .schema = schema, .name = name});
  if (holds_a_session_lock(name)) raw_mark(w->s, raw_holds_session);
  if (strcmp(name, "set_config") == 0) visit_set_config(w->s, call);
}

static void visit_select(worklist* w, const SelectStmt* select) {
  if (select->lockingClause) raw_mark(w->s, raw_locks_rows);
  if (!select->intoClause) return;
  w->s->relation = raw_relation_fact(select->intoClause->rel);
  raw_mark(w->s, raw_is_temporary(select->intoClause->rel) ? raw_select_into_temp : raw_select_into);
}

static void visit(worklist* w, const Node* node) {
  switch (nodeTag(node)) {
    case T_List: {
      const ListCell* cell;
      foreach (cell, (const List*)node) push(w, lfirst(cell));
      break;
    }
    case T_ParamRef:
      raw_mark(w->s, raw_has_parameters);
      break;
    case T_RangeVar: {
      raw_fact fact = raw_relation_fact((const RangeVar*)node);
      fact.kind = raw_fact_reads;
      raw_add_fact(w->s, fact);
      break;
    }
    case T_MultiAssignRef: /* all columns of one (a, b) = … share the source */
      if (((const MultiAssignRef*)node)->colno == 1) push(w, ((const MultiAssignRef*)node)->source);
      break;
    case T_FuncCall:
      visit_function(w, (const FuncCall*)node);
      break;
    case T_CommonTableExpr: {
      const Node* query = ((const CommonTableExpr*)node)->ctequery;
      if (query && nodeTag(query) != T_SelectStmt) raw_mark(w->s, raw_writing_cte);
      break;
    }
    case T_SelectStmt:
      visit_select(w, (const SelectStmt*)node);
      break;
    default:
      break;
  }
}

void raw_walk(const void* root, raw_statement* s) {
  worklist w = {.s = s};
  push(&w, root);
  while (w.count > 0) {
    const Node* node = w.items[--w.count];
    const node_shape* shape = &shapes[nodeTag(node)];
    if (shape->special) visit(&w, node);
    for (int i = 0; i < max_children && shape->child[i]; i++)
      push(&w, *(const Node* const*)((const char*)node + shape->child[i]));
  }
  free(w.items);
}
