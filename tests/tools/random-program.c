/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Draws a clean random program from a seed, runs it, and writes its trace:
 *
 *   random-program SEED OUT [--shuffle N] [--threads N]
 *
 * Nothing that a program may do is a finding: replay must have none, in any order. Exits with 1 where the run
 * does not end well, and with 2 where it fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/clean/perform.h"

int main(int argc, char **argv) {
    uint64_t shuffle = 0;
    unsigned threads = 1;
    if (argc < 3)
        return 2;
    for (int i = 3; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--shuffle") == 0)
            shuffle = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--threads") == 0)
            threads = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else
            return 2;
    }
    kb_trail trail;
    kbs_result result;
    char text[2048];
    kb_trail_init(&trail);
    clean_plan *plan = clean_plan_create(strtoull(argv[1], NULL, 10));
    if (clean_run(plan, argv[2], shuffle, threads, &result, &trail) != KB_OK) {
        fprintf(stderr, "%s\n", kb_trail_text(&trail, text, sizeof text));
        clean_plan_destroy(plan);
        return 2;
    }
    const bool is_fine = result.explanation == NULL;
    if (!is_fine)
        fprintf(stderr, "%s", result.explanation);
    else
        puts(kb_digest_text(&result.record_digest, text));
    kbs_result_fini(&result);
    clean_plan_destroy(plan);
    return is_fine ? 0 : 1;
}
