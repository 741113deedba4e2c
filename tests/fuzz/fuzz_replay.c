/* SPDX-License-Identifier: Apache-2.0 */
/* Any contents behind sound seals, as support/pieces.h says: replayed with all options, also by time. */
#include <stdlib.h>

#include "support/fault_fs.h"
#include "support/pieces.h"

#include "kbreplay/timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
/* libFuzzer's own mutations; not there where the corpus is only replayed. */
extern size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) __attribute__((weak));

enum { RECOVER = 1, STRICT = 2, CUT = 4, VERIFY = 8, RANDOM = 16, THREADS = 32, TIMES = 64, DUMP = 128 };

static void replay(kb_reader *reader, const kbr_options *options, fault_fs *disk, bool dumps) {
    kb_trail trail;
    kbr_replay *it;
    uint64_t undefined;
    kb_trail_init(&trail);
    if (kbr_replay_create(reader, options, &it, &trail) != KB_OK)
        return;
    if (kbr_replay_run(it, &trail) == KB_OK && dumps && kb_reader_defs(reader)->tensor_count > 0)
        (void)!kbr_replay_dump(it, 0, &disk->fs, "x.npy", &undefined, &trail);
    kbr_replay_destroy(it);
}

/* Forward, back, and to the end. */
static void look(kb_reader *reader, const kbr_options *options) {
    static const int64_t times_ps[] = {500, 100, KB_TIME_MAX_PS, 1000};
    const kbr_timeline_options how = {.replay = *options, .checkpoint_ops = 7, .checkpoint_count = 3};
    kb_trail trail;
    kbr_timeline *it;
    kb_trail_init(&trail);
    if (kbr_timeline_create(reader, &how, &it, &trail) != KB_OK)
        return;
    for (size_t i = 0; i < sizeof times_ps / sizeof times_ps[0]; i++)
        if (kbr_timeline_seek(it, times_ps[i], &trail) != KB_OK)
            break;
    kbr_timeline_destroy(it);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static forge *f;
    const char *path = "a.zst";
    fault_fs disk;
    kb_trail trail;
    if (size == 0)
        return 0;
    if (f == NULL)
        f = forge_create();
    forge_reset(f);
    const uint8_t how = data[0];
    pieces_forge(f, data, size, (how & CUT) != 0);
    fault_fs_init(&disk);
    kb_trail_init(&trail);
    fault_fs_put(&disk, path, forge_bytes(f), forge_size(f));
    const kb_reader_options reading = {
        .fs = &disk.fs, .max_memory = 64 << 20, .recover = (how & RECOVER) != 0};
    const kbr_options options = {.verify = (how & VERIFY) != 0,
                                 .strict_init = (how & STRICT) != 0,
                                 .random = (how & RANDOM) != 0,
                                 .seed = size,
                                 .max_memory = 16 << 20,
                                 .threads = (how & THREADS) != 0 ? 2 : 1};
    kb_reader *reader;
    if (kb_reader_open(&path, 1, &reading, &reader, &trail) == KB_OK) {
        replay(reader, &options, &disk, (how & DUMP) != 0);
        if ((how & TIMES) != 0)
            look(reader, &options);
        kb_reader_destroy(reader);
    }
    if (fault_fs_open_count(&disk) != 0)
        abort();
    fault_fs_fini(&disk);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
    random_source random;
    random_init(&random, seed);
    size_t now = random_once_in(&random, 3) ? 0 : pieces_mutate(data, size, most, &random);
    return now != 0 || LLVMFuzzerMutate == NULL ? now : LLVMFuzzerMutate(data, size, most);
}
