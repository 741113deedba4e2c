/* SPDX-License-Identifier: Apache-2.0 */
/* Our clock in the hold model. */
#include "hold/hold.h"

#include <stdlib.h>

#include "common/measure.h"
#include "common/must.h"
#include "engine/engine.h"

typedef struct hold {
    kbs_engine engine;
    const uint32_t *increments;
    size_t next;
} hold;

static void fire(kbs_engine *engine, kbs_event *event) {
    hold *h = engine->owner;
    kbs_engine_at(engine, event, engine->now_ps + h->increments[h->next++ % HOLD_INCREMENTS]);
}

double hold_kb(const hold_task *task, int64_t *ret_clock_ps) {
    hold *h = bench_new(sizeof *h);
    kbs_event *events = bench_new(task->pending * sizeof *events);
    kbs_engine_init(&h->engine, h);
    h->increments = task->increments;
    for (size_t i = 0; i < task->pending; i++) {
        events[i].fire = fire;
        kbs_engine_at(&h->engine, &events[i], h->increments[h->next++ % HOLD_INCREMENTS]);
    }
    kbs_engine_run(&h->engine, INT64_MAX, task->warm_up);
    const double begun = bench_cpu_now();
    kbs_engine_run(&h->engine, INT64_MAX, task->holds);
    const double taken = bench_cpu_now() - begun;
    kbs_engine_run(&h->engine, INT64_MAX, 1);
    *ret_clock_ps = h->engine.now_ps;
    free(events);
    free(h);
    return taken * 1e9 / (double)task->holds;
}
