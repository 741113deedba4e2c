/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds what lint says of a random program (support/tangle) against its simulation:
 *
 *   lint-agrees FIRST COUNT [PATTERNS]
 *
 * A program that is proven free comes to its end at every pattern: of delays, slow engines, orders in which
 * what happens at one instant is taken, shapes of the machine, memories of rings, ways of credits. One that
 * is not stands still with its sizes at every pattern, in the very words, and comes to its end with the
 * number of slots that is named, and with the sizes that are named, and with none of them smaller. One of
 * which it is said that no number of slots helps stands still with more slots than there are messages.
 * Prints how many of each there were; a difference is told with its seed, and the exit status is 1.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kbsim/lint.h"
#include "support/random.h"
#include "support/tangle/tangle.h"

enum { SETS = 48, SET_CHARS = 96, HUGE_SLOTS = 8192 };

/* A machine for a program: its shape, and what is set of it. */
typedef struct pattern {
    char shape[SET_CHARS];
    char sets[SETS][SET_CHARS];
    uint32_t set_count;
    uint64_t shuffle;
} pattern;

typedef struct counts {
    uint32_t free, hangs, hopeless, runs;
} counts;

static void set(pattern *with, const char *format, ...) KB_PRINTF(2, 3);

static void set(pattern *with, const char *format, ...) {
    va_list args;
    if (with->set_count == SETS)
        abort();
    va_start(args, format);
    vsnprintf(with->sets[with->set_count++], SET_CHARS, format, args);
    va_end(args);
}

/* --- patterns -------------------------------------------------------------------------------- */

/* PEs of a cube and cubes of a SIP, by the number of the shape; then of ranks that are SIPs, with two PEs. */
static const uint32_t pes_of[] = {8, 2, 2, 1}, cubes_of[] = {1, 4, 2, 8};
static const uint32_t sip_pes_of[] = {2, 1, 2, 1}, sip_cubes_of[] = {1, 2, 1, 2};

static void shape(pattern *with, const tangle_plan *plan, uint64_t number) {
    static const char *const shapes[] = {"cubes=1,pes=8", "cubes=2x2,pes=2", "sips=2,cubes=2x1,pes=2",
                                         "cubes=4x2,pes=1"};
    if (plan->pes == 1)
        snprintf(with->shape, sizeof with->shape, "%s", shapes[number]);
    else
        snprintf(with->shape, sizeof with->shape, "sips=%u,cubes=%u,pes=%u", plan->ranks,
                 sip_cubes_of[number], sip_pes_of[number]);
}

/* "fault.sip0.cube1.pe2" */
static const char *fault_of(const tangle_plan *plan, uint64_t number, uint32_t seat, char name[64]) {
    const uint32_t pes = plan->pes == 1 ? pes_of[number] : sip_pes_of[number];
    const uint32_t cubes = plan->pes == 1 ? cubes_of[number] : sip_cubes_of[number];
    snprintf(name, 64, "fault.sip%u.cube%u.pe%u", seat / pes / cubes, seat / pes % cubes, seat % pes);
    return name;
}

static void base(pattern *with, const tangle_plan *plan) {
    memset(with, 0, sizeof *with);
    shape(with, plan, 0);
    set(with, "ipcq.slot_bytes=%d", TANGLE_SLOT_BYTES);
    set(with, "ipcq.slots=%" PRIu64, plan->slots);
    set(with, "ipcq.max_queues=64");
    set(with, "engine.queue_depth=%" PRIu64, plan->depth);
}

/* The number 0 is the base; others change what only time depends on. */
static void draw(pattern *with, const tangle_plan *plan, uint32_t number) {
    static const char *const rings[] = {"tcm", "hbm", "sram"};
    random_source random;
    base(with, plan);
    if (number == 0)
        return;
    random_init(&random, plan->seed * 1000 + number);
    const uint64_t shaped = random_below(&random, 4);
    shape(with, plan, shaped);
    with->shuffle = random_once_in(&random, 3) ? 0 : random_u64(&random) | 1U;
    set(with, "ipcq.ring=%s", rings[random_below(&random, 3)]);
    set(with, "ipcq.backpressure=%s", random_once_in(&random, 2) ? "poll" : "sleep");
    set(with, "ipcq.credit_path=%s", random_once_in(&random, 2) ? "vc" : "fast");
    set(with, "launch.mode=%s", random_once_in(&random, 2) ? "stamped" : "on_arrival");
    for (uint32_t seat = 0; seat < plan->seats; seat++) {
        char name[64];
        fault_of(plan, shaped, seat, name);
        if (random_once_in(&random, 2))
            set(with, "%s.delay_ns=%" PRIu64, name, random_below(&random, 50000));
        if (random_once_in(&random, 3))
            set(with, "%s.pe_cpu=%" PRIu64, name, random_below(&random, 400) + 1);
    }
}

/* --- one look -------------------------------------------------------------------------------- */

static void die(const kb_trail *trail, uint64_t seed) {
    char text[2048];
    printf("seed %" PRIu64 ": %s\n", seed, kb_trail_text(trail, text, sizeof text));
    exit(1);
}

static void make(kbs_machine *machine, const tangle_plan *plan, const pattern *with) {
    kb_trail trail;
    kb_trail_init(&trail);
    kbs_machine_init(machine);
    kb_status status = kbs_machine_shorthand(machine, with->shape, &trail);
    for (uint32_t i = 0; i < with->set_count && status == KB_OK; i++)
        status = kbs_machine_assign(machine, with->sets[i], "set", &trail);
    if (status != KB_OK)
        die(&trail, plan->seed);
}

static kbs_run_options options_for(tangle_plan *plan, kbs_machine *machine) {
    return (kbs_run_options){.bench = "tangle",
                             .host = tangle_host,
                             .host_context = plan,
                             .machine = machine,
                             .ranks = plan->ranks,
                             .ranks_are_sips = plan->pes > 1,
                             .seed = 1,
                             .path = "/dev/null",
                             .threads = 1};
}

static void lint(tangle_plan *plan, const pattern *with, kbs_lint_result *ret) {
    static kbs_machine machine;
    kb_trail trail;
    kb_trail_init(&trail);
    make(&machine, plan, with);
    const kbs_run_options options = options_for(plan, &machine);
    if (kbs_lint(&options, ret, &trail) != KB_OK)
        die(&trail, plan->seed);
}

/* The outcome; *ret_said, if wanted, is the explanation without ops' numbers, for the caller to free. */
static kb_outcome run(tangle_plan *plan, const pattern *with, char **ret_said) {
    static kbs_machine machine;
    kb_trail trail;
    kbs_result result;
    kb_trail_init(&trail);
    make(&machine, plan, with);
    kbs_run_options options = options_for(plan, &machine);
    options.shuffle = with->shuffle;
    if (kbs_run(&options, &result, &trail) != KB_OK)
        die(&trail, plan->seed);
    const kb_outcome outcome = result.outcome;
    if (ret_said != NULL) {
        char *to = *ret_said = calloc(1, result.explanation != NULL ? strlen(result.explanation) + 1 : 1);
        for (const char *at = result.explanation; at != NULL && *at != '\0';)
            if (at[0] == ' ' && at[1] == '#' && isdigit((unsigned char)at[2]))
                for (at += 2; isdigit((unsigned char)*at); at++)
                    continue;
            else
                *to++ = *at++;
    }
    kbs_result_fini(&result);
    return outcome;
}

/* --- what must hold -------------------------------------------------------------------------- */

static uint32_t differences;

static void differs(const tangle_plan *plan, const char *format, ...) KB_PRINTF(2, 3);

static void differs(const tangle_plan *plan, const char *format, ...) {
    va_list args;
    printf("seed %" PRIu64 ": ", plan->seed);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    differences++;
}

static void wants(tangle_plan *plan, const pattern *with, kb_outcome wanted, const char *what, counts *of) {
    of->runs++;
    if (run(plan, with, NULL) != wanted)
        differs(plan, "%s: the simulation %s", what, wanted == KB_OUTCOME_COMPLETE ? "hangs" : "ends");
}

/* What lint says of the standstill is what the simulation says of its own. */
static void says_the_same(tangle_plan *plan, const pattern *with, kbs_lint_result *found) {
    const char *circles, *remedy;
    char *said;
    if (kbs_standstill_text(&found->standstill, &found->arena, &circles, NULL) != KB_OK ||
        kbs_remedy_text(&found->remedy, &found->arena, &remedy, NULL) != KB_OK)
        abort();
    if (run(plan, with, &said) != KB_OUTCOME_DEADLOCK)
        differs(plan, "lint says that it hangs: the simulation ends");
    else if (strncmp(said, circles, strlen(circles)) != 0 || strcmp(said + strlen(circles), remedy) != 0)
        differs(plan, "lint says\n%s%sand the simulation\n%s", circles, remedy, said);
    free(said);
}

/* With the sizes that are named, of which the one at `less` is one smaller. */
static void set_sizes(pattern *with, const kbs_remedy *remedy, size_t less) {
    for (size_t i = 0; i < remedy->size_count; i++)
        set(with, "ipcq.slots_of.%s=%" PRIu64, remedy->sizes[i].queue, remedy->sizes[i].slots - (i == less));
}

static void helps(tangle_plan *plan, const kbs_remedy *remedy, uint32_t number, counts *of) {
    static pattern with;
    draw(&with, plan, number);
    set(&with, "ipcq.slots=%" PRIu64, remedy->slots);
    wants(plan, &with, KB_OUTCOME_COMPLETE, "with the slots that are named", of);
    draw(&with, plan, number);
    set(&with, "ipcq.slots=%" PRIu64, remedy->slots - 1);
    wants(plan, &with, KB_OUTCOME_DEADLOCK, "with one slot less than is named", of);
    if (with.set_count + remedy->size_count > SETS || !remedy->are_smallest)
        return;
    draw(&with, plan, number);
    set_sizes(&with, remedy, SIZE_MAX);
    wants(plan, &with, KB_OUTCOME_COMPLETE, "with the sizes that are named", of);
    for (size_t i = 0; i < remedy->size_count; i++) {
        draw(&with, plan, number);
        set_sizes(&with, remedy, i);
        wants(plan, &with, KB_OUTCOME_DEADLOCK, "with one size less than is named", of);
    }
}

static void does_not_help(tangle_plan *plan, uint32_t number, counts *of) {
    static pattern with;
    draw(&with, plan, number);
    set(&with, "ipcq.ring=hbm");
    set(&with, "ipcq.slots=%d", HUGE_SLOTS);
    wants(plan, &with, KB_OUTCOME_DEADLOCK, "with very many slots", of);
}

static void look_at(uint64_t seed, uint32_t patterns, counts *of) {
    static tangle_plan plan;
    static pattern with;
    kbs_lint_result found;
    tangle_draw(&plan, seed);
    base(&with, &plan);
    lint(&plan, &with, &found);
    if (!found.was_recorded) {
        differs(&plan, "%s", found.findings[0].text);
    } else if (found.is_free) {
        of->free++;
    } else {
        of->hangs++;
        of->hopeless += found.remedy.slots == 0;
        says_the_same(&plan, &with, &found);
    }
    for (uint32_t i = 0; i < patterns && found.was_recorded; i++) {
        draw(&with, &plan, i);
        wants(&plan, &with, found.is_free ? KB_OUTCOME_COMPLETE : KB_OUTCOME_DEADLOCK,
              found.is_free ? "lint proves it free" : "lint says that it hangs", of);
        if (!found.is_free && found.remedy.slots > 0 && i < 2)
            helps(&plan, &found.remedy, i, of);
        else if (!found.is_free && i < 2)
            does_not_help(&plan, i, of);
    }
    kbs_lint_fini(&found);
}

int main(int argc, char **argv) {
    counts of = {0};
    if (argc < 3)
        return 2;
    const uint64_t first = strtoull(argv[1], NULL, 10), count = strtoull(argv[2], NULL, 10);
    const uint32_t patterns = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 8;
    for (uint64_t seed = first; seed < first + count; seed++)
        look_at(seed, patterns, &of);
    printf("%" PRIu64 " programs: %u free, %u hang (%u whatever the slots), %u runs\n", count, of.free,
           of.hangs, of.hopeless, of.runs);
    return differences == 0 ? 0 : 1;
}
