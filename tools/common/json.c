/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON emitter; see json.h. Writing fails silently: the tool asks its stream at the end. */
#include "common/json.h"

#include <assert.h>
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

/* One thread writes a stream, so its lock is left alone: that is most of the time otherwise. */
static void put_raw(FILE *stream, const void *bytes, size_t size) {
    (void)fwrite_unlocked(bytes, 1, size, stream);
}

static void put_char(FILE *stream, char c) {
    (void)putc_unlocked(c, stream);
}

static void put_escaped(FILE *stream, unsigned char c) {
    char text[8];
    int length;
    if (c == '"' || c == '\\')
        length = snprintf(text, sizeof text, "\\%c", c);
    else if (c == '\n')
        length = snprintf(text, sizeof text, "\\n");
    else
        length = snprintf(text, sizeof text, "\\u%04x", c);
    put_raw(stream, text, (size_t)length);
}

static void put_quoted(FILE *stream, const char *text) {
    const unsigned char *s = (const unsigned char *)text, *plain = s; /* from `plain` on nothing is special */
    put_char(stream, '"');
    while (*s != '\0') {
        const size_t length = *s < 0x80 ? 1 : utf8_length(s);
        if (length == 1 && *s >= 0x20 && *s != '"' && *s != '\\' && *s != 0x7F) {
            s++;
            continue;
        }
        if (length > 1) {
            s += length;
            continue;
        }
        put_raw(stream, plain, (size_t)(s - plain));
        if (length == 0)
            put_raw(stream, "\\ufffd", 6);
        else
            put_escaped(stream, *s);
        plain = ++s;
    }
    put_raw(stream, plain, (size_t)(s - plain));
    put_char(stream, '"');
}

static void put_number(FILE *stream, uint64_t number, bool negative) {
    char digits[24];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    if (negative)
        digits[--at] = '-';
    put_raw(stream, digits + at, sizeof digits - at);
}

/* The comma and the key before a value. */
static void lead(kbt_json *json, const char *key) {
    if (!json->first)
        put_char(json->stream, ',');
    json->first = false;
    assert((key != NULL) == (json->depth > 0 && json->closing[json->depth - 1] == '}'));
    if (key != NULL) {
        put_quoted(json->stream, key);
        put_char(json->stream, ':');
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
    put_char(json->stream, bracket);
    json->closing[json->depth++] = bracket == '{' ? '}' : ']';
    json->first = true;
}

void kbt_json_end(kbt_json *json) {
    assert(json->depth > 0);
    put_char(json->stream, json->closing[--json->depth]);
    json->first = false;
    if (json->depth == 0) {
        put_char(json->stream, '\n');
        json->first = true; /* another may follow on a line of its own */
    }
}

void kbt_json_text(kbt_json *json, const char *key, const char *text) {
    lead(json, key);
    if (text != NULL)
        put_quoted(json->stream, text);
    else
        put_raw(json->stream, "null", 4);
}

void kbt_json_int(kbt_json *json, const char *key, int64_t number) {
    lead(json, key);
    put_number(json->stream, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, number < 0);
}

void kbt_json_uint(kbt_json *json, const char *key, uint64_t number) {
    lead(json, key);
    put_number(json->stream, number, false);
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
    put_char(json->stream, '"');
    for (size_t i = 0; i < size; i++) {
        put_char(json->stream, digits[bytes[i] >> 4U]);
        put_char(json->stream, digits[bytes[i] & 15U]);
    }
    put_char(json->stream, '"');
}

void kbt_json_bool(kbt_json *json, const char *key, bool truth) {
    lead(json, key);
    put_raw(json->stream, truth ? "true" : "false", truth ? 4 : 5);
}

void kbt_json_null(kbt_json *json, const char *key) {
    lead(json, key);
    put_raw(json->stream, "null", 4);
}
