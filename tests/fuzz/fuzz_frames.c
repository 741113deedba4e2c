/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any contents behind sound seals. The first byte chooses the options; what follows is pieces, each two
 * bytes of length (little-endian) and so many bytes, which become the contents of a frame each.
 */
#include <stdlib.h>
#include <string.h>

#include "support/fault_fs.h"
#include "support/forge.h"
#include "support/random.h"
#include "support/read_all.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
/* libFuzzer's own mutations; not there where the corpus is only replayed. */
extern size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) __attribute__((weak));

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

/* --- mutations that know what a number is ---------------------------------------------------------- */

/* The bytes of one piece, found by walking the lengths; false where there are fewer pieces. */
static bool find_piece(const uint8_t *data, size_t size, size_t number, size_t *ret_at, size_t *ret_length) {
    size_t at = 1;
    while (size - at >= 2) {
        size_t length = (size_t)data[at] | (size_t)data[at + 1] << 8;
        at += 2;
        length = length < size - at ? length : size - at;
        *ret_at = at;
        *ret_length = length;
        if (number-- == 0)
            return true;
        at += length;
    }
    return false;
}

/* One number of one piece becomes another, and all lengths around it are right again. */
static size_t mutate_number(uint8_t *data, size_t size, size_t most, random_source *random) {
    static uint8_t changed[1 << 18];
    size_t at, length, count = 0;
    while (size > 1 && count < 64 && find_piece(data, size, count, &at, &length))
        count++;
    if (count == 0 || !find_piece(data, size, random_below(random, count), &at, &length) || length == 0 ||
        length > sizeof changed / 8)
        return 0;
    size_t which = random_below(random, length);
    uint64_t value = random_extreme_u64(random, random_once_in(random, 2) ? 16 : UINT64_MAX), now = 0;
    for (; now == 0; which /= 2) {
        now = forge_replace(data + at, length, which, value, changed, sizeof changed);
        if (which == 0)
            break;
    }
    if (now == 0 || now > UINT16_MAX || size - length + now > most)
        return 0;
    memmove(data + at + now, data + at + length, size - at - length);
    memcpy(data + at, changed, now);
    data[at - 2] = (uint8_t)now;
    data[at - 1] = (uint8_t)(now >> 8);
    return size - length + now;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
    random_source random;
    random_init(&random, seed);
    size_t now = random_once_in(&random, 3) ? 0 : mutate_number(data, size, most, &random);
    return now != 0 || LLVMFuzzerMutate == NULL ? now : LLVMFuzzerMutate(data, size, most);
}
