/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Draws a clean random program from a seed, runs it, and writes its trace:
 *
 *   random-program SEED OUT [--shuffle N] [--threads N] [--spoil FAULT:N]
 *
 * Nothing that a program does is a finding: replay must have none, in any order. With --spoil something is
 * taken away from it (spoil.h), which is printed, and whether something undefined is used then. Exits with 1
 * where the run does not end well, with 2 where it fails, and with 3 where the program has no place for the
 * fault.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/clean/perform.h"
#include "support/clean/spoil.h"

static const char *const calls[] = {
#define CLEAN_CALL(name, NAME, WHERE) #name,
#include "support/clean/calls.def"
#undef CLEAN_CALL
};

/* "FAULT:N"; false where there is no such place. */
static bool spoil(clean_plan *plan, const char *text) {
    const char *colon = strchr(text, ':');
    for (clean_fault fault = 0; fault < CLEAN_FAULTS && colon != NULL; fault++) {
        const char *name = clean_fault_name(fault);
        if (strlen(name) != (size_t)(colon - text) || strncmp(name, text, strlen(name)) != 0)
            continue;
        if (clean_spoil_count(plan, fault) == 0)
            return false;
        const clean_call *call = clean_spoil(plan, fault, (uint32_t)strtoul(colon + 1, NULL, 10));
        printf("%s: call %u, %s%s\n", name, call->number, calls[call->kind],
               clean_is_undefined(plan) ? "; undefined" : "");
        return true;
    }
    return false;
}

static int run(clean_plan *plan, const char *path, uint64_t shuffle, unsigned threads) {
    kb_trail trail;
    kbs_result result;
    char text[2048];
    kb_trail_init(&trail);
    if (clean_run(plan, path, shuffle, threads, &result, &trail) != KB_OK) {
        fprintf(stderr, "%s\n", kb_trail_text(&trail, text, sizeof text));
        return 2;
    }
    const bool is_fine = result.explanation == NULL;
    if (!is_fine)
        fprintf(stderr, "%s", result.explanation);
    else
        puts(kb_digest_text(&result.record_digest, text));
    kbs_result_fini(&result);
    return is_fine ? 0 : 1;
}

int main(int argc, char **argv) {
    uint64_t shuffle = 0;
    unsigned threads = 1;
    const char *fault = NULL;
    if (argc < 3)
        return 2;
    for (int i = 3; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--shuffle") == 0)
            shuffle = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--threads") == 0)
            threads = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--spoil") == 0)
            fault = argv[i + 1];
        else
            return 2;
    }
    clean_plan *plan = clean_plan_create(strtoull(argv[1], NULL, 10));
    const int status = fault != NULL && !spoil(plan, fault) ? 3 : run(plan, argv[2], shuffle, threads);
    clean_plan_destroy(plan);
    return status;
}
