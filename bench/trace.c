/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-trace: the trace format beside its peers, on the same records in the same run, as a table.
 *
 *   bench-trace [--records N] [--rounds N] [--ranks N] [--folder DIR]
 *
 * Each peer writes and reads in a process of its own, in turn, several rounds; medians are shown.
 * Records are made a few at a time, outside the measured time. Goals are shown, not enforced. DIR
 * needs 1.5 GB for 10M records; it is $TMPDIR, or else /dev/shm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/folder.h"
#include "common/measure.h"
#include "common/must.h"
#include "peers/peer.h"

enum { ROUNDS_MOST = 99, PATH_CHARS = 4096 };

enum place { KB, KB_BESIDE, PROTOBUF, PROTOBUF_ARENA, STRUCTS, OTF2, ZSTD_ALONE, PEERS };
static const bench_peer *const peers[PEERS] = {
    [KB] = &bench_kb,
    [KB_BESIDE] = &bench_kb_beside,
    [PROTOBUF] = &bench_protobuf,
    [PROTOBUF_ARENA] = &bench_protobuf_arena,
    [STRUCTS] = &bench_structs,
    [OTF2] = &bench_otf2,
    [ZSTD_ALONE] = &bench_zstd_alone,
};

typedef struct task {
    bench_ring_options ring;
    const bench_peer *peer;
    char path[PATH_CHARS];
} task;

typedef struct series {
    double seconds[ROUNDS_MOST], peak[ROUNDS_MOST];
    uint64_t bytes;
} series;

typedef struct sheet {
    series written[PEERS], read[PEERS];
    size_t templates;
} sheet;

/* --- in the child ---------------------------------------------------------------------------------- */

/* What a writing child needs besides its writer; and the sums to expect. */
static void make_only(void *user, bench_result *result) {
    task *of = user;
    bench_ring *ring = bench_ring_create(&of->ring);
    const bench_record *records;
    for (size_t count; (count = bench_ring_next(ring, &records)) > 0;)
        for (size_t i = 0; i < count; i++)
            bench_fold(&result->sum, records[i].rank, &records[i].op);
    result->bytes = bench_ring_templates(ring);
}

static void write_all(void *user, bench_result *result) {
    task *of = user;
    bench_ring *ring = bench_ring_create(&of->ring);
    const bench_record *records;
    double begun = bench_now();
    void *writing = of->peer->begin(ring, of->path);
    result->seconds = bench_now() - begun;
    for (size_t count; (count = bench_ring_next(ring, &records)) > 0;) {
        begun = bench_now();
        of->peer->put(writing, records, count);
        result->seconds += bench_now() - begun;
    }
    begun = bench_now();
    result->bytes = of->peer->finish(writing, ring);
    result->seconds += bench_now() - begun;
}

static void read_all(void *user, bench_result *result) {
    task *of = user;
    double begun = bench_now();
    of->peer->read(of->path, &result->sum);
    result->seconds = bench_now() - begun;
}

static void nothing(void *user, bench_result *result) {
    (void)user, (void)result;
}

/* --- rounds ---------------------------------------------------------------------------------------- */

static const bench_peer *source_of(const bench_peer *peer) {
    for (size_t i = 0; peer->reads != NULL && i < PEERS; i++)
        if (strcmp(peers[i]->name, peer->reads) == 0)
            return peers[i];
    return peer;
}

static void set_path(task *of, const char *folder, const bench_peer *peer) {
    size_t number = 0;
    while (peers[number] != peer)
        number++;
    snprintf(of->path, sizeof of->path, "%s/%zu%s", folder, number, peer->folder ? "" : ".zst");
}

static void note(series *to, unsigned round, const bench_result *result, uint64_t base) {
    to->seconds[round] = result->seconds;
    to->peak[round] = result->peak_bytes > base ? (double)(result->peak_bytes - base) : 0;
    to->bytes = result->bytes;
}

static void check(const bench_peer *peer, const bench_sum *got, const bench_sum *wanted) {
    if (peer == &bench_zstd_alone)
        return;
    bench_must(got->records == wanted->records && got->numbers == wanted->numbers, peer->name);
    bench_must(peer->own_words || got->words == wanted->words, peer->name);
}

static void run_round(sheet *to, task *of, const char *folder, unsigned round) {
    bench_result made = bench_measure(make_only, of), base = bench_measure(nothing, of), result;
    to->templates = made.bytes;
    for (size_t i = 0; i < PEERS; i++) {
        if (peers[i]->begin == NULL)
            continue;
        of->peer = peers[i];
        set_path(of, folder, peers[i]);
        bench_remove(of->path);
        result = bench_measure(write_all, of);
        note(&to->written[i], round, &result, made.peak_bytes);
    }
    for (size_t i = 0; i < PEERS; i++) {
        of->peer = peers[i];
        set_path(of, folder, source_of(peers[i]));
        result = bench_measure(read_all, of);
        check(peers[i], &result.sum, &made.sum);
        note(&to->read[i], round, &result, base.peak_bytes);
    }
}

/* --- the table ------------------------------------------------------------------------------------- */

static double of_record(series *from, unsigned rounds, uint64_t records) {
    return bench_median(from->seconds, rounds) * 1e9 / (double)records;
}

static void print_peers(sheet *from, unsigned rounds, uint64_t records) {
    printf("| | bytes a record | write, ns | read, ns | memory to write, MB | to read, MB |\n"
           "| --- | ---: | ---: | ---: | ---: | ---: |\n");
    for (size_t i = 0; i < PEERS; i++) {
        bool writes = peers[i]->begin != NULL;
        printf("| %s |", peers[i]->name);
        if (writes)
            printf(" %.2f | %.1f |", (double)from->written[i].bytes / (double)records,
                   of_record(&from->written[i], rounds, records));
        else
            printf(" | |");
        printf(" %.1f |", of_record(&from->read[i], rounds, records));
        if (writes)
            printf(" %.1f |", bench_median(from->written[i].peak, rounds) / 1e6);
        else
            printf(" |");
        printf(" %.1f |\n", bench_median(from->read[i].peak, rounds) / 1e6);
    }
}

static void print_goals(sheet *from, unsigned rounds, uint64_t records) {
    series *w = from->written, *r = from->read;
    double kb_write = of_record(&w[KB], rounds, records), kb_read = of_record(&r[KB], rounds, records);
    double write_peak = bench_median(w[KB].peak, rounds) / 1e6,
           read_peak = bench_median(r[KB].peak, rounds) / 1e6;
    printf("\n| goal | wanted | reached |\n| --- | ---: | ---: |\n");
    printf("| smaller than a message a record and zstd | 7 × | %.1f × |\n",
           (double)w[PROTOBUF].bytes / (double)w[KB].bytes);
    printf("| read faster than protobuf-c | 10 × | %.1f × (arena: %.1f ×) |\n",
           of_record(&r[PROTOBUF], rounds, records) / kb_read,
           of_record(&r[PROTOBUF_ARENA], rounds, records) / kb_read);
    printf("| written faster than protobuf-c | 3.5 × | %.1f × |\n",
           of_record(&w[PROTOBUF], rounds, records) / kb_write);
    printf("| read at the speed of zstd alone on the same bytes | 40%% | %.0f%% |\n",
           100 * of_record(&r[ZSTD_ALONE], rounds, records) / kb_read);
    printf("| memory to stream, MB | 16 | %.1f written, %.1f read |\n\n", write_peak, read_peak);
}

static void run_sheet(task *of, const char *folder, unsigned rounds, bool whys) {
    sheet *filled = bench_new(sizeof *filled);
    of->ring.whys = whys;
    for (unsigned round = 0; round < rounds; round++)
        run_round(filled, of, folder, round);
    printf("### %s why-items\n\n%.1fM records of %u ranks, %zu templates.\n\n", whys ? "With" : "Without",
           (double)of->ring.records / 1e6, of->ring.ranks, filled->templates);
    print_peers(filled, rounds, of->ring.records);
    print_goals(filled, rounds, of->ring.records);
    fflush(stdout);
    free(filled);
}

/* --- arguments ------------------------------------------------------------------------------------- */

static uint64_t number_of(const char *text, uint64_t least, uint64_t most) {
    char *end;
    uint64_t value = text != NULL ? strtoull(text, &end, 10) : 0;
    bench_must(text != NULL && *end == '\0' && value >= least && value <= most,
               "reading a number (see --help)");
    return value;
}

int main(int argc, char **argv) {
    static task of = {.ring = {.seed = 1, .records = 10000000, .ranks = 256}};
    const char *parent = bench_scratch();
    unsigned rounds = 5;
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--records") == 0) {
            of.ring.records = number_of(argv[i + 1], 1, 1000000000);
        } else if (strcmp(argv[i], "--rounds") == 0) {
            rounds = (unsigned)number_of(argv[i + 1], 1, ROUNDS_MOST);
        } else if (strcmp(argv[i], "--ranks") == 0) {
            of.ring.ranks = (uint32_t)number_of(argv[i + 1], 2, 4096);
        } else if (strcmp(argv[i], "--folder") == 0 && i + 1 < argc) {
            parent = argv[i + 1];
        } else {
            printf("bench-trace [--records N] [--rounds N] [--ranks N] [--folder DIR]\n");
            return strcmp(argv[i], "--help") == 0 ? 0 : 2;
        }
    }
    char folder[PATH_CHARS / 2];
    snprintf(folder, sizeof folder, "%s/bench-trace.XXXXXX", parent);
    bench_must(mkdtemp(folder) != NULL, folder);
    run_sheet(&of, folder, rounds, false);
    run_sheet(&of, folder, rounds, true);
    bench_remove(folder);
    return 0;
}
