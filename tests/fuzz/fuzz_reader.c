/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a file: opened with all options, and all of it read. The first byte chooses the options,
 * the rest is the file.
 */
#include <stdlib.h>

#include "support/fault_fs.h"
#include "support/read_all.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECOVER = 1, DIGESTS = 2, SMALL_FRAMES = 4, FROM_PIPE = 8, IN_BITS = 16, SEEK = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t how = size > 0 ? data[0] : 0;
    const uint8_t *bytes = size > 0 ? data + 1 : data;
    const char *path = how & FROM_PIPE ? "-" : "a.zst";
    fault_fs disk;
    kb_trail trail;
    size = size > 0 ? size - 1 : 0;
    fault_fs_init(&disk);
    kb_trail_init(&trail);
    fault_fs_put_folder(&disk, "tmp");
    if (how & FROM_PIPE)
        fault_fs_put_input(&disk, bytes, size);
    else
        fault_fs_put(&disk, path, bytes, size);
    disk.faults.most_read = how & IN_BITS ? 7 : 0;
    kb_reader_options options = {
        .fs = &disk.fs,
        .max_memory = 64 << 20,
        .max_frame = how & SMALL_FRAMES ? 4096 : 0,
        .check_digests = (how & DIGESTS) != 0,
        .recover = (how & RECOVER) != 0,
    };
    read_all_result result = read_all(&path, 1, &options, 100000, NULL, NULL, &trail);
    kb_reader *reader;
    if (result.opened && how & SEEK && !(how & FROM_PIPE) &&
        kb_reader_open(&path, 1, &options, &reader, &trail) == KB_OK) {
        read_all_seek(reader, 0, result.ops);
        kb_reader_destroy(reader);
    }
    if (fault_fs_open_count(&disk) != 0)
        abort();
    fault_fs_fini(&disk);
    return 0;
}
