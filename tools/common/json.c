/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON emitter; see json.h. Writing fails silently: the tool asks its stream at the end. */
#include "common/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Length of the UTF-8 character at `s`, or 0 where it is none (cut, overlong, surrogate, too large). */
static size_t utf8_length(const unsigned char *s) {
    static const struct {
        unsigned char mask, head;
        size_t length;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 1, 0}, {0xE0, 0xC0, 2, 0x80}, {0xF0, 0xE0, 3, 0x800}, {0xF8, 0xF0, 4, 0x10000}};
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
        if ((s[0] & forms[f].mask) != forms[f].head)
            continue;
        uint32_t code = s[0] & (unsigned char)~forms[f].mask;
        for (size_t i = 1; i < forms[f].length; i++) {
            if ((s[i] & 0xC0U) != 0x80U)
                return 0;
            code = code << 6U | (s[i] & 0x3FU);
        }
        const bool allowed = code >= forms[f].least && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        return allowed ? forms[f].length : 0;
    }
    return 0;
}

static void put_quoted(FILE *stream, const char *text) {
    putc('"', stream);
    for (const unsigned char *s = (const unsigned char *)text; *s != '\0';) {
        const size_t length = utf8_length(s);
        if (length == 0)
            fputs("\\ufffd", stream);
        else if (*s == '"' || *s == '\\')
            fprintf(stream, "\\%c", *s);
        else if (*s == '\n')
            fputs("\\n", stream);
        else if (*s < 0x20 || *s == 0x7F)
            fprintf(stream, "\\u%04x", *s);
        else
            fwrite(s, 1, length, stream);
        s += length > 0 ? length : 1;
    }
    putc('"', stream);
}

/* The comma and the key before a value. */
static void lead(kbt_json *json, const char *key) {
    if (!json->first)
        putc(',', json->stream);
    json->first = false;
    assert((key != NULL) == (json->depth > 0 && json->closing[json->depth - 1] == '}'));
    if (key != NULL) {
        put_quoted(json->stream, key);
        putc(':', json->stream);
    }
}

void kbt_json_init(kbt_json *json, FILE *stream) {
    json->stream = stream;
    json->depth = 0;
    json->first = true;
}

void kbt_json_begin(kbt_json *json, const char *key, char bracket) {
    assert(bracket == '{' || bracket == '[');
    assert(json->depth < KBT_JSON_DEEPEST);
    lead(json, key);
    putc(bracket, json->stream);
    json->closing[json->depth++] = bracket == '{' ? '}' : ']';
    json->first = true;
}

void kbt_json_end(kbt_json *json) {
    assert(json->depth > 0);
    putc(json->closing[--json->depth], json->stream);
    json->first = false;
    if (json->depth == 0) {
        putc('\n', json->stream);
        json->first = true; /* another may follow on a line of its own */
    }
}

void kbt_json_text(kbt_json *json, const char *key, const char *text) {
    lead(json, key);
    if (text != NULL)
        put_quoted(json->stream, text);
    else
        fputs("null", json->stream);
}

void kbt_json_int(kbt_json *json, const char *key, int64_t number) {
    lead(json, key);
    fprintf(json->stream, "%" PRId64, number);
}

void kbt_json_uint(kbt_json *json, const char *key, uint64_t number) {
    lead(json, key);
    fprintf(json->stream, "%" PRIu64, number);
}

void kbt_json_real(kbt_json *json, const char *key, double number) {
    if (!isfinite(number)) {
        kbt_json_null(json, key);
        return;
    }
    lead(json, key);
    fprintf(json->stream, "%.17g", number);
}

void kbt_json_hex(kbt_json *json, const char *key, const uint8_t *bytes, size_t size) {
    static const char digits[] = "0123456789abcdef";
    lead(json, key);
    putc('"', json->stream);
    for (size_t i = 0; i < size; i++) {
        putc(digits[bytes[i] >> 4U], json->stream);
        putc(digits[bytes[i] & 15U], json->stream);
    }
    putc('"', json->stream);
}

void kbt_json_bool(kbt_json *json, const char *key, bool truth) {
    lead(json, key);
    fputs(truth ? "true" : "false", json->stream);
}

void kbt_json_null(kbt_json *json, const char *key) {
    lead(json, key);
    fputs("null", json->stream);
}
