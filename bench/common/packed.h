/* SPDX-License-Identifier: Apache-2.0 */
/* A file of bytes behind zstd's streaming API, level 3, for peers that write one record after another. */
#ifndef KB_BENCH_PACKED_H
#define KB_BENCH_PACKED_H

#include <stddef.h>
#include <stdint.h>

enum { BENCH_LEVEL = 3 };

typedef struct bench_packed_out bench_packed_out;
typedef struct bench_packed_in bench_packed_in;

bench_packed_out *bench_packed_create(const char *path);
/* Room for `size` bytes, at most BENCH_ROOM; tell how many were filled in with bench_packed_took. */
uint8_t *bench_packed_room(bench_packed_out *out, size_t size);
void bench_packed_took(bench_packed_out *out, size_t size);
/* Closes, and tells the bytes of the file. */
uint64_t bench_packed_finish(bench_packed_out *out);

bench_packed_in *bench_packed_open(const char *path);
/* At least `size` bytes if the file has them, at most BENCH_ROOM; *ret_have tells how many there are. */
const uint8_t *bench_packed_look(bench_packed_in *in, size_t size, size_t *ret_have);
void bench_packed_pass(bench_packed_in *in, size_t size);
void bench_packed_close(bench_packed_in *in);

enum { BENCH_ROOM = 1 << 16 };

#endif
