/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who touched each byte last: segments of every memory with the last write and the reads since.
 *
 * Segments split where an access cuts them and merge where neighbours agree. They are kept by pages, so
 * that a change costs little however many there are. Lists of readers are shared between segments. Large
 * ranges that begin or end to live are kept beside: a page that is touched later begins with them.
 */
#ifndef KBREPLAY_SRC_HISTORY_H
#define KBREPLAY_SRC_HISTORY_H

#include "order/event.h"

typedef struct kbr_readers {
    struct kbr_readers *next;
    kbr_event *event;
    uint32_t refs;  /* of segments, and of lists that go on with it */
    uint32_t count; /* from this one on */
} kbr_readers;

typedef struct kbr_segment {
    uint32_t low;     /* within its page; it ends where the next begins */
    kbr_event *write; /* NULL: nobody */
    kbr_readers *reads;
} kbr_segment;

/* A large range whose beginning or end was its last write, but where pages say otherwise. */
typedef struct kbr_expanse {
    uint64_t low, high;
    kbr_event *event;
} kbr_expanse;

enum { KBR_RECENT_PAGES = 4 };

/* What is known of one memory. */
typedef struct kbr_history {
    struct map_page *recent[KBR_RECENT_PAGES]; /* that were asked for, by the end of their number */
    kbr_table pages;                           /* by number */
    kbr_expanse *expanses;                     /* disjoint, by rising offset */
    size_t expanse_count, expanse_capacity;
} kbr_history;

typedef struct kbr_histories {
    kbr_order *order;
    kbr_history *items; /* [memories] */
    kbr_readers *spare;
    uint64_t used_size; /* bytes of pages */
} kbr_histories;

kb_status kbr_histories_init(kbr_histories *map, kbr_order *order, kb_trail *trail) KB_MUST_USE;
/* What it keeps of events goes with the order. */
void kbr_histories_fini(kbr_histories *map);

/* Looks at or changes what is known of bytes [low, high) of a memory. */
typedef kb_status kbr_visit(void *user, uint64_t low, uint64_t high, kbr_segment *segment, kb_trail *trail);

/* Visits all of a range, in pieces of which each byte has one history. */
kb_status kbr_histories_touch(kbr_histories *map, uint32_t memory, uint64_t low, uint64_t high,
                              kbr_visit *visit, void *user, kb_trail *trail) KB_MUST_USE;

/* The same for a range that begins or ends to live, of any size: `event` is the last to write all of it. */
kb_status kbr_histories_renew(kbr_histories *map, uint32_t memory, uint64_t low, uint64_t high,
                              kbr_event *event, kbr_visit *visit, void *user, kb_trail *trail) KB_MUST_USE;

/* The segment was written: nobody has read it since. */
void kbr_segment_write(kbr_histories *map, kbr_segment *segment, kbr_event *event);
/* A list with one reader more; the list keeps its own reference of `next`. */
kb_status kbr_readers_new(kbr_histories *map, kbr_event *event, kbr_readers *next, kbr_readers **ret_list,
                          kb_trail *trail) KB_MUST_USE;
void kbr_readers_drop(kbr_histories *map, kbr_readers *list);

#endif
