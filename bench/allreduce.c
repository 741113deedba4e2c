/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a run's time and memory grow with its ranks: ring all-reduces of 256, 1024 and 4096 ranks, whole
 * processes with their traces, beside SimGrid's S4U. Prints the tables of docs/bench-allreduce.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "traffic/whole.h"

enum { ROUNDS_MOST = 15, SLOT_BYTES = 4096, MIB = 1 << 20 };

/* Packages as they come: 2 hold 256 PEs, 32 hold 4096. */
static const whole_ring rings[] = {
    {"sips=2x1,cubes=4x4,pes=8", 256, (uint64_t)256 * SLOT_BYTES},
    {"sips=8x4,cubes=4x4,pes=8", 1024, (uint64_t)1024 * SLOT_BYTES},
    {"sips=8x4,cubes=4x4,pes=8", 4096, (uint64_t)4096 * SLOT_BYTES},
};
enum { RINGS = sizeof rings / sizeof *rings };

/* Work grows with the square of the ranks: what runs for long is measured less often. */
static unsigned rounds_of(const whole_ring *ring, unsigned rounds) {
    const unsigned divided = 4 * rounds / (ring->ranks / rings[0].ranks);
    return divided > 0 ? divided : 1;
}

static const whole_way s4u = {"S4U", "routes", NULL, SLOT_BYTES};

static void print_row(const whole_ring *ring, const whole_run *run, const whole_run *first,
                      const whole_run *peer) {
    const double rank_steps = whole_ranks_and_steps(ring), first_steps = whole_ranks_and_steps(&rings[0]);
    const double wall = run->wall / rank_steps, cpu = run->cpu / rank_steps;
    printf("| %u | %.2f | %.0f | %.2f | %.0f | %.2f | %.1f | %.0f |", ring->ranks, run->events / rank_steps,
           wall * 1e9, wall / (first->wall / first_steps), cpu * 1e9, cpu / (first->cpu / first_steps),
           run->inside * 1e9 / run->events, run->peak_bytes / MIB);
    if (peer->wall > 0)
        printf(" %.0f | %.2f | %.2f | %.0f |\n", peer->wall * 1e9 / rank_steps, run->wall / peer->wall,
               run->cpu / peer->cpu, peer->peak_bytes / MIB);
    else
        printf(" | | | |\n");
    fflush(stdout);
}

int main(int argc, char **argv) {
    static whole_place place;
    unsigned long rounds = 5, most = rings[RINGS - 1].ranks;
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--rounds") == 0)
            rounds = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--most") == 0)
            most = strtoul(argv[i + 1], NULL, 10);
        else
            rounds = 0;
    if (argc % 2 == 0 || rounds < 1 || rounds > ROUNDS_MOST) {
        printf("bench-allreduce [--rounds N] [--most RANKS]\n");
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    whole_begin(&place);
    printf("### A ring all-reduce by the number of ranks, %d bytes a rank and step, trace written\n\n"
           "| ranks | events a rank and step (wanted: 12) | ns a rank and step | beside 256 ranks (wanted: "
           "1.50) | CPU | beside 256 | ns an event (wanted: 60) | peak, MiB (wanted: 600) | S4U, ns a rank "
           "and step | kb / S4U, wall (wanted at 256: 0.40) | CPU | S4U's peak, MiB |\n"
           "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
           SLOT_BYTES);
    whole_run runs[RINGS] = {{0}}, peer;
    for (size_t i = 0; i < RINGS && rings[i].ranks <= most; i++) {
        peer = (whole_run){0};
        if (place.has_s4u)
            whole_write_routes(&place, &rings[i]);
        for (unsigned round = 0; round < rounds_of(&rings[i], (unsigned)rounds); round++) {
            whole_note(&runs[i], whole_run_kb(&place, &rings[i]));
            if (place.has_s4u)
                whole_note(&peer, whole_run_s4u(&place, &rings[i], &s4u));
        }
        print_row(&rings[i], &runs[i], &runs[0], &peer);
    }
    if (!place.has_s4u)
        printf("\nS4U is not installed.\n");
    whole_end(&place);
    return 0;
}
