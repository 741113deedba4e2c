/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaying, from one copy to whole traces, beside memcpy, NumPy and OpenBLAS. Prints the tables of
 * docs/bench-replay.md. Everybody is measured in turn in each round, and the least of all rounds counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arrays/numbers.h"
#include "common/measure.h"
#include "common/must.h"
#include "exchange/exchange.h"
#include "op/op.h"
#include "replays/programs.h"

enum { ROUNDS_MOST = 50, PATH = 1024 };

typedef struct bench {
    const char *self;       /* argv[0] */
    char bin[PATH];         /* the folder of it, with a slash at its end */
    char folder[PATH - 16]; /* for traces; it goes at the end */
    long rounds;
} bench;

static double lesser(double least, double took) {
    return least == 0 || took < least ? took : least;
}

/* --- numbers ----------------------------------------------------------------------------------- */

enum { PRODUCT = 1024 };

static void print_numbers(const bench *it) {
    static bench_answer numpy;
    const kbr_kernels *best = kbr_kernels_choose();
    printf("### Numbers\n\n| what | kb | peer | kb / peer | wanted |\n| --- | ---: | ---: | ---: | ---: |\n");
    double add_ns = 0, peer_ns = 0;
    for (long round = 0; round < it->rounds; round++) {
        add_ns = lesser(add_ns, bench_function_ns(best, KB_FUNC_ADD, KB_DTYPE_F16, 3));
        if (bench_numpy(1, &numpy))
            peer_ns = lesser(peer_ns, bench_numpy_ns(&numpy, "add", "f16"));
    }
    printf("| add f16, %d elements (%s) | %.0f ns |", BENCH_ELEMENTS, best->name, add_ns);
    peer_ns > 0 ? printf(" NumPy %.0f ns | %.1f × |", peer_ns, peer_ns / add_ns)
                : printf(" NumPy is not here | |");
    printf(" 60 × |\n");
    static const struct {
        const char *set, *core, *wanted;
    } pairs[] = {{"avx2", "Haswell", "75%"}, {"avx512", "SkylakeX", "95%"}};
    for (size_t p = 0; p < sizeof pairs / sizeof pairs[0]; p++) {
        const kbr_kernels *kernels = kbr_kernels_named(pairs[p].set);
        double took_s = 0, peer_s = 0, work = 2e-9 * PRODUCT * PRODUCT * PRODUCT;
        for (long round = 0; kernels != NULL && round < it->rounds; round++) {
            took_s = lesser(took_s, bench_product_s(kernels, KB_DTYPE_F16, PRODUCT, 2));
            peer_s = lesser(peer_s, bench_openblas_s(it->self, pairs[p].core, PRODUCT, 2));
        }
        if (kernels == NULL)
            continue;
        printf("| product f16 of %d² (%s), 10⁹ operations a second | %.1f |", PRODUCT, pairs[p].set,
               work / took_s);
        peer_s > 0 ? printf(" OpenBLAS, f32 %.1f | %.0f%% |", work / peer_s, 100 * peer_s / took_s)
                   : printf(" OpenBLAS is not here | |");
        printf(" %s |\n", pairs[p].wanted);
    }
}

/* --- copies ------------------------------------------------------------------------------------ */

/* One op that is decoded, and run for each block of a memory. */
typedef struct copying {
    kb_defs defs;
    kbr_memories *memories;
    kbr_exchange_shared shared;
    kbr_pass pass;
    kb_template what;
    kb_operand operands[2];
    uint64_t offsets[2];
    kb_op op;
    kb_trail trail;
} copying;

static void copying_init(copying *it, uint64_t size, uint64_t block) {
    memset(it, 0, sizeof *it);
    kb_trail_init(&it->trail);
    kb_defs_init(&it->defs, kb_alloc_heap(), 0);
    for (uint32_t id = 0; id < 2; id++) {
        kb_memory memory = {KB_SPACE_HBM, 0, KB_NONE, size, 0, id == 0 ? "to" : "from"};
        bench_must_kb(kb_defs_add_memory(&it->defs, &memory, &id, &it->trail), &it->trail);
    }
    bench_must_kb(
        kbr_memories_create(&it->defs, kb_alloc_heap(), 4 * size + (1 << 24), &it->memories, &it->trail),
        &it->trail);
    kbr_exchange_shared_init(&it->shared, it->memories);
    it->pass = (kbr_pass){.alloc = kb_alloc_heap(),
                          .defs = &it->defs,
                          .limit_size = 4 * size,
                          .exchange = &it->shared.exchange,
                          .kernels = kbr_kernels_choose()};
    it->operands[0] = kb_operand_vector(0, KB_ACCESS_WRITE, KB_DTYPE_BYTES, block);
    it->operands[1] = kb_operand_vector(1, KB_ACCESS_READ, KB_DTYPE_BYTES, block);
    it->what = (kb_template){.kind = KB_OP_DMA_WRITE, .operands = it->operands, .operand_count = 2};
    it->op = (kb_op){.what = &it->what, .offsets = it->offsets};
    uint8_t *bytes = bench_new(block);
    for (uint64_t at = 0; at < size; at += block) {
        memset(bytes, (int)(at / block % 251), block);
        bench_must_kb(kbr_memory_write(it->memories, 1, at, block, bytes, &it->trail), &it->trail);
    }
    free(bytes);
}

static void copying_fini(copying *it) {
    kbr_memories_destroy(it->memories);
    kbr_pass_fini(&it->pass);
    kb_defs_fini(&it->defs);
}

static double ops_s(copying *it, uint64_t size, uint64_t block, uint64_t times) {
    const double start_s = bench_cpu_now();
    for (uint64_t i = 0; i < times; i++)
        for (uint64_t at = 0; at < size; at += block) {
            it->offsets[0] = it->offsets[1] = at;
            bench_must_kb(kbr_op_execute(&it->pass, 0, &it->op, &it->trail), &it->trail);
        }
    return bench_cpu_now() - start_s;
}

static double memcpy_s(uint8_t *to, const uint8_t *from, uint64_t size, uint64_t block, uint64_t times) {
    const double start_s = bench_cpu_now();
    for (uint64_t i = 0; i < times; i++)
        for (uint64_t at = 0; at < size; at += block) {
            memcpy(to + at, from + at, block);
            __asm__ volatile("" : : "r"(to) : "memory");
        }
    return bench_cpu_now() - start_s;
}

static void print_copies_of(const bench *it, uint64_t size, uint64_t block) {
    copying on;
    uint64_t times = (uint64_t)1 << 28 > size ? ((uint64_t)1 << 28) / size : 1;
    double kb_s = 0, peer_s = 0;
    uint8_t *from = bench_new(size), *to = bench_new(size);
    memset(from, 1, size);
    copying_init(&on, size, block);
    ops_s(&on, size, block, 1); /* pages come to be, on both sides */
    memcpy_s(to, from, size, block, 1);
    for (long round = 0; round < it->rounds; round++) {
        kb_s = lesser(kb_s, ops_s(&on, size, block, times));
        peer_s = lesser(peer_s, memcpy_s(to, from, size, block, times));
    }
    double bytes = (double)size * (double)times;
    printf("| %g MiB | %g KiB | %.1f | %.1f | %.2f |\n", 2.0 * (double)size / 0x1p20, (double)block / 0x1p10,
           1e-9 * bytes / kb_s, 1e-9 * bytes / peer_s, peer_s / kb_s);
    copying_fini(&on);
    free(from);
    free(to);
}

/* --- whole traces ------------------------------------------------------------------------------ */

static void path_of(const bench *it, const char *name, char path[PATH]) {
    snprintf(path, PATH, "%s/%s.zst", it->folder, name);
}

static bench_answer replay(const bench *it, const char *path, bool verify, const char *threads) {
    char program[2 * PATH];
    bench_answer answer;
    snprintf(program, sizeof program, "%skb-replay", it->bin);
    const char *const argv[] = {program, path, "--threads", threads, verify ? "--verify" : NULL, NULL};
    bench_must(bench_run(argv, true, &answer), "kb-replay");
    return answer;
}

/* "x.zst: allreduce, 128 ranks, 162944 ops executed" */
static double ops_of(const bench_answer *answer) {
    const char *at = strstr(answer->line, " ops executed");
    bench_must(at != NULL, "the number of ops in what kb-replay said");
    while (at > answer->line && at[-1] != ' ')
        at--;
    return strtod(at, NULL);
}

/* The same tiles by memcpy: into a buffer, and out of it to the other array. */
static double memcpy_of_tiles_s(uint64_t tiles, uint8_t *from, uint8_t *to, uint8_t *tile) {
    const double start_s = bench_cpu_now();
    for (uint64_t i = 0; i < tiles; i++) {
        memcpy(tile, from + i * BENCH_TILE_BYTES, BENCH_TILE_BYTES);
        __asm__ volatile("" : : "r"(tile) : "memory");
        memcpy(to + i * BENCH_TILE_BYTES, tile, BENCH_TILE_BYTES);
        __asm__ volatile("" : : "r"(to) : "memory");
    }
    return bench_cpu_now() - start_s;
}

static void print_end_to_end_copies(const bench *it, uint64_t tiles) {
    char path[PATH];
    path_of(it, "copies", path);
    bench_record_copies(tiles, path);
    uint8_t *from = bench_new(tiles * BENCH_TILE_BYTES), *to = bench_new(tiles * BENCH_TILE_BYTES);
    uint8_t *tile = bench_new(BENCH_TILE_BYTES);
    memset(from, 1, tiles * BENCH_TILE_BYTES);
    memcpy_of_tiles_s(tiles, from, to, tile);
    double kb_s = 0, peer_s = 0;
    for (long round = 0; round < it->rounds; round++) {
        kb_s = lesser(kb_s, replay(it, path, false, "1").cpu_s);
        peer_s = lesser(peer_s, memcpy_of_tiles_s(tiles, from, to, tile));
    }
    const double bytes = 2.0 * (double)tiles * BENCH_TILE_BYTES;
    printf("\nThe whole of `kb-replay` on a trace that moves %.0f MiB in tiles of %d KiB, through a tile of "
           "TCM: "
           "%.1f GB/s\n(memcpy of the same: %.1f GB/s; ratio %.2f).\n",
           bytes / 0x1p20, BENCH_TILE_BYTES >> 10, 1e-9 * bytes / kb_s, 1e-9 * bytes / peer_s, peer_s / kb_s);
    free(from);
    free(to);
    free(tile);
}

static void print_copies(const bench *it) {
    static const uint64_t sizes[] = {1 << 18, 1 << 19, 1 << 25, 1 << 29}, blocks[] = {1 << 12, 1 << 16};
    printf("\n### Copies\n\n| working set | of each op | ops, GB/s | memcpy, GB/s | ops / memcpy |\n"
           "| ---: | ---: | ---: | ---: | ---: |\n");
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++)
            print_copies_of(it, sizes[s], blocks[b]);
    print_end_to_end_copies(it, 1024);
}

/* --- verifying --------------------------------------------------------------------------------- */

static const struct ring {
    uint32_t ranks;
    const char *machine, *size;
} rings[] = {
    {16, "sips=1,cubes=2x1,pes=8", "1MiB"},    {128, "sips=1,cubes=4x4,pes=8", "8KiB"},
    {128, "sips=1,cubes=4x4,pes=8", "128KiB"}, {128, "sips=1,cubes=4x4,pes=8", "1MiB"},
    {256, "sips=1,cubes=8x4,pes=8", "64KiB"},  {512, "sips=1,cubes=8x8,pes=8", "16KiB"},
};

static void simulate(const bench *it, const struct ring *ring, const char *path) {
    char program[2 * PATH], size[32];
    bench_answer answer;
    snprintf(program, sizeof program, "%skb-sim", it->bin);
    snprintf(size, sizeof size, "bytes=%s", ring->size);
    const char *const argv[] = {program, "run", "allreduce", "--machine", ring->machine, "-p",
                                size,    "-q",  "-o",        path,        NULL};
    bench_must(bench_run(argv, true, &answer), "kb-sim");
}

static void print_verify(const bench *it) {
    printf("\n### Verifying\n\n| ranks | of each | ops | replay | ops/s | memory | verify | ops/s | memory | "
           "verify / replay |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for (size_t i = 0; i < sizeof rings / sizeof rings[0]; i++) {
        char path[PATH];
        double took_s[2] = {0, 0}, mib[2] = {0, 0}, ops = 0;
        path_of(it, "ring", path);
        simulate(it, &rings[i], path);
        for (long round = 0; round < it->rounds; round++)
            for (int verify = 0; verify < 2; verify++) {
                const bench_answer answer = replay(it, path, verify == 1, "1");
                took_s[verify] = lesser(took_s[verify], answer.cpu_s);
                mib[verify] = (double)answer.peak_bytes / 0x1p20;
                ops = ops_of(&answer);
            }
        printf("| %u | %s | %.0f | %.2f s | %.2f M | %.0f MiB | %.2f s | %.2f M | %.0f MiB | %.1f |\n",
               rings[i].ranks, rings[i].size, ops, took_s[0], 1e-6 * ops / took_s[0], mib[0], took_s[1],
               1e-6 * ops / took_s[1], mib[1], took_s[1] / took_s[0]);
    }
}

static void print_threads(const bench *it) {
    char path[PATH];
    double took_s[2] = {0, 0};
    path_of(it, "apart", path);
    bench_record_apart(4000, path);
    for (long round = 0; round < it->rounds; round++)
        for (int two = 0; two < 2; two++)
            took_s[two] = lesser(took_s[two], replay(it, path, false, two == 1 ? "2" : "1").wall_s);
    printf("\n### Threads\n\n| ranks that compute by themselves | one thread | two threads | one / two |\n"
           "| ---: | ---: | ---: | ---: |\n| %d | %.2f s | %.2f s | %.2f |\n",
           BENCH_APART_RANKS, took_s[0], took_s[1], took_s[0] / took_s[1]);
}

/* --- */

static void clean_up(const bench *it) {
    static const char *const names[] = {"copies", "ring", "apart"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH];
        path_of(it, names[i], path);
        unlink(path);
    }
    rmdir(it->folder);
}

int main(int argc, char **argv) {
    bench it = {.self = argv[0], .rounds = 4};
    if (argc == 3 && strcmp(argv[1], "--rounds") == 0)
        it.rounds = strtol(argv[2], NULL, 10);
    if ((argc != 1 && argc != 3) || it.rounds < 1 || it.rounds > ROUNDS_MOST) {
        printf("bench-replay [--rounds N]\n");
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    const char *slash = strrchr(argv[0], '/');
    snprintf(it.bin, sizeof it.bin, "%.*s", slash != NULL ? (int)(slash + 1 - argv[0]) : 0, argv[0]);
    const char *temporary = getenv("TMPDIR");
    snprintf(it.folder, sizeof it.folder, "%s/bench-replay-XXXXXX", temporary != NULL ? temporary : P_tmpdir);
    bench_must(mkdtemp(it.folder) != NULL, "a folder for traces");
    print_numbers(&it);
    print_copies(&it);
    print_verify(&it);
    print_threads(&it);
    clean_up(&it);
    return 0;
}
