/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay-threads TRACE...: replays each by 1, 2, 3 and 8 threads, all its ops handed over, in the order of
 * the walk and in drawn ones, over shared memory and over messages. Says what differs, and exits 1 then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/replays/messages.h"
#include "support/replays/told.h"

enum { SEEDS = 3 };

static const unsigned thread_counts[] = {1, 2, 3, 8};

/* True if it tells the same as `first`. */
static bool same(kb_reader *reader, const char *path, const told_how *how, const char *first) {
    char *text = told_by(reader, how);
    bool equal = strcmp(text, first) == 0;
    if (!equal)
        printf("%s: %u threads%s%s, seed %d of the order\n--- it should be\n%s--- it is\n%s", path,
               how->options.threads, how->messages ? " over messages" : "",
               how->options.verify ? ", verified" : "", how->options.random ? (int)how->options.seed : -1,
               first, text);
    free(text);
    return equal;
}

/* One order of the walk: whatever the threads and the exchange, the same. */
static bool one_order(kb_reader *reader, const char *path, bool verify, int seed) {
    told_how how = {.options = {.verify = verify, .random = seed >= 0, .seed = (uint64_t)seed, .threads = 1},
                    .little_size = UINT64_MAX};
    char *first = told_by(reader, &how);
    bool equal = true;
    for (size_t i = 0; i < sizeof thread_counts / sizeof thread_counts[0]; i++) {
        how.options.threads = thread_counts[i];
        how.little_size = seed == 0 ? 256 : 0;
        how.messages = false;
        equal = same(reader, path, &how, first) && equal;
        how.messages = true;
        if (i % 2 == 0)
            equal = same(reader, path, &how, first) && equal;
    }
    free(first);
    return equal;
}

int main(int argc, char **argv) {
    bool equal = true;
    for (int i = 1; i < argc; i++) {
        kb_trail trail;
        kb_trail_init(&trail);
        kb_reader_options reading = {.recover = true};
        kb_reader *reader;
        const char *path = argv[i];
        if (kb_reader_open(&path, 1, &reading, &reader, &trail) != KB_OK)
            continue; /* what cannot be read cannot be replayed by any number of threads */
        equal = one_order(reader, path, false, -1) && equal;
        for (int seed = -1; seed < SEEDS; seed++)
            equal = one_order(reader, path, true, seed) && equal;
        kb_reader_destroy(reader);
    }
    return equal ? 0 : 1;
}
