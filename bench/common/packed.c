/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes through zstd into a file, and back: see packed.h. */
#include "common/packed.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "common/must.h"

enum { RAW_SIZE = 1 << 18 };

/* --- out ------------------------------------------------------------------------------------------- */

struct bench_packed_out {
    int file;
    ZSTD_CCtx *context;
    uint64_t bytes;
    size_t raw_size, packed_capacity;
    uint8_t *packed;
    uint8_t raw[RAW_SIZE];
};

bench_packed_out *bench_packed_create(const char *path) {
    bench_packed_out *out = bench_new(sizeof *out);
    out->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bench_must(out->file >= 0, path);
    out->context = ZSTD_createCCtx();
    bench_must(out->context != NULL, "zstd");
    ZSTD_CCtx_setParameter(out->context, ZSTD_c_compressionLevel, BENCH_LEVEL);
    ZSTD_CCtx_setParameter(out->context, ZSTD_c_checksumFlag, 1);
    out->packed_capacity = ZSTD_CStreamOutSize();
    out->packed = bench_new(out->packed_capacity);
    return out;
}

static void press(bench_packed_out *out, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in = {out->raw, out->raw_size, 0};
    size_t left;
    do {
        ZSTD_outBuffer to = {out->packed, out->packed_capacity, 0};
        left = ZSTD_compressStream2(out->context, &to, &in, directive);
        bench_must(!ZSTD_isError(left) && write(out->file, out->packed, to.pos) == (ssize_t)to.pos,
                   "compressing and writing");
        out->bytes += to.pos;
    } while (directive == ZSTD_e_end ? left != 0 : in.pos < in.size);
    out->raw_size = 0;
}

uint8_t *bench_packed_room(bench_packed_out *out, size_t size) {
    bench_must(size <= BENCH_ROOM, "writing a record of this size");
    if (RAW_SIZE - out->raw_size < size)
        press(out, ZSTD_e_continue);
    return out->raw + out->raw_size;
}

void bench_packed_took(bench_packed_out *out, size_t size) {
    out->raw_size += size;
}

uint64_t bench_packed_finish(bench_packed_out *out) {
    press(out, ZSTD_e_end);
    uint64_t bytes = out->bytes;
    bench_must(close(out->file) == 0, "closing");
    ZSTD_freeCCtx(out->context);
    free(out->packed);
    free(out);
    return bytes;
}

/* --- in -------------------------------------------------------------------------------------------- */

struct bench_packed_in {
    int file;
    ZSTD_DCtx *context;
    ZSTD_inBuffer from;
    size_t packed_capacity;
    uint8_t *packed;
    size_t at, end;
    uint8_t raw[RAW_SIZE];
};

bench_packed_in *bench_packed_open(const char *path) {
    bench_packed_in *in = bench_new(sizeof *in);
    in->file = open(path, O_RDONLY | O_CLOEXEC);
    bench_must(in->file >= 0, path);
    in->context = ZSTD_createDCtx();
    bench_must(in->context != NULL, "zstd");
    in->packed_capacity = ZSTD_DStreamInSize();
    in->packed = bench_new(in->packed_capacity);
    in->from.src = in->packed;
    return in;
}

/* False at the end of the file. */
static bool refill(bench_packed_in *in) {
    if (in->from.pos == in->from.size) {
        ssize_t size = read(in->file, in->packed, in->packed_capacity);
        bench_must(size >= 0, "reading");
        in->from.size = (size_t)size;
        in->from.pos = 0;
    }
    ZSTD_outBuffer to = {in->raw, RAW_SIZE, in->end};
    size_t before = in->end;
    bench_must(!ZSTD_isError(ZSTD_decompressStream(in->context, &to, &in->from)), "decompressing");
    in->end = to.pos;
    return in->end > before || in->from.size > 0;
}

const uint8_t *bench_packed_look(bench_packed_in *in, size_t size, size_t *ret_have) {
    if (in->end - in->at < size) {
        memmove(in->raw, in->raw + in->at, in->end - in->at);
        in->end -= in->at;
        in->at = 0;
        while (in->end < RAW_SIZE && refill(in))
            continue;
    }
    *ret_have = in->end - in->at;
    return in->raw + in->at;
}

void bench_packed_pass(bench_packed_in *in, size_t size) {
    in->at += size;
}

void bench_packed_close(bench_packed_in *in) {
    close(in->file);
    ZSTD_freeDCtx(in->context);
    free(in->packed);
    free(in);
}
