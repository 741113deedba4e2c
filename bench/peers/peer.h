/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A way to keep records in a file and to get them back: ours, and those beside it. Every peer
 * writes the same records to a path and folds each record that it reads, field by field.
 */
#ifndef KB_BENCH_PEER_H
#define KB_BENCH_PEER_H

#include "common/fold.h"
#include "common/ring.h"

typedef struct bench_peer {
    const char *name;
    const char *about; /* what it does, for the page */
    bool folder;       /* the path becomes a folder */
    bool own_words;    /* its reader gives back template numbers in the place of words */

    /* begin, put for each step, finish: finish tells the bytes written. NULL: reads another's file. */
    void *(*begin)(const bench_ring *ring, const char *path);
    void (*put)(void *writing, const bench_record *records, size_t count);
    uint64_t (*finish)(void *writing, const bench_ring *ring);

    /* All records of the file. NULL: another peer reads it. */
    void (*read)(const char *path, bench_sum *sum);
    const char *reads; /* the name of the peer whose file it reads, or NULL: its own */
} bench_peer;

extern const bench_peer bench_kb, bench_kb_beside, bench_zstd_alone;
extern const bench_peer bench_protobuf, bench_protobuf_arena;
extern const bench_peer bench_structs;
extern const bench_peer bench_otf2;

#endif
