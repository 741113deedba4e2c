/* SPDX-License-Identifier: Apache-2.0 */
/* All-reduce: which ops each algorithm's page says that a rank takes, and that a run takes just those. */
#include <stdio.h>
#include <stdlib.h>

#include "coll/algorithms.h"
#include "kept.h"

enum { SLOT_ELEMENTS = 128 }; /* f16 in slots of 256 bytes */

typedef struct tally {
    uint64_t of[KB_OP_LIMIT];
} tally;

static uint64_t slots_of(uint64_t elements) {
    return (elements + SLOT_ELEMENTS - 1) / SLOT_ELEMENTS;
}

static uint64_t share(uint64_t elements, uint64_t count, uint64_t index) {
    return elements / count + (index < elements % count);
}

static uint64_t shares(uint64_t elements, uint64_t count, uint64_t first, uint64_t end) {
    uint64_t sum = 0;
    for (uint64_t i = first; i < end; i++)
        sum += share(elements, count, i);
    return sum;
}

/* --- what a rank does with a message ---------------------------------------------------------- */

/* Handed over, and waited for when its source is needed. */
static void sends(tally *t, uint64_t elements) {
    t->of[KB_OP_IPCQ_COPY] += slots_of(elements);
    t->of[KB_OP_WAIT] += elements > 0;
}

/* One command, which needs a wait where it is of several slots. */
static void sends_at_once(tally *t, uint64_t elements) {
    t->of[KB_OP_IPCQ_COPY] += slots_of(elements);
    t->of[KB_OP_WAIT] += slots_of(elements) > 1;
}

static void gets(tally *t, uint64_t elements, bool reduces) {
    t->of[KB_OP_IPCQ_RECV] += slots_of(elements);
    t->of[KB_OP_IPCQ_RELEASE] += slots_of(elements);
    t->of[reduces ? KB_OP_MATH : KB_OP_DMA_READ] += slots_of(elements);
}

/* --- pages ------------------------------------------------------------------------------------ */

typedef void (*page)(tally *t, uint32_t ranks, uint32_t rank, uint64_t elements);

/* Each way a chunk goes out in each step, all but the one that comes last, and back again. */
static void biring(tally *t, uint32_t n, uint32_t rank, uint64_t elements) {
    for (uint32_t way = 0; way < 2 && n > 1; way++) {
        const uint64_t half = share(elements, 2, way);
        const uint32_t step = way == 0 ? 1 : n - 1;
        for (uint32_t i = 0; i < n; i++) {
            const uint64_t size = share(half, n, i);
            if (i != (rank + step) % n)
                sends(t, size);
            if (i != (rank + 2 * step) % n)
                sends(t, size);
            if (i != rank)
                gets(t, size, true);
            if (i != (rank + step) % n)
                gets(t, size, false);
        }
    }
}

static uint32_t fold_of(uint32_t n) {
    uint32_t p = 1;
    while (2 * p <= n)
        p *= 2;
    return p;
}

/* Before and after; returns the place of who plays, or n. */
static uint32_t folded(tally *t, uint32_t n, uint32_t rank, uint64_t elements) {
    const uint32_t surplus = n - fold_of(n);
    if (rank >= 2 * surplus)
        return rank - surplus;
    sends_at_once(t, elements);
    gets(t, elements, rank % 2 == 1);
    return rank % 2 == 1 ? rank / 2 : n;
}

static void recursive_doubling(tally *t, uint32_t n, uint32_t rank, uint64_t elements) {
    if (folded(t, n, rank, elements) == n)
        return;
    for (uint32_t bit = 1; bit < fold_of(n); bit *= 2) {
        gets(t, elements, true);
        t->of[KB_OP_IPCQ_COPY] += slots_of(elements); /* segment by segment, each waited for */
        t->of[KB_OP_WAIT] += slots_of(elements);
    }
}

static void halving_doubling(tally *t, uint32_t n, uint32_t rank, uint64_t elements) {
    const uint32_t p = fold_of(n), place = folded(t, n, rank, elements);
    uint32_t first = 0, size = p;
    for (uint32_t bit = 1; place < n && bit < p; bit *= 2) {
        const uint32_t keeps = first + (place & bit ? size / 2 : 0),
                       gives = first + (place & bit ? 0 : size / 2);
        size /= 2;
        first = keeps;
        for (int back = 0; back < 2; back++) { /* what it gave comes back, for what it kept */
            sends(t, shares(elements, p, back ? keeps : gives, (back ? keeps : gives) + size));
            gets(t, shares(elements, p, back ? gives : keeps, (back ? gives : keeps) + size), !back);
        }
    }
}

/* Inner nodes of a tree of numbers 1 to n; how many children it has there. */
static uint32_t children_of(uint32_t number, uint32_t n) {
    uint32_t bit = 1, count = 0;
    while (number % (2 * bit) == 0)
        bit *= 2;
    for (uint32_t other = number - bit + 1; bit > 1 && other < number + bit && other <= n; other++) {
        uint32_t up = other;
        do {
            uint32_t low = up & (~up + 1);
            up = (up - low) | 2 * low;
        } while (up > n); /* the nearest above that exists */
        count += up == number;
    }
    return count;
}

static void double_tree(tally *t, uint32_t n, uint32_t rank, uint64_t elements) {
    const uint32_t numbers[2] = {rank + 1, n % 2 == 0 ? n - rank : rank == 0 ? n : rank};
    bool was_leaf = false;
    assert_true(n == 1 || children_of(numbers[0], n) == 0 || children_of(numbers[1], n) == 0);
    for (uint32_t tree = 0; tree < 2 && n > 1; tree++) {
        const uint64_t half = share(elements, 2, tree);
        const uint32_t number = numbers[tree], children = children_of(number, n);
        const bool is_root = 2 * number > n && (number & (number - 1)) == 0;
        for (uint32_t i = 0; i < children; i++) {
            gets(t, half, true);
            t->of[KB_OP_IPCQ_COPY] += slots_of(half);
        }
        if (is_root)
            continue;
        gets(t, half, false);
        t->of[KB_OP_IPCQ_COPY] += slots_of(half);
        const bool is_leaf = children == 0 && (tree == 1 || children_of(numbers[1], n) > 0);
        t->of[KB_OP_WAIT] +=
            is_leaf && !was_leaf && half > 0; /* a leaf's goes as a whole, the inner node's not */
        was_leaf = was_leaf || is_leaf;
    }
}

static uint32_t rows_of(uint32_t n) {
    uint32_t rows = 1;
    for (uint32_t i = 1; i * i <= n; i++)
        rows = n % i == 0 ? i : rows;
    return rows;
}

/* Around a ring of `count`, with one's own share the last to come to its sum, and the first to go out. */
static void on_ring(tally *t, uint32_t count, uint32_t at, uint64_t elements) {
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t size = share(elements, count, i);
        if (i != at) {
            sends(t, size);
            gets(t, size, false);
        }
        if (i != (at + count - 1) % count) /* that went out first */
            gets(t, size, true);
        if (i != (at + 1) % count) /* that came last */
            sends(t, size);
    }
}

/* On a line: what lies beyond goes out to either side, what is this side of it comes in; and back. */
static void on_line(tally *t, uint32_t count, uint32_t at, uint64_t elements) {
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t size = share(elements, count, i);
        if (i != at)
            sends(t, size); /* towards who sums it */
        if (i != at)
            gets(t, size, false); /* from there */
        if (i <= at && at + 1 < count) {
            gets(t, size, true); /* from above */
            sends(t, size);      /* upwards, what came from below and the own */
        }
        if (i >= at && at > 0) {
            gets(t, size, true);
            sends(t, size);
        }
    }
}

static void on_grid(tally *t, uint32_t n, uint32_t rank, uint64_t elements,
                    void (*on)(tally *t, uint32_t count, uint32_t at, uint64_t elements)) {
    const uint32_t columns = n / rows_of(n), at = rank % columns;
    on(t, columns, at, elements);
    on(t, n / columns, rank / columns, share(elements, columns, at));
}

static void torus(tally *t, uint32_t n, uint32_t rank, uint64_t elements) {
    on_grid(t, n, rank, elements, on_ring);
}

static void mesh(tally *t, uint32_t n, uint32_t rank, uint64_t elements) {
    on_grid(t, n, rank, elements, on_line);
}

/* --- runs ------------------------------------------------------------------------------------- */

static void run_of(kept *run, const kbs_algorithm *algorithm, const char *shape, uint32_t ranks,
                   uint64_t elements, uint64_t slots) {
    kept_init(run, shape, ranks);
    run->elements = elements;
    run->machine.at.ipcq_slots = slots;
    run->machine.at.ipcq_slot_bytes = SLOT_ELEMENTS * 2;
    check_ok(kept_record(run, algorithm->record), &run->trail);
    check_ok(kept_simulate(run), &run->trail);
    kept_check(run);
}

static void check_page(const kbs_algorithm *algorithm, page read, uint32_t ranks, uint64_t elements,
                       uint64_t slots) {
    static kept run;
    run_of(&run, algorithm, "cubes=2x2,pes=8", ranks, elements, slots);
    for (uint32_t rank = 0; rank < ranks; rank++) {
        tally found, expected;
        memset(&found, 0, sizeof found);
        memset(&expected, 0, sizeof expected);
        expected.of[KB_OP_LAUNCH] = expected.of[KB_OP_COLL_BEGIN] = expected.of[KB_OP_COLL_END] = 1;
        read(&expected, ranks, rank, elements);
        for (uint64_t k = 0; k < run.counts[rank]; k++)
            found.of[run.ops[rank][k].what->kind]++;
        for (uint32_t kind = 0; kind < KB_OP_LIMIT; kind++)
            if (found.of[kind] != expected.of[kind])
                fail_msg("%s: rank %u of %u, %u elements: %u of kind %u, not %u", algorithm->name, rank,
                         ranks, (unsigned)elements, (unsigned)found.of[kind], kind,
                         (unsigned)expected.of[kind]);
    }
    kept_fini(&run);
}

static void ranks_take_the_ops_of_their_page(void **state) {
    (void)state;
    static const struct {
        const kbs_algorithm *algorithm;
        page page;
    } pages[] = {{&kbs_algorithm_all_reduce_biring, biring},
                 {&kbs_algorithm_all_reduce_recursive_doubling, recursive_doubling},
                 {&kbs_algorithm_all_reduce_halving_doubling, halving_doubling},
                 {&kbs_algorithm_all_reduce_double_tree, double_tree},
                 {&kbs_algorithm_all_reduce_mesh, mesh},
                 {&kbs_algorithm_all_reduce_torus, torus}};
    static const uint32_t ranks[] = {1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 16, 31, 32};
    for (size_t a = 0; a < sizeof pages / sizeof pages[0]; a++)
        for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
            const uint32_t n = ranks[i];
            const kbs_algorithm *algorithm = pages[a].algorithm;
            const uint64_t sizes[] = {0, 1, n - 1, n, 1000, n < 16 ? 20001 : 9001};
            for (size_t j = n % 5 == 3 ? 0 : 4; j < sizeof sizes / sizeof sizes[0]; j++)
                if (algorithm->serves == NULL || algorithm->serves(n))
                    check_page(algorithm, pages[a].page, n, sizes[j], j % 2 == 0 ? 4 : 1);
        }
}

/* --- hierarchical ------------------------------------------------------------------------------ */

typedef struct spot {
    uint32_t sip, x, y, pe;
} spot;

enum { PES = 2, COLUMNS = 3, ROWS = 2, OF_SIP = PES * COLUMNS * ROWS };
static const char machine[] = "sips=2,cubes=3x2,pes=2";

static spot spot_of(uint32_t pe) {
    return (spot){pe / OF_SIP, pe / PES % COLUMNS, pe % OF_SIP / PES / COLUMNS, pe % PES};
}

static uint64_t count_of(const kept *run, uint32_t rank, uint32_t kind) {
    uint64_t count = 0;
    for (uint64_t k = 0; k < run->counts[rank]; k++)
        count += run->ops[rank][k].what->kind == kind;
    return count;
}

/* Of a full machine: PEs to the first, rows to the middle column, that to the middle row, roots exchange. */
static void a_package_is_climbed_to_its_middle(void **state) {
    (void)state;
    static kept run;
    const uint64_t m = 3;
    const uint32_t x = COLUMNS / 2, y = ROWS / 2;
    run_of(&run, &kbs_algorithm_all_reduce_hierarchical, machine, 2 * OF_SIP, m * SLOT_ELEMENTS - 1, 4);
    for (uint32_t rank = 0; rank < 2 * OF_SIP; rank++) {
        const spot at = spot_of(rank);
        uint32_t children = 0, roots = 0;
        if (at.pe == 0) {
            children = PES - 1U + (at.x > 0 && at.x <= x) + (at.x >= x && at.x + 1 < COLUMNS);
            children += at.x == x && at.y > 0 && at.y <= y;
            children += at.x == x && at.y >= y && at.y + 1 < ROWS;
            roots = at.x == x && at.y == y;
        }
        assert_int_equal(count_of(&run, rank, KB_OP_MATH), m * (children + roots));
        assert_int_equal(count_of(&run, rank, KB_OP_DMA_READ), m * (1 - roots));
        assert_int_equal(count_of(&run, rank, KB_OP_IPCQ_COPY), m * (children + 1));
        assert_int_equal(count_of(&run, rank, KB_OP_WAIT), m * roots);
    }
    for (size_t i = 0; i < run.program->queue_count; i++) {
        const spot a = spot_of(run.program->queues[i].producer), b = spot_of(run.program->queues[i].consumer);
        const int dx = abs((int)a.x - (int)b.x), dy = abs((int)a.y - (int)b.y);
        if (a.sip != b.sip)
            assert_true(a.x == x && a.y == y && a.pe == 0 && b.x == x && b.y == y && b.pe == 0);
        else
            assert_true(dx + dy == 0 ? a.pe == 0 || b.pe == 0 : dx + dy == 1 && a.pe == 0 && b.pe == 0);
    }
    kept_fini(&run);
}

/* Ranks that end in the middle of a cube, a row, a package: each rank is once in the tree of its package. */
static void any_number_of_ranks_has_a_tree(void **state) {
    (void)state;
    static kept run;
    for (uint32_t ranks = 1; ranks <= 2 * OF_SIP; ranks++) {
        const uint64_t m = 2, packages = ranks > OF_SIP ? 2 : 1;
        uint64_t copies = 0, sums = 0;
        run_of(&run, &kbs_algorithm_all_reduce_hierarchical, machine, ranks, m * SLOT_ELEMENTS, 1);
        for (uint32_t rank = 0; rank < ranks; rank++) {
            copies += count_of(&run, rank, KB_OP_IPCQ_COPY);
            sums += count_of(&run, rank, KB_OP_MATH);
        }
        assert_int_equal(copies, m * (2 * (ranks - packages) + (packages == 2 ? 2 : 0)));
        assert_int_equal(sums, m * (ranks - packages + (packages == 2 ? 2 : 0)));
        kept_fini(&run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_take_the_ops_of_their_page),
        cmocka_unit_test(a_package_is_climbed_to_its_middle),
        cmocka_unit_test(any_number_of_ranks_has_a_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
