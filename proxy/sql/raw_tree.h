/* PostgreSQL's own grammar behind a small C ABI: a text's statements as plain structs, without one PostgreSQL header.
 *
 * raw_tree_parse() runs libpg_query's raw parser (no protobuf, no JSON, no normalisation) and walks the raw tree with a
 * worklist on the heap: neither `1+1+1+…` nor any other left-deep chain costs stack. Nesting that the parser itself
 * refuses ("memory exhausted") comes back as raw_unknown. Errors inside libpg_query are caught by it. Any thread may
 * call it; a tree belongs to its caller, who frees it with raw_tree_free() on the thread that made it. All strings live
 * as long as the tree. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In the order of statement_kind (analysis.hpp). */
typedef enum raw_kind {
  raw_read,
  raw_insert,
  raw_update,
  raw_delete,
  raw_truncate,
  raw_begin,
  raw_commit,
  raw_rollback,
  raw_savepoint,
  raw_release,
  raw_rollback_to,
  raw_set,
  raw_prepare,
  raw_execute,
  raw_deallocate,
  raw_discard,
  raw_session,
  raw_create_temp,
  raw_copy_to,
  raw_copy_from,
  raw_uncaptured
} raw_kind;

enum raw_flag {
  raw_only = 1 << 0,
  raw_cascade = 1 << 1,
  raw_restart_identity = 1 << 2,
  raw_returning = 1 << 3,
  raw_locks_rows = 1 << 4,
  raw_chain = 1 << 5,
  raw_changes_settings = 1 << 6,
  raw_changes_role = 1 << 7,
  raw_holds_session = 1 << 8,
  raw_has_parameters = 1 << 9,
  raw_writing_cte = 1 << 10,
  raw_select_into = 1 << 11,
  raw_select_into_temp = 1 << 12,
  raw_unknown_node = 1 << 13,
  raw_no_memory = 1 << 14,
  raw_by_value = 1 << 15, /* the value of a constant was looked at: another value, another outcome */
  raw_read_only = 1 << 16,
  raw_computed_setting = 1 << 17 /* set_config() for the session, of a name that is neither written out nor a parameter */
};

typedef enum raw_fact_kind {
  raw_fact_function,
  raw_fact_reads,
  raw_fact_set_column,
  raw_fact_relation,
  raw_fact_setting,           /* a name given to set_config() */
  raw_fact_setting_parameter, /* the parameter that is its name */
  raw_fact_body               /* of DO */
} raw_fact_kind;

/* schema and alias may be NULL. */
typedef struct raw_fact {
  raw_fact_kind kind;
  const char *schema, *name, *alias;
  int number; /* of the parameter, from 1 */
} raw_fact;

typedef struct raw_statement {
  raw_kind kind;
  const char* construct; /* "INSERT", "ALTER" */
  const char* object;    /* second half of the construct, "TABLE"; NULL = none */
  size_t begin, end;     /* bytes in the text */
  raw_fact relation;     /* name NULL = none */
  const char* name;      /* savepoint, prepared statement, setting; NULL = none */
  size_t arguments;      /* of EXECUTE */
  unsigned flags;        /* of raw_flag */
  raw_fact* facts;       /* in no order, but set columns in theirs */
  size_t fact_count, fact_capacity;
  struct raw_statement* inner; /* of PREPARE */
} raw_statement;

typedef enum raw_outcome { raw_parsed, raw_syntax_error, raw_unknown } raw_outcome;

typedef struct raw_tree {
  raw_outcome outcome;
  raw_statement* statements; /* in order; none unless raw_parsed */
  size_t count;
  void* memory;
} raw_tree;

/* `sql` is NUL-terminated, `length` its bytes; it must outlive nothing. `standard_strings` is the session's setting
 * standard_conforming_strings: off, a backslash in '…' escapes. */
raw_tree raw_tree_parse(const char* sql, size_t length, bool standard_strings);
void raw_tree_free(raw_tree* tree);

/* The rules by which statements are named, for tests: the construct of rule `i`, NULL for an unused number, up to
 * raw_rule_count(). */
size_t raw_rule_count(void);
const char* raw_rule_construct(size_t i);

/* PostgreSQL's quote_identifier() would quote this word although it is spelled plainly: a keyword that is not
 * unreserved. */
bool raw_keyword_needs_quotes(const char* word);

#ifdef __cplusplus
}
#endif
