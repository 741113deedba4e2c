/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event queue beside a binary heap and SimPy, in the hold model. Prints the tables of
 * docs/bench-engine.md.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/folder.h"
#include "common/measure.h"
#include "common/must.h"
#include "common/peer_process.h"
#include "hold/hold.h"
#include "support/random.h"

enum { SIZES = 4, ROUNDS_MOST = 15 };
static const size_t sizes[SIZES] = {256, 4096, 65536, 1048576};

typedef enum contender { KB, BINARY_HEAP, CALLBACKS, PROCESSES, CONTENDERS } contender;
static const char *const names[CONTENDERS] = {"kb", "binary heap in C", "SimPy, callbacks",
                                              "SimPy, processes"};

typedef struct sheet {
    double ns[CONTENDERS][SIZES]; /* the least of all rounds; 0: not measured */
} sheet;

typedef struct measurement {
    hold_task task;
    contender who;
    int64_t clock_ps;
} measurement;

static uint32_t increments[HOLD_INCREMENTS];

static void make_increments(void) {
    random_source random;
    random_init(&random, 1);
    for (size_t i = 0; i < HOLD_INCREMENTS; i++) {
        const double uniform = ((double)(random_u64(&random) >> 11U) + 1) * 0x1p-53; /* in (0, 1] */
        increments[i] = 1 + (uint32_t)(-HOLD_MEAN_PS * log(uniform));
    }
}

static void write_increments(const char *path) {
    FILE *to = fopen(path, "w");
    bench_must(to != NULL, path);
    for (size_t i = 0; i < HOLD_INCREMENTS; i++)
        fprintf(to, "%u\n", increments[i]);
    bench_must(fclose(to) == 0, path);
}

/* --- one measurement, in a process of its own ------------------------------------------------------ */

static void measure_c(void *user, bench_result *result) {
    measurement *m = user;
    int64_t clock_ps;
    result->seconds = (m->who == KB ? hold_kb : hold_binary_heap)(&m->task, &clock_ps);
    result->bytes = (uint64_t)clock_ps;
}

static double ns_of_c(const hold_task *task, contender who, int64_t *ret_clock_ps) {
    measurement m = {*task, who, 0};
    const bench_result result = bench_measure(measure_c, &m);
    *ret_clock_ps = (int64_t)result.bytes;
    return result.seconds;
}

static double ns_of_simpy(const hold_task *task, contender who, const char *python, const char *path,
                          int64_t *ret_clock_ps) {
    bench_answer answer;
    char words[3][24];
    double ns;
    snprintf(words[0], sizeof words[0], "%zu", task->pending);
    snprintf(words[1], sizeof words[1], "%zu", task->warm_up);
    snprintf(words[2], sizeof words[2], "%zu", task->holds);
    const char *const argv[] = {
        python, BENCH_SOURCE "/hold/simpy_hold.py",           words[0], words[1], words[2],
        path,   who == PROCESSES ? "processes" : "callbacks", NULL};
    bench_must(bench_run(argv, false, &answer), "SimPy's hold model");
    bench_must(sscanf(answer.line, "%lf %ld", &ns, ret_clock_ps) == 2, "reading SimPy's answer");
    return ns;
}

static void note(sheet *to, contender who, size_t size, double ns) {
    double *least = &to->ns[who][size];
    if (*least == 0 || ns < *least)
        *least = ns;
}

static void run_round(sheet *to, size_t size, const char *python, const char *path) {
    const size_t pending = sizes[size];
    const hold_task of_c = {increments, pending, 3 * pending, 3000000};
    const hold_task of_simpy = {increments, pending, 1000, pending > 100000 ? 200000 : 100000};
    int64_t clocks[CONTENDERS], same_ps;
    for (contender who = KB; who <= BINARY_HEAP; who++)
        note(to, who, size, ns_of_c(&of_c, who, &clocks[who]));
    bench_must(clocks[KB] == clocks[BINARY_HEAP], "agreeing on the time");
    for (contender who = CALLBACKS; python != NULL && who <= PROCESSES; who++) {
        note(to, who, size, ns_of_simpy(&of_simpy, who, python, path, &clocks[who]));
        ns_of_c(&of_simpy, KB, &same_ps);
        bench_must(clocks[who] == same_ps, "agreeing with SimPy on the time");
    }
}

/* --- the tables ------------------------------------------------------------------------------------ */

static void print_sheet(const sheet *from) {
    printf("### Nanoseconds a hold\n\n| pending events |");
    for (size_t size = 0; size < SIZES; size++)
        printf(" %zu |", sizes[size]);
    printf("\n| --- | ---: | ---: | ---: | ---: |\n");
    for (contender who = KB; who < CONTENDERS; who++) {
        printf("| %s |", names[who]);
        for (size_t size = 0; size < SIZES; size++)
            from->ns[who][size] > 0 ? printf(" %.1f |", from->ns[who][size]) : printf(" not installed |");
        printf("\n");
    }
    printf("\n### As ratios to kb\n\n| pending events |");
    for (size_t size = 0; size < SIZES; size++)
        printf(" %zu |", sizes[size]);
    printf("\n| --- | ---: | ---: | ---: | ---: |\n");
    for (contender who = BINARY_HEAP; who < CONTENDERS && from->ns[who][0] > 0; who++) {
        printf("| %s |", names[who]);
        for (size_t size = 0; size < SIZES; size++)
            printf(" %.1f × |", from->ns[who][size] / from->ns[KB][size]);
        printf("\n");
    }
}

static void print_goals(const sheet *from) {
    printf("\n| goal | wanted | reached |\n| --- | ---: | ---: |\n");
    if (from->ns[PROCESSES][1] > 0)
        printf("| quicker than SimPy with 4096 pending | 30 × | %.1f × (callbacks: %.1f ×) |\n",
               from->ns[PROCESSES][1] / from->ns[KB][1], from->ns[CALLBACKS][1] / from->ns[KB][1]);
    printf("| a hold with 1M pending, beside one with 256 | 2 × | %.2f × |\n",
           from->ns[KB][SIZES - 1] / from->ns[KB][0]);
}

int main(int argc, char **argv) {
    static sheet filled;
    long rounds = 5;
    if (argc == 3 && strcmp(argv[1], "--rounds") == 0)
        rounds = strtol(argv[2], NULL, 10);
    if ((argc != 1 && argc != 3) || rounds < 1 || rounds > ROUNDS_MOST) {
        printf("bench-engine [--rounds N]\n");
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    const char *python = bench_python_with("simpy");
    if (python == NULL)
        fprintf(stderr, "bench: no Python here knows SimPy (python3-simpy3): going on without\n");
    char path[512];
    snprintf(path, sizeof path, "%s/bench-engine.XXXXXX", bench_scratch());
    const int file = mkstemp(path);
    bench_must(file >= 0, path);
    close(file);
    make_increments();
    write_increments(path);
    for (long round = 0; round < rounds; round++)
        for (size_t size = 0; size < SIZES; size++)
            run_round(&filled, size, python, path);
    unlink(path);
    print_sheet(&filled);
    print_goals(&filled);
    return 0;
}
