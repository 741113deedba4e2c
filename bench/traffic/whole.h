/* SPDX-License-Identifier: Apache-2.0 */
/* A ring all-reduce as whole processes: kb-sim with its trace, and SimGrid's S4U over the same links. */
#ifndef KB_BENCH_WHOLE_H
#define KB_BENCH_WHOLE_H

#include <stdbool.h>
#include <stdint.h>

/* What runs need of the surroundings. */
typedef struct whole_place {
    char folder[256]; /* for traces and routes */
    char bin[256];    /* where kb-sim and the peers are */
    bool has_s4u;
} whole_place;

typedef struct whole_run {
    double wall, cpu;   /* seconds of the whole process */
    double inside;      /* seconds that kb-sim says */
    double events;      /* of its engine */
    double simulated_s; /* what the model says */
    double peak_bytes;  /* of resident memory */
} whole_run;

/* A ring of the first ranks of a machine, `bytes` a rank. */
typedef struct whole_ring {
    const char *machine; /* as kb-sim run --machine */
    uint32_t ranks;
    uint64_t bytes;
} whole_ring;

typedef struct whole_way {
    const char *name;
    const char *platform; /* "routes", or "wire": one link between two neighbours */
    const char *config;   /* of SimGrid, or NULL */
    uint32_t message_bytes;
} whole_way;

/* Makes the folder and looks for what there is; says on stderr what is missing. */
void whole_begin(whole_place *place);
void whole_end(const whole_place *place);

whole_run whole_run_kb(const whole_place *place, const whole_ring *ring);
/* Of the ring whose routes were written last. */
void whole_write_routes(const whole_place *place, const whole_ring *ring);
whole_run whole_run_s4u(const whole_place *place, const whole_ring *ring, const whole_way *way);

/* Sends and receives of one slot each, of all ranks: what the steps of a ring come to. */
double whole_ranks_and_steps(const whole_ring *ring);

/* The least of both in each number that is measured. A run without a wall time is none yet. */
void whole_note(whole_run *least, whole_run run);

#endif
