/* SPDX-License-Identifier: Apache-2.0 */
/* Any contents behind sound seals, as support/pieces.h says: opened with all options, and all of it read. */
#include <stdlib.h>

#include "support/fault_fs.h"
#include "support/pieces.h"
#include "support/read_all.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
/* libFuzzer's own mutations; not there where the corpus is only replayed. */
extern size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) __attribute__((weak));

enum { RECOVER = 1, DIGESTS = 2, CUT = 4, SEEK = 8 };

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
    pieces_forge(f, data, size, (data[0] & CUT) != 0);
    fault_fs_init(&disk);
    kb_trail_init(&trail);
    fault_fs_put(&disk, path, forge_bytes(f), forge_size(f));
    kb_reader_options options = {
        .fs = &disk.fs,
        .max_memory = 64 << 20,
        .check_digests = (data[0] & DIGESTS) != 0,
        .recover = (data[0] & RECOVER) != 0,
    };
    read_all_result result = read_all(&path, 1, &options, 2000, NULL, NULL, &trail);
    kb_reader *reader;
    if (result.opened && data[0] & SEEK && kb_reader_open(&path, 1, &options, &reader, &trail) == KB_OK) {
        read_all_seek(reader, 0, result.ops);
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
