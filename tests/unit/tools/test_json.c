/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON emitter, to the byte: escapes, numbers at the ends of their types, nesting. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

#include "common/json.h"

typedef struct paper {
    kbt_json json;
    FILE *stream;
    char *text;
    size_t size;
} paper;

static void take_paper(paper *p) {
    p->stream = open_memstream(&p->text, &p->size);
    assert_non_null(p->stream);
    kbt_json_init(&p->json, p->stream);
}

static void reads(paper *p, const char *wanted) {
    fclose(p->stream);
    assert_string_equal(p->text, wanted);
    free(p->text);
}

static void check_text(const char *text, const char *wanted) {
    paper p;
    take_paper(&p);
    kbt_json_text(&p.json, NULL, text);
    reads(&p, wanted);
}

static void texts_are_escaped(void **state) {
    (void)state;
    check_text("", "\"\"");
    check_text(NULL, "null");
    check_text("plain text, as most is", "\"plain text, as most is\"");
    check_text("\"a\\b\"", "\"\\\"a\\\\b\\\"\"");
    check_text("line\nline\ttab\x01\x1f\x7f!", "\"line\\nline\\u0009tab\\u0001\\u001f\\u007f!\"");
    check_text("größe € 𝄞", "\"größe € 𝄞\"");
}

static void what_is_no_utf8_is_replaced(void **state) {
    (void)state;
    check_text("a\xff\xfez", "\"a\\ufffd\\ufffdz\"");
    check_text("\xc3", "\"\\ufffd\"");                         /* cut */
    check_text("\xc0\xaf", "\"\\ufffd\\ufffd\"");              /* overlong */
    check_text("\xed\xa0\x80x", "\"\\ufffd\\ufffd\\ufffdx\""); /* a surrogate */
    check_text("\xc3\xb6\xc3", "\"ö\\ufffd\"");
}

static void numbers_keep_all_digits(void **state) {
    (void)state;
    paper p;
    take_paper(&p);
    kbt_json_begin(&p.json, NULL, '[');
    kbt_json_uint(&p.json, NULL, 0);
    kbt_json_uint(&p.json, NULL, UINT64_MAX);
    kbt_json_uint(&p.json, NULL, (UINT64_C(1) << 53) + 1);
    kbt_json_int(&p.json, NULL, INT64_MIN);
    kbt_json_int(&p.json, NULL, INT64_MAX);
    kbt_json_int(&p.json, NULL, -1);
    kbt_json_end(&p.json);
    reads(&p, "[0,18446744073709551615,9007199254740993,-9223372036854775808,9223372036854775807,-1]\n");
}

static void reals_read_back_the_same(void **state) {
    (void)state;
    static const double reals[] = {0.1, -1e-300, DBL_MAX, DBL_MIN, 3, -0.0};
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
        paper p;
        take_paper(&p);
        kbt_json_real(&p.json, NULL, reals[i]);
        fflush(p.stream);
        double back = strtod(p.text, NULL);
        assert_memory_equal(&back, &reals[i], sizeof back);
        fclose(p.stream);
        free(p.text);
    }
    paper p;
    take_paper(&p);
    kbt_json_begin(&p.json, NULL, '[');
    kbt_json_real(&p.json, NULL, NAN);
    kbt_json_real(&p.json, NULL, -INFINITY);
    kbt_json_end(&p.json);
    reads(&p, "[null,null]\n");
}

static void objects_nest(void **state) {
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x9f, 0xff};
    paper p;
    take_paper(&p);
    for (int line = 0; line < 2; line++) {
        kbt_json_begin(&p.json, NULL, '{');
        kbt_json_bool(&p.json, "yes", true);
        kbt_json_begin(&p.json, "list", '[');
        kbt_json_begin(&p.json, NULL, '{');
        kbt_json_end(&p.json);
        kbt_json_begin(&p.json, NULL, '[');
        kbt_json_null(&p.json, NULL);
        kbt_json_end(&p.json);
        kbt_json_bool(&p.json, NULL, false);
        kbt_json_end(&p.json);
        kbt_json_hex(&p.json, "bytes", bytes, sizeof bytes);
        kbt_json_hex(&p.json, "none", NULL, 0);
        kbt_json_end(&p.json);
    }
    reads(&p, "{\"yes\":true,\"list\":[{},[null],false],\"bytes\":\"009fff\",\"none\":\"\"}\n"
              "{\"yes\":true,\"list\":[{},[null],false],\"bytes\":\"009fff\",\"none\":\"\"}\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(what_is_no_utf8_is_replaced),
        cmocka_unit_test(numbers_keep_all_digits),
        cmocka_unit_test(reals_read_back_the_same),
        cmocka_unit_test(objects_nest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
