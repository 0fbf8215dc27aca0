/* Parses a text with libpg_query's raw parser and hands its statements to raw_classify(). */
#include <stdlib.h>
#include <string.h>

/* PostgreSQL's headers want this order. */
/* clang-format off */
#include "proxy/sql/raw_internal.h"
#include "common/keywords.h"
#include <pg_query.h>
#include "pg_query_internal.h"
/* clang-format on */

/* Of libpg_query's scanner, one per thread; PostgreSQL's header declares it without that. The warning it can give about
 * old-style escapes would go to standard error. */
extern __thread bool standard_conforming_strings;
extern __thread bool escape_string_warning;

/* A text that the grammar refuses cannot run; one that only this parser's memory refuses might. */
static raw_outcome outcome_of(const PgQueryError* error) {
  static const char* const limits[] = {"memory exhausted", "out of memory", "invalid memory alloc", "stack depth"};
  for (size_t i = 0; i < lengthof(limits); i++)
    if (error->message && strncmp(error->message, limits[i], strlen(limits[i])) == 0) return raw_unknown;
  return raw_syntax_error;
}

static bool fill(raw_tree* tree, const List* list, size_t length) {
  size_t count = (size_t)list_length(list);
  if (count == 0) return true;
  tree->statements = calloc(count, sizeof *tree->statements);
  if (!tree->statements) return false;
  const ListCell* cell;
  foreach (cell, list) {
    const RawStmt* raw = lfirst_node(RawStmt, cell);
    raw_statement* s = &tree->statements[tree->count++];
    s->begin = raw->stmt_location > 0 ? (size_t)raw->stmt_location : 0;
    s->end = raw->stmt_len > 0 ? s->begin + (size_t)raw->stmt_len : length;
    raw_classify(raw->stmt, s);
    if (raw_marked(s, raw_no_memory)) return false;
  }
  return true;
}

raw_tree raw_tree_parse(const char* sql, size_t length, bool standard_strings) {
  raw_tree tree = {.outcome = raw_parsed};
  tree.memory = pg_query_enter_memory_context();
  standard_conforming_strings = standard_strings;
  escape_string_warning = false;
  PgQueryInternalParsetreeAndError parsed = pg_query_raw_parse(sql);
  free(parsed.stderr_buffer);
  if (parsed.error) {
    tree.outcome = outcome_of(parsed.error);
    pg_query_free_error(parsed.error);
  } else if (!fill(&tree, parsed.tree, length)) {
    tree.outcome = raw_unknown;
  }
  return tree;
}

void raw_statement_free(raw_statement* s) {
  if (s->inner) {
    raw_statement_free(s->inner);
    free(s->inner);
  }
  free(s->facts);
}

void raw_tree_free(raw_tree* tree) {
  for (size_t i = 0; i < tree->count; i++) raw_statement_free(&tree->statements[i]);
  free(tree->statements);
  pg_query_exit_memory_context(tree->memory);
  *tree = (raw_tree){0};
}

bool raw_keyword_needs_quotes(const char* word) {
  int number = ScanKeywordLookup(word, &ScanKeywords);
  return number >= 0 && ScanKeywordCategories[number] != UNRESERVED_KEYWORD;
}
