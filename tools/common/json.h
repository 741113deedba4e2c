/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small JSON emitter: commas, quotes and escapes are its business, nesting the caller's.
 *
 *   kbt_json json;
 *   kbt_json_init(&json, stdout);
 *   kbt_json_begin(&json, NULL, '{');
 *   kbt_json_int(&json, "time_ps", 17);
 *   kbt_json_begin(&json, "ops", '[');
 *   kbt_json_text(&json, NULL, "wait");
 *   kbt_json_end(&json);
 *   kbt_json_end(&json);       // the outermost ends the line
 *
 * A key is NULL inside an array and for the outermost value. Bytes that are no UTF-8 become U+FFFD.
 */
#ifndef KBTOOLS_JSON_H
#define KBTOOLS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { KBT_JSON_DEEPEST = 16 };

typedef struct kbt_json {
    FILE *stream;
    unsigned depth;
    bool first; /* in its object or array */
    char closing[KBT_JSON_DEEPEST];
} kbt_json;

void kbt_json_init(kbt_json *json, FILE *stream);
void kbt_json_begin(kbt_json *json, const char *key, char bracket); /* '{' or '[' */
void kbt_json_end(kbt_json *json);
void kbt_json_text(kbt_json *json, const char *key, const char *text); /* NULL is null */
void kbt_json_int(kbt_json *json, const char *key, int64_t number);
void kbt_json_uint(kbt_json *json, const char *key, uint64_t number);
/* 17 digits, so that reading it gives the same number; null where it is not finite. */
void kbt_json_real(kbt_json *json, const char *key, double number);
/* A text of two hexadecimal digits a byte. */
void kbt_json_hex(kbt_json *json, const char *key, const uint8_t *bytes, size_t size);
void kbt_json_bool(kbt_json *json, const char *key, bool truth);
void kbt_json_null(kbt_json *json, const char *key);

#endif
