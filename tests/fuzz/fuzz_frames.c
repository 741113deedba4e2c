/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any contents behind sound seals. The first byte chooses the options; what follows is pieces, each two
 * bytes of length (little-endian) and so many bytes, which become the contents of a frame each.
 */
#include <stdlib.h>

#include "support/fault_fs.h"
#include "support/forge.h"
#include "support/read_all.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECOVER = 1, DIGESTS = 2, CUT = 4, SEEK = 8 };

static void forge_all(forge *f, const uint8_t *data, size_t size, bool cut) {
    while (size >= 2) {
        size_t length = (size_t)data[0] | (size_t)data[1] << 8;
        data += 2;
        size -= 2;
        length = length < size ? length : size;
        forge_frame(f, data, length);
        data += length;
        size -= length;
    }
    if (!cut)
        forge_end(f);
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
    forge_all(f, data + 1, size - 1, (data[0] & CUT) != 0);
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
