/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a slice of HBM gives to access patterns: rows of the table in docs/timing-model.md, in GB/s, with
 * hbm.timing off and hbm3, for 16 packets outstanding (a DMA) and 128 (eight of them on one slice).
 *
 *   sim-hbm-patterns
 */
#include <stdio.h>
#include <string.h>

#include "fabric/hbm.h"
#include "support/random.h"

enum { MOST_OUTSTANDING = 128, PACKET_BYTES = 4096 };

/* Packets of `rows` pieces of row_bytes every pitch_bytes; one after another, or anywhere. */
typedef struct pattern {
    const char *name;
    uint64_t row_bytes, rows, pitch_bytes;
    uint64_t step_bytes; /* from packet to packet; 0: anywhere */
    uint32_t writes_of_4;
} pattern;

static const pattern patterns[] = {
    {"read, 4 KiB after 4 KiB", 4096, 1, 0, 4096, 0},
    {"write, the same", 4096, 1, 0, 4096, 4},
    {"read and write by turns, the same", 4096, 1, 0, 4096, 2},
    {"read 4 KiB anywhere", 4096, 1, 0, 0, 0},
    {"256 B anywhere", 256, 1, 0, 0, 0},
    {"32 B anywhere", 32, 1, 0, 0, 0},
    {"256 B of every 1 KiB", 256, 16, 1024, 16 * 1024, 0},
    {"32 B of every 256 B", 32, 128, 256, 128 * 256, 0},
    {"32 B of every 4 KiB", 32, 128, 4096, 128 * 4096, 0},
    {"256 B of every 128 KiB", 256, 16, 128 * 1024, 16 * 128 * 1024, 0},
    {"2 B of every 8 KiB", 2, 128, 8192, 128 * 8192, 0},
};

typedef struct memory {
    kbs_machine machine;
    kb_arena arena;
    kbs_hbm_kind kind;
    kbs_hbm *hbm;
    kbs_engine engine;
    kb_trail trail;
} memory;

static bool set_up(memory *m, const char *timing) {
    memset(m, 0, sizeof *m);
    kb_arena_init(&m->arena, NULL, 0);
    kb_trail_init(&m->trail);
    kbs_machine_init(&m->machine);
    if (kbs_machine_set(&m->machine, "hbm.timing", timing, "set", &m->trail) != KB_OK)
        return false;
    kbs_hbm_kind_init(&m->kind, &m->machine);
    kbs_engine_init(&m->engine, NULL);
    return kbs_hbm_create(&m->kind, &m->arena, &m->hbm, &m->trail) == KB_OK;
}

static int64_t serve(memory *m, const pattern *p, uint64_t at, bool writes, int64_t now_ps) {
    const kb_operand operand = {.dtype = KB_DTYPE_I8,
                                .dims = 2,
                                .shape = {p->rows, p->row_bytes},
                                .stride = {(int64_t)p->pitch_bytes, 1}};
    const kbs_runs runs = kbs_runs_of(&operand, at);
    const kbs_part part = {&runs, 0, (uint32_t)(p->rows * p->row_bytes), 256, {0, 1}};
    kbs_service service;
    const int64_t flit_ps = 1000;
    if (!writes)
        return kbs_hbm_read(m->hbm, &part, now_ps, flit_ps, &service) +
               (int64_t)((part.bytes + 255) / 256) * flit_ps;
    const kbs_slope slope = {now_ps, flit_ps};
    return kbs_hbm_write(&m->engine, m->hbm, &part, &slope, 1,
                         now_ps + (int64_t)((part.bytes + 255) / 256) * flit_ps, &service);
}

/* Each packet is asked for when one of those outstanding has come. */
static double bandwidth(memory *m, const pattern *p, unsigned outstanding) {
    enum { PACKETS = 16384 };
    int64_t ends_ps[MOST_OUTSTANDING] = {0}, last_ps = 0;
    random_source random;
    random_init(&random, 1);
    for (uint64_t i = 0; i < PACKETS; i++) {
        unsigned first = 0;
        for (unsigned k = 1; k < outstanding; k++)
            first = ends_ps[k] < ends_ps[first] ? k : first;
        const uint64_t span = UINT64_C(1) << 30;
        const uint64_t at = p->step_bytes > 0 ? i * p->step_bytes % span
                                              : random_below(&random, span / p->row_bytes) * p->row_bytes;
        ends_ps[first] = serve(m, p, at, i % 4 < p->writes_of_4, ends_ps[first]);
        last_ps = ends_ps[first] > last_ps ? ends_ps[first] : last_ps;
    }
    return (double)(PACKETS * p->rows * p->row_bytes) * 1000 / (double)last_ps;
}

int main(void) {
    static const unsigned outstanding[] = {16, MOST_OUTSTANDING};
    static const char *const timings[] = {"off", "hbm3"};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        printf("| %s |", patterns[i].name);
        for (unsigned k = 0; k < 4; k++) {
            memory m;
            if (!set_up(&m, timings[k % 2]))
                return 2;
            printf(" %.1f |", bandwidth(&m, &patterns[i], outstanding[k / 2]));
            kb_arena_fini(&m.arena);
        }
        printf("\n");
    }
    return 0;
}
