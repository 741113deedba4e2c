/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-to-all in ⌈lg n⌉ rounds (Bruck's algorithm).
 *
 * A rank lays its blocks out in rows, row j for the rank j behind it. In round k it sends the rows whose
 * number has bit k to the rank 2^k behind it as one message, and puts what it gets from the one 2^k before
 * into their places. So row j goes j ranks on, in as many rounds as j has bits, and ends as the block that
 * the rank j before has sent. Rows are packed and unpacked by strided copies, and taken into the output in
 * their order backwards.
 *
 * With S bytes a rank, α a message and β a byte on a link it takes
 *     ⌈lg n⌉ (α + S/2 · β),
 * and the copies: 2 S to lay out and to take out, and S/2 twice in each round. So it is for short blocks
 * and many ranks. The rows lie in scratch: blocks longer than that holds go in pieces, each in rounds of
 * its own. All rows are as long as the longest: shorter blocks are filled up with zeros.
 *
 * It cannot hang, whatever the slots: in each round a rank hands its message over before it waits for the
 * one that it gets, and uses that to its end. So whoever is in the lowest round finds what it waits for
 * handed over already, and who gets its message comes to that round, too.
 *
 * J. Bruck, C.-T. Ho, S. Kipnis, E. Upfal, D. Weathersby: Efficient Algorithms for All-to-All
 * Communications in Multiport Message-Passing Systems, IEEE Transactions on Parallel and Distributed
 * Systems 8 (1997).
 */
#include "coll/algorithms.h"

/* A piece of all blocks: elements [done, done + width) of each. */
typedef struct piece {
    uint64_t most, done, width;   /* most: of a whole block */
    tl_view rows, packed, coming; /* without gaps: n rows; those that are sent, and got, in a round */
} piece;

/* Rows [first, first + count) as a matrix. */
static tl_view matrix(kb_coll *c, const piece *p, uint64_t first, uint64_t count) {
    return tl_reshape(c, tl_slice(c, p->rows, first * p->width, count * p->width), count, p->width);
}

/*
 * The blocks for ranks [first, end) into rows from `row` on: those that are whole at once, then the one that
 * is shorter, then those that are empty; what a row has more than its block becomes zeros.
 */
static void lay_out(kb_coll *c, const piece *p, uint64_t row, uint64_t first, uint64_t end) {
    const uint64_t whole = c->in.elements / p->most, rest = c->in.elements % p->most;
    const uint64_t full = end < whole ? end : whole, short_end = whole + (rest > 0);
    if (first < full) {
        const tl_view blocks = tl_slice(c, c->in, first * p->most, (full - first) * p->most);
        tl_copy(c, matrix(c, p, row, full - first),
                tl_slice_axis(c, tl_reshape(c, blocks, full - first, p->most), 1, p->done, p->width));
    }
    if (first <= whole && whole < end && rest > 0) {
        const uint64_t left = rest > p->done ? rest - p->done : 0, count = left < p->width ? left : p->width;
        const tl_view into = tl_slice(c, p->rows, (row + whole - first) * p->width, p->width);
        if (count > 0)
            tl_copy(c, tl_slice(c, into, 0, count), tl_slice(c, c->in, whole * p->most + p->done, count));
        if (count < p->width)
            tl_fill(c, tl_slice(c, into, count, p->width - count), 0);
    }
    const uint64_t empty = first > short_end ? first : short_end;
    if (empty < end)
        tl_fill(c, matrix(c, p, row + empty - first, end - empty), 0);
}

/* Rows whose number has a bit to the packed ones, or back: whole runs at once, then one cut short. */
static uint64_t pack(kb_coll *c, const piece *p, uint64_t bit, tl_view packed, bool back) {
    const uint64_t whole = c->ranks / (2 * bit), rest = c->ranks % (2 * bit), run = bit * p->width;
    uint64_t count = whole * run;
    if (whole > 0) {
        const tl_view runs = tl_reshape(c, tl_slice(c, p->rows, 0, 2 * count), whole, 2, run);
        const tl_view there = tl_slice_axis(c, runs, 1, 1, 1),
                      here = tl_reshape(c, tl_slice(c, packed, 0, count), whole, 1, run);
        tl_copy(c, back ? there : here, back ? here : there);
    }
    if (rest > bit) {
        const uint64_t last = (rest - bit) * p->width;
        const tl_view there = tl_slice(c, p->rows, 2 * count + run, last),
                      here = tl_slice(c, packed, count, last);
        tl_copy(c, back ? there : here, back ? here : there);
        count += last;
    }
    return count;
}

static void exchange(kb_coll *c, const piece *p, uint32_t bit) {
    tl_queue to = tl_queue_to(c, rank_at(c, bit)), from = tl_queue_from(c, rank_at(c, -(int64_t)bit));
    const uint64_t count = pack(c, p, bit, p->packed, false);
    tl_token sent = tl_send_async(c, to, tl_slice(c, p->packed, 0, count));
    tl_view in = tl_recv(c, from);
    tl_copy(c, tl_slice(c, p->coming, 0, count), in);
    tl_release(c, from);
    tl_wait_sent(c, sent);
    pack(c, p, bit, p->coming, true);
}

/* `count` rows that end with `last`, backwards, to the blocks from ranks from `first` on. */
static void take_out(kb_coll *c, const piece *p, uint64_t last, uint64_t first, uint64_t count) {
    const uint64_t mine = c->out.elements / c->ranks;
    if (mine <= p->done || count == 0)
        return;
    const uint64_t width = mine - p->done < p->width ? mine - p->done : p->width;
    const tl_view rows = tl_flip(c, matrix(c, p, last + 1 - count, count), 0);
    const tl_view blocks = tl_reshape(c, tl_slice(c, c->out, first * mine, count * mine), count, mine);
    tl_copy(c, tl_slice_axis(c, blocks, 1, p->done, width), tl_slice_axis(c, rows, 1, 0, width));
}

static void record_piece(kb_coll *c, const piece *p) {
    const uint64_t n = c->ranks, mine = c->rank;
    tl_step(c, "lay-out", p->done);
    lay_out(c, p, 0, mine, n);
    lay_out(c, p, n - mine, 0, mine);
    for (uint32_t bit = 1, k = 0; bit < n; bit *= 2, k++) {
        tl_step(c, "exchange", k);
        exchange(c, p, bit);
    }
    tl_step(c, "take-out", p->done);
    take_out(c, p, mine, 0, mine + 1);
    take_out(c, p, n - 1, mine + 1, n - mine - 1);
}

static void bruck(kb_coll *c) {
    const uint64_t n = c->ranks, half = n / 2, most = c->in.elements / n + (c->in.elements % n != 0);
    const uint64_t room = kb_coll_scratch_elements(c) / (n + 2 * half), held = room < most ? room : most;
    if (most == 0)
        return;
    if (n == 1) {
        tl_copy(c, c->out, c->in);
        return;
    }
    const uint64_t width = held > 0 ? held : 1; /* scratch says where that is too much */
    const tl_view rows = tl_scratch(c, c->dtype, n * width), packed = tl_scratch(c, c->dtype, half * width),
                  coming = tl_scratch(c, c->dtype, half * width);
    for (uint64_t done = 0; done < most; done += width) {
        piece p = {.most = most, .done = done, .width = most - done < width ? most - done : width};
        p.rows = tl_slice(c, rows, 0, n * p.width);
        p.packed = tl_slice(c, packed, 0, half * p.width);
        p.coming = tl_slice(c, coming, 0, half * p.width);
        record_piece(c, &p);
    }
}

const kbs_algorithm kbs_algorithm_all_to_all_bruck = {.name = "bruck",
                                                      .collective = KB_COLL_ALL_TO_ALL,
                                                      .help = "in lg n rounds, by way of others",
                                                      .record = bruck};
