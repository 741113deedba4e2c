/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fabric beside the same model in SimPy, by trains and by flits; and a whole run of an all-reduce beside
 * SimGrid's S4U. Prints the tables of docs/bench-fabric.md.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/measure.h"
#include "common/must.h"
#include "common/peer_process.h"
#include "traffic/shapes.h"
#include "traffic/whole.h"

enum { PATH_CHARS = 512, ROUNDS_MOST = 15, OURS_A_ROUND = 20 };

typedef struct options {
    unsigned rounds;
    whole_place place;
    const char *python; /* that knows SimPy, or NULL */
} options;

static const char *in_folder(const options *of, const char *name, char path[PATH_CHARS]) {
    snprintf(path, PATH_CHARS, "%s/%s", of->place.folder, name);
    return path;
}

static void note(double *least, double value) {
    if (*least == 0 || value < *least)
        *least = value;
}

/* --- the fabric alone ------------------------------------------------------------------------------ */

typedef struct model_times {
    double kb, trains, flits; /* seconds, the least of all rounds */
} model_times;

static double seconds_of_simpy(const options *of, const traffic *shape, const char *program) {
    bench_answer answer;
    char script[PATH_CHARS], plan[PATH_CHARS], times[PATH_CHARS];
    snprintf(script, sizeof script, "%s/traffic/%s.py", BENCH_SOURCE, program);
    in_folder(of, "traffic", plan);
    in_folder(of, "times", times);
    const char *const argv[] = {of->python, script, plan, times, NULL};
    bench_must(bench_run(argv, false, &answer), script);
    bench_must(shape_agrees(shape, times), "agreeing on every time");
    return strtod(answer.line, NULL);
}

static model_times time_models(const options *of, traffic *shape) {
    model_times least = {0, 0, 0};
    char path[PATH_CHARS];
    traffic_run(shape); /* fills in what links take for a flit, too */
    shape_write(shape, in_folder(of, "traffic", path));
    for (unsigned round = 0; round < of->rounds; round++) {
        for (int i = 0; i < OURS_A_ROUND; i++) {
            traffic_run(shape);
            note(&least.kb, shape->seconds);
        }
        if (of->python != NULL) {
            note(&least.trains, seconds_of_simpy(of, shape, "trains"));
            note(&least.flits, seconds_of_simpy(of, shape, "flits"));
        }
    }
    return least;
}

static void print_models(const options *of, const char *name, traffic *shape) {
    const model_times least = time_models(of, shape);
    const double hops = (double)shape->packet_hops;
    printf("| %s | %zu | %" PRIu64 " | %.1f |", name, shape->message_count, shape->packet_hops,
           least.kb * 1e9 / hops);
    if (of->python == NULL)
        printf(" not installed | | | |\n");
    else
        printf(" %.0f | %.0f | %.0f × | %.0f × |\n", least.trains * 1e9 / hops, least.flits * 1e9 / hops,
               least.trains / least.kb, least.flits / least.kb);
    fflush(stdout);
    shape_destroy(shape);
}

static void compare_models(const options *of) {
    printf(
        "### The fabric alone\n\n"
        "| traffic | messages | packets × links | kb, ns each | SimPy, trains | SimPy, flits | trains / kb "
        "(wanted: 40 ×) | flits / kb (wanted: 800 ×) |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    print_models(of, "at random in four cubes", shape_mesh(2000, 1));
    print_models(of, "ring, 32 ranks, 256 KiB", shape_ring(32, 256 << 10));
    if (of->python != NULL)
        printf("\nAll three agree on every time at which a message is sent and seen, to the picosecond.\n");
}

/* --- a whole run ----------------------------------------------------------------------------------- */

static const whole_way ways[] = {
    {"S4U, the same routes, a message a slot", "routes", NULL, 4096},
    {"S4U, the same routes, a message a step", "routes", NULL, 8192},
    {"S4U, the same routes, a message a step, CM02", "routes", "--cfg=network/model:CM02", 8192},
    {"S4U, one link a neighbour, a message a step", "wire", NULL, 8192},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* Packages of 128 PEs, one beside the other; a single one holds more where that is asked for. */
static whole_ring ring_of(uint32_t ranks, uint64_t bytes) {
    return (whole_ring){ranks > 128 ? "cubes=8x4,pes=8" : "cubes=4x4,pes=8", ranks, bytes};
}

/* One message a step either way: said once. */
static bool is_the_same(const whole_way *way, uint64_t chunk) {
    return way > ways && chunk <= way[-1].message_bytes && strcmp(way->platform, way[-1].platform) == 0 &&
           way->config == way[-1].config;
}

static void compare_runs(const options *of, uint32_t ranks) {
    const whole_place *place = &of->place;
    const whole_ring ring = ring_of(ranks, 1 << 20);
    whole_run kb = {0}, peers[WAYS] = {{0}};
    whole_write_routes(place, &ring);
    for (unsigned round = 0; round < 2 * of->rounds; round++) {
        whole_note(&kb, whole_run_kb(place, &ring));
        for (size_t i = 0; place->has_s4u && i < WAYS; i++)
            if (!is_the_same(&ways[i], ring.bytes / ranks))
                whole_note(&peers[i], whole_run_s4u(place, &ring, &ways[i]));
    }
    printf("\n### A ring all-reduce of %u ranks and 1 MiB a rank\n\n"
           "| | wall, ms | CPU, ms | kb / S4U, wall (wanted: 0.40) | CPU | simulated, us |\n"
           "| --- | ---: | ---: | ---: | ---: | ---: |\n",
           ranks);
    printf("| kb-sim, trace written | %.1f | %.1f | | | %.1f |\n", kb.wall * 1e3, kb.cpu * 1e3,
           kb.simulated_s * 1e6);
    for (size_t i = 0; place->has_s4u && i < WAYS; i++)
        if (peers[i].wall > 0)
            printf("| %s | %.1f | %.1f | %.2f | %.2f | %.1f |\n", ways[i].name, peers[i].wall * 1e3,
                   peers[i].cpu * 1e3, kb.wall / peers[i].wall, kb.cpu / peers[i].cpu,
                   peers[i].simulated_s * 1e6);
    if (!place->has_s4u)
        printf("| S4U | not installed | | | | |\n");
    fflush(stdout);
}

/* Chunks of one slot, so that a step is one message however many ranks there are. */
static void show_scaling(const options *of) {
    static const uint32_t sizes[] = {16, 32, 64, 128, 256};
    printf("\n### kb-sim by the number of ranks, 4 KiB a rank and step, trace written\n\n"
           "| ranks | events a rank and step (wanted: 12) | ns an event (wanted: 60) | CPU | ns a rank and "
           "step | CPU | "
           "wall, ms | CPU, ms |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const whole_ring ring = ring_of(sizes[i], (uint64_t)sizes[i] * 4096);
        const double ranks_and_steps = whole_ranks_and_steps(&ring);
        whole_run run = {0};
        for (unsigned round = 0; round < 3 * of->rounds; round++)
            whole_note(&run, whole_run_kb(&of->place, &ring));
        printf("| %u | %.2f | %.1f | %.1f | %.0f | %.0f | %.1f | %.1f |\n", sizes[i],
               run.events / ranks_and_steps, run.inside * 1e9 / run.events, run.cpu * 1e9 / run.events,
               run.inside * 1e9 / ranks_and_steps, run.cpu * 1e9 / ranks_and_steps, run.wall * 1e3,
               run.cpu * 1e3);
    }
}

/* --- arguments ------------------------------------------------------------------------------------- */

int main(int argc, char **argv) {
    static options of = {.rounds = 5};
    if (argc == 3 && strcmp(argv[1], "--rounds") == 0)
        of.rounds = (unsigned)strtoul(argv[2], NULL, 10);
    if ((argc != 1 && argc != 3) || of.rounds < 1 || of.rounds > ROUNDS_MOST) {
        printf("bench-fabric [--rounds N]\n");
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    whole_begin(&of.place);
    of.python = bench_python_with("simpy");
    if (of.python == NULL)
        fprintf(stderr, "bench: no Python here knows SimPy (python3-simpy3): going on without\n");
    compare_models(&of);
    compare_runs(&of, 128);
    compare_runs(&of, 256);
    show_scaling(&of);
    whole_end(&of.place);
    return 0;
}
