/* SPDX-License-Identifier: Apache-2.0 */
/* A binary heap in an array, as a textbook writes it; equal times keep the order of scheduling. */
#include "hold/hold.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/measure.h"
#include "common/must.h"

typedef struct heap heap;
typedef struct event event;

struct event {
    int64_t time_ps;
    void (*fire)(heap *of, event *fired);
};

typedef struct entry {
    int64_t time_ps;
    uint64_t number; /* of its scheduling */
    event *what;
} entry;

struct heap {
    entry *entries;
    size_t count;
    uint64_t scheduled;
    int64_t now_ps;
    const uint32_t *increments;
    size_t next;
};

static inline bool comes_before(const entry *a, const entry *b) {
    return a->time_ps != b->time_ps ? a->time_ps < b->time_ps : a->number < b->number;
}

static void push(heap *of, event *what, int64_t time_ps) {
    const entry added = {time_ps, of->scheduled++, what};
    size_t at = of->count++;
    what->time_ps = time_ps;
    while (at > 0 && comes_before(&added, &of->entries[(at - 1) / 2])) {
        of->entries[at] = of->entries[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    of->entries[at] = added;
}

static event *pop(heap *of) {
    event *first = of->entries[0].what;
    const entry last = of->entries[--of->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < of->count; at = child) {
        if (child + 1 < of->count && comes_before(&of->entries[child + 1], &of->entries[child]))
            child++;
        if (!comes_before(&of->entries[child], &last))
            break;
        of->entries[at] = of->entries[child];
    }
    of->entries[at] = last;
    return first;
}

static void fire(heap *of, event *fired) {
    push(of, fired, of->now_ps + of->increments[of->next++ % HOLD_INCREMENTS]);
}

static void run(heap *of, size_t events) {
    for (size_t i = 0; i < events; i++) {
        event *next = pop(of);
        of->now_ps = next->time_ps;
        next->fire(of, next);
    }
}

double hold_binary_heap(const hold_task *task, int64_t *ret_clock_ps) {
    heap of = {.increments = task->increments, .entries = bench_new(task->pending * sizeof(entry))};
    event *events = bench_new(task->pending * sizeof *events);
    for (size_t i = 0; i < task->pending; i++) {
        events[i].fire = fire;
        fire(&of, &events[i]);
    }
    run(&of, task->warm_up);
    const double begun = bench_cpu_now();
    run(&of, task->holds);
    const double taken = bench_cpu_now() - begun;
    run(&of, 1);
    *ret_clock_ps = of.now_ps;
    free(events);
    free(of.entries);
    return taken * 1e9 / (double)task->holds;
}
