/* SPDX-License-Identifier: Apache-2.0 */
/* A ring written, read and replayed, for the tests of this folder. */
#ifndef KB_TESTS_REPLAYED_H
#define KB_TESTS_REPLAYED_H

#include "support/check.h"

#include <string.h>

#include "kbreplay/replay.h"
#include "support/fault_fs.h"
#include "support/ring.h"

typedef struct replayed {
    fault_fs disk;
    kb_reader *reader;
    kbr_replay *replay;
    const kbr_result *result;
    kb_trail trail;
} replayed;

/* Opens what was written to the disk as run.zst. */
static inline void replayed_begin(replayed *it, const kbr_options *options) {
    kb_trail_init(&it->trail);
    const char *path = "run.zst";
    kb_reader_options reading = {.fs = &it->disk.fs, .check_digests = true};
    check_ok(kb_reader_open(&path, 1, &reading, &it->reader, &it->trail), &it->trail);
    check_ok(kbr_replay_create(it->reader, options, &it->replay, &it->trail), &it->trail);
}

static inline void replayed_open(replayed *it, ring *made, const kbr_options *options) {
    fault_fs_init(&it->disk);
    ring_write(made, &it->disk.fs, "run.zst");
    replayed_begin(it, options);
}

static inline void replayed_run(replayed *it, ring *made, const kbr_options *options) {
    replayed_open(it, made, options);
    check_ok(kbr_replay_run(it->replay, &it->trail), &it->trail);
    it->result = kbr_replay_result(it->replay);
}

static inline void replayed_fini(replayed *it) {
    kbr_replay_destroy(it->replay);
    kb_reader_destroy(it->reader);
    fault_fs_fini(&it->disk);
}

static inline void replayed_show(const replayed *it) {
    for (size_t i = 0; i < it->result->finding_count; i++) {
        char text[256] = "";
        const kbr_finding *finding = &it->result->findings[i];
        if (finding->op_count != 0)
            kbr_mention_text(kb_reader_defs(it->reader), &finding->ops[0], finding->rank, text, sizeof text);
        print_message("%s %s rank %u %s: %s (%llu)\n", finding->check, finding->rule, finding->rank, text,
                      finding->message, (unsigned long long)finding->count);
    }
}

static inline const kbr_finding *replayed_find(const replayed *it, const char *check, const char *rule) {
    for (size_t i = 0; i < it->result->finding_count; i++)
        if (strcmp(it->result->findings[i].check, check) == 0 &&
            strcmp(it->result->findings[i].rule, rule) == 0)
            return &it->result->findings[i];
    return NULL;
}

#endif
