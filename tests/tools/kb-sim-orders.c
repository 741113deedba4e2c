/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a bench so many times, each but the first with another order of making components and of
 * taking what happens at one instant, and prints the one digest that all records have:
 *
 *   kb-sim-orders BENCH RUNS RANKS [KEY=VALUE|PATH=VALUE...]
 *
 * A PATH has a dot, and is a parameter of the machine.
 *
 * Exits with 1 where a run's records differ, and with 2 where one fails.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kbsim/run.h"

enum { PARAMS_MAX = 32 };

static bool is_path(const char *param) {
    const char *dot = strchr(param, '.'), *equals = strchr(param, '=');
    return dot != NULL && equals != NULL && dot < equals;
}

static bool run(const char *bench, uint64_t shuffle, uint32_t ranks, char **params, int count,
                kb_digest *ret) {
    const char *own[PARAMS_MAX];
    size_t own_count = 0;
    kbs_machine machine;
    kbs_result result;
    kb_trail trail;
    char text[1024];
    kb_trail_init(&trail);
    kbs_machine_init(&machine);
    for (int i = 0; i < count && i < PARAMS_MAX; i++)
        if (!is_path(params[i]))
            own[own_count++] = params[i];
        else if (kbs_machine_assign(&machine, params[i], "set", &trail) != KB_OK)
            return false;
    const kbs_run_options options = {.bench = bench,
                                     .params = own,
                                     .param_count = own_count,
                                     .machine = &machine,
                                     .ranks = ranks,
                                     .seed = 1,
                                     .path = "/dev/null",
                                     .shuffle = shuffle};
    if (kbs_run(&options, &result, &trail) != KB_OK) {
        fprintf(stderr, "%s\n", kb_trail_text(&trail, text, sizeof text));
        return false;
    }
    *ret = result.record_digest;
    kbs_result_fini(&result);
    return true;
}

int main(int argc, char **argv) {
    if (argc < 4)
        return 2;
    const uint64_t runs = strtoull(argv[2], NULL, 10);
    const uint32_t ranks = (uint32_t)strtoul(argv[3], NULL, 10);
    kb_digest wanted, got;
    char text[33];
    for (uint64_t i = 0; i < runs; i++) {
        if (!run(argv[1], i, ranks, argv + 4, argc - 4, i == 0 ? &wanted : &got))
            return 2;
        if (i > 0 && !kb_digest_equal(&got, &wanted)) {
            fprintf(stderr, "the order drawn from %" PRIu64 " gives other records\n", i);
            return 1;
        }
    }
    puts(kb_digest_text(&wanted, text));
    return 0;
}
