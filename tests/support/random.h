/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers that are the same in every run and on every machine, for tests.
 *
 * xoshiro256** 1.0, seeded by splitmix64 (Blackman and Vigna, public domain, prng.di.unimi.it).
 */
#ifndef KB_TESTS_RANDOM_H
#define KB_TESTS_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct random_source {
    uint64_t state[4];
} random_source;

void random_init(random_source *source, uint64_t seed);

/* All 64 bits. */
uint64_t random_u64(random_source *source);
/* 0 … bound - 1, each equally likely; bound > 0. */
uint64_t random_below(random_source *source, uint64_t bound);
/* least … most, both possible. */
int64_t random_between(random_source *source, int64_t least, int64_t most);
/* True once in `times` on average. */
bool random_once_in(random_source *source, uint64_t times);
void random_bytes(random_source *source, void *bytes, size_t size);

/*
 * Values that break things: half the time an edge (0, the ends of the type, a power of two or one
 * beside it), else a number of a random width in bits. At most `most`.
 */
uint64_t random_extreme_u64(random_source *source, uint64_t most);
/* The same with a sign, over the whole type. */
int64_t random_extreme_i64(random_source *source);

#endif
