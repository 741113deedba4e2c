/* SPDX-License-Identifier: Apache-2.0 */
/* Ourselves: written through kb_writer, read through a cursor a rank; and zstd alone on the same file. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "common/must.h"
#include "kbtrace/reader.h"
#include "kbtrace/writer.h"
#include "peers/peer.h"

/* So many ops of a rank are read before the next rank's turn, as a replay goes over all ranks in parallel. */
enum { TURN = 64 };

/* --- writing --------------------------------------------------------------------------------------- */

static void *begin_with(const bench_ring *ring, const char *path, unsigned threads) {
    kb_writer *writer;
    kb_trail trail;
    kb_trail_init(&trail);
    const kb_writer_options options = {.path = path, .threads = threads};
    bench_must_kb(kb_writer_create(&options, bench_ring_run(ring), bench_ring_defs(ring), &writer, &trail),
                  &trail);
    return writer;
}

static void *begin(const bench_ring *ring, const char *path) {
    return begin_with(ring, path, 1);
}

static void *begin_beside(const bench_ring *ring, const char *path) {
    return begin_with(ring, path, 2);
}

static void put(void *writing, const bench_record *records, size_t count) {
    kb_trail trail;
    kb_trail_init(&trail);
    for (size_t i = 0; i < count; i++)
        bench_must_kb(kb_writer_put(writing, records[i].rank, &records[i].op, &trail), &trail);
}

static uint64_t finish(void *writing, const bench_ring *ring) {
    kb_trail trail;
    kb_writer_stats stats;
    kb_trail_init(&trail);
    const kb_ending ending = {KB_OUTCOME_COMPLETE, "", bench_ring_end_ps(ring)};
    bench_must_kb(kb_writer_finish(writing, &ending, NULL, &trail), &trail);
    kb_writer_measure(writing, &stats);
    kb_writer_destroy(writing);
    return stats.file_bytes;
}

/* --- reading --------------------------------------------------------------------------------------- */

/* False after the last op of the rank. */
static bool turn(kb_cursor *cursor, uint32_t rank, bench_sum *sum, kb_trail *trail) {
    for (unsigned i = 0; i < TURN; i++) {
        const kb_op *op;
        kb_status status = kb_cursor_next(cursor, &op, trail);
        if (status == KB_END)
            return false;
        bench_must_kb(status, trail);
        bench_fold(sum, rank, op);
    }
    return true;
}

static void read_with(const char *path, bench_sum *sum, unsigned threads) {
    kb_reader *reader;
    kb_trail trail;
    kb_trail_init(&trail);
    const kb_reader_options options = {.threads = threads};
    bench_must_kb(kb_reader_open(&path, 1, &options, &reader, &trail), &trail);
    uint32_t ranks = kb_reader_run(reader)->ranks;
    kb_cursor **cursors = bench_new(ranks * sizeof(kb_cursor *));
    for (uint32_t rank = 0; rank < ranks; rank++)
        bench_must_kb(kb_cursor_create(reader, rank, &cursors[rank], &trail), &trail);
    for (uint32_t left = ranks; left > 0;)
        for (uint32_t rank = 0; rank < ranks; rank++)
            if (cursors[rank] != NULL && !turn(cursors[rank], rank, sum, &trail)) {
                kb_cursor_destroy(cursors[rank]);
                cursors[rank] = NULL;
                left--;
            }
    free(cursors);
    kb_reader_destroy(reader);
}

static void read_alone(const char *path, bench_sum *sum) {
    read_with(path, sum, 1);
}

static void read_beside(const char *path, bench_sum *sum) {
    read_with(path, sum, 2);
}

/* --- zstd alone ------------------------------------------------------------------------------------ */

/* Every frame into the same memory, as the reader does; nothing is looked at. */
static void unpack_only(const char *path, bench_sum *sum) {
    (void)sum;
    struct stat info;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bench_must(file >= 0 && fstat(file, &info) == 0, path);
    size_t size = (size_t)info.st_size, room = 0;
    const uint8_t *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    bench_must(bytes != MAP_FAILED, path);
    uint8_t *raw = NULL;
    ZSTD_DCtx *context = ZSTD_createDCtx();
    for (size_t at = 0, packed; at < size; at += packed) {
        unsigned long long wanted = ZSTD_getFrameContentSize(bytes + at, size - at);
        packed = ZSTD_findFrameCompressedSize(bytes + at, size - at);
        bench_must(!ZSTD_isError(packed) && wanted < ZSTD_CONTENTSIZE_ERROR, "finding a frame");
        if (wanted > room) {
            room = (size_t)wanted;
            raw = realloc(raw, room);
            bench_must(raw != NULL, "allocating memory");
        }
        if (wanted > 0)
            bench_must(ZSTD_decompressDCtx(context, raw, room, bytes + at, packed) == wanted,
                       "decompressing");
    }
    ZSTD_freeDCtx(context);
    free(raw);
    munmap((void *)(uintptr_t)bytes, size);
    close(file);
}

const bench_peer bench_kb = {
    .name = "kb",
    .about = "kb_writer and a kb_cursor a rank, one thread",
    .begin = begin,
    .put = put,
    .finish = finish,
    .read = read_alone,
};

const bench_peer bench_kb_beside = {
    .name = "kb, 2 threads",
    .about = "encoded, compressed and decompressed beside; the time is the caller's",
    .begin = begin_beside,
    .put = put,
    .finish = finish,
    .read = read_beside,
};

const bench_peer bench_zstd_alone = {
    .name = "zstd alone",
    .about = "the frames of kb's file decompressed, and nothing done with them",
    .read = unpack_only,
    .reads = "kb",
};
