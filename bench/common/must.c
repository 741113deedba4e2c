/* SPDX-License-Identifier: Apache-2.0 */
/* Ends a measurement that cannot go on: see must.h. */
#include "common/must.h"

#include <stdio.h>
#include <stdlib.h>

void bench_must(bool fine, const char *what) {
    if (fine)
        return;
    fprintf(stderr, "bench: %s failed\n", what);
    exit(2);
}

void bench_must_kb(kb_status status, const kb_trail *trail) {
    char text[1024];
    if (status != KB_OK)
        bench_must(false, kb_trail_text(trail, text, sizeof text));
}

void *bench_new(size_t size) {
    void *block = calloc(1, size ? size : 1);
    bench_must(block != NULL, "allocating memory");
    return block;
}
