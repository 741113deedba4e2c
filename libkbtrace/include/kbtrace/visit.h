/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at definitions field by field, without knowing what they are: for exporters and viewers.
 *
 * Names, order and kinds of fields are those of the wire schema, so what a trace can hold a visitor
 * sees. Nothing here allocates or fails.
 */
#ifndef KBTRACE_VISIT_H
#define KBTRACE_VISIT_H

#include "kbtrace/defs.h"
#include "kbtrace/run.h"

/* Called in the order of the schema; `name` is NULL inside a list. */
typedef struct kb_visitor {
    void *user;
    void (*number)(void *user, const char *name, uint64_t number);
    void (*integer)(void *user, const char *name, int64_t number);
    void (*real)(void *user, const char *name, double number);
    void (*truth)(void *user, const char *name, bool truth);
    void (*nothing)(void *user, const char *name); /* an id that names nobody */
    void (*word)(void *user, const char *name, kb_vocabulary vocabulary, uint32_t value);
    void (*text)(void *user, const char *name, const char *text);
    void (*bytes)(void *user, const char *name, const uint8_t *bytes, size_t size);
    void (*begin)(void *user, const char *name, bool list); /* a list, or a record in one */
    void (*end)(void *user);
} kb_visitor;

/* The tables of KB_DEFS by number, in their order. */
size_t kb_defs_table_count(void);
const char *kb_defs_table_name(size_t table); /* "memory" */
size_t kb_defs_row_count(const kb_defs *defs, size_t table);
void kb_defs_visit(const kb_defs *defs, size_t table, size_t row, const kb_visitor *visitor);

void kb_run_visit(const kb_run *run, const kb_visitor *visitor);

#endif
