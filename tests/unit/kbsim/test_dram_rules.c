/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random accesses of banks of HBM: every pair of commands that was decided is held against every interval of
 * the data sheet, by a checker that knows the intervals in cycles, and nothing of how the model decides.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/random.h"

#include "fabric/hbm.h"

enum { SEQUENCES = 3000, PACKETS = 14, COMMANDS = 4096, MOST_BANKS = 16 };

/* In cycles, but for refreshes. */
typedef struct sheet {
    int64_t cycle_ps, burst, cl, cwl, rcdrd, rcdwr, rp, ras, rc, ccds, ccdl, rrds, rrdl, faw, rtp, wr, rtw;
    int64_t wtrs, wtrl, refi_ps, rfc_ps, postponed;
    uint32_t banks, groups;
} sheet;

typedef struct world {
    kbs_machine machine;
    kb_arena arena;
    kbs_hbm_kind kind;
    kbs_hbm *hbm;
    kbs_engine engine;
    kb_trail trail;
    sheet sheet;
    kbs_dram_command commands[COMMANDS];
    size_t count;
    int64_t columns, earliest_ps; /* that were wanted; no column command of this packet may be before */
    random_source random;
} world;

static void watch(void *context, const kbs_dram_command *command) {
    world *w = context;
    assert_true(w->count < COMMANDS);
    w->commands[w->count++] = *command;
    if (command->word != KBS_DRAM_COLUMN)
        return;
    w->columns--;
    assert_true(command->time_ps >= w->earliest_ps);
}

/* --- a machine --------------------------------------------------------------------------------- */

static void set(world *w, const char *path, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    check_ok(kbs_machine_set(&w->machine, path, text, "set", &w->trail), &w->trail);
}

static int64_t draw(world *w, const char *path, int64_t least, int64_t most) {
    const int64_t drawn = random_between(&w->random, least, most);
    set(w, path, (uint64_t)drawn);
    return drawn;
}

/* Around the defaults, or far from them. */
static void draw_sheet(world *w) {
    sheet *s = &w->sheet;
    set(w, "hbm3.tck_ns", 1);
    s->cycle_ps = 1000;
    const int64_t most = random_once_in(&w->random, 3) ? 100 : 30;
    s->burst = draw(w, "hbm3.burst_cycles", 1, 4);
    s->cl = draw(w, "hbm3.cl_cycles", 0, most);
    s->cwl = draw(w, "hbm3.cwl_cycles", 0, most);
    s->rcdrd = draw(w, "hbm3.rcdrd_cycles", 1, most);
    s->rcdwr = draw(w, "hbm3.rcdwr_cycles", 1, most);
    s->rp = draw(w, "hbm3.rp_cycles", 1, most);
    s->ras = draw(w, "hbm3.ras_cycles", 1, most);
    s->rc = draw(w, "hbm3.rc_cycles", 1, 2 * most);
    s->ccds = draw(w, "hbm3.ccds_cycles", 1, 4);
    s->ccdl = draw(w, "hbm3.ccdl_cycles", 1, 8);
    s->rrds = draw(w, "hbm3.rrds_cycles", 1, 8);
    s->rrdl = draw(w, "hbm3.rrdl_cycles", 1, 12);
    s->faw = draw(w, "hbm3.faw_cycles", 1, most);
    s->rtp = draw(w, "hbm3.rtp_cycles", 1, most);
    s->wr = draw(w, "hbm3.wr_cycles", 1, most);
    s->rtw = draw(w, "hbm3.rtw_cycles", 1, most);
    s->wtrs = draw(w, "hbm3.wtrs_cycles", 0, most);
    s->wtrl = draw(w, "hbm3.wtrl_cycles", 0, most);
    s->rfc_ps = draw(w, "hbm3.rfcpb_ns", 1, 300) * 1000;
    s->refi_ps = draw(w, "hbm3.refi_ns", 1000, 3000) * 1000;
    if (random_once_in(&w->random, 4)) {
        set(w, "hbm3.refi_ns", 0);
        s->refi_ps = 0;
    }
    s->postponed = draw(w, "hbm3.postponed", 0, 8);
    s->groups = 1U << random_below(&w->random, 3);
    s->banks = s->groups << random_below(&w->random, 3);
    set(w, "hbm3.bank_groups", s->groups);
    set(w, "hbm3.banks", s->banks);
    draw(w, "hbm3.window", 1, 64);
    set(w, "hbm3.group_bytes", UINT64_C(32) << random_below(&w->random, 4));
}

static void set_up(world *w, uint64_t seed) {
    memset(w, 0, sizeof *w);
    random_init(&w->random, seed);
    kb_arena_init(&w->arena, NULL, 0);
    kbs_machine_init(&w->machine);
    set(w, "hbm.channels_per_pe", 1);
    check_ok(kbs_machine_set(&w->machine, "hbm.timing", "hbm3", "set", &w->trail), &w->trail);
    draw_sheet(w);
    check_ok(kbs_machine_check(&w->machine, &w->trail), &w->trail);
    kbs_hbm_kind_init(&w->kind, &w->machine);
    w->kind.dram.watch = watch;
    w->kind.dram.watch_context = w;
    check_ok(kbs_hbm_create(&w->kind, &w->arena, &w->hbm, &w->trail), &w->trail);
    kbs_engine_init(&w->engine, NULL);
}

/* --- what is asked for ------------------------------------------------------------------------- */

/* A vector, or a column of elements in a matrix. */
static kbs_runs draw_runs(random_source *random, uint64_t *ret_bytes, int64_t *ret_accesses) {
    const uint64_t at = random_below(random, 1U << 13U) * 16;
    if (random_once_in(random, 2)) {
        const kb_operand flat =
            kb_operand_vector(0, KB_ACCESS_READ, KB_DTYPE_I8, 1 + random_below(random, 900));
        *ret_bytes = flat.shape[0];
        *ret_accesses = (int64_t)((at + *ret_bytes - 1) / 32 - at / 32 + 1);
        return kbs_runs_of(&flat, at);
    }
    const uint64_t rows = 1 + random_below(random, 24), pitch = 32 + random_below(random, 4000) / 16 * 16;
    const kb_operand column = {
        .dtype = KB_DTYPE_I8, .dims = 2, .shape = {rows, 16}, .stride = {(int64_t)pitch, 1}};
    *ret_bytes = rows * 16;
    *ret_accesses = (int64_t)rows; /* 16 bytes at a multiple of 16 */
    return kbs_runs_of(&column, at);
}

static void draw_packet(world *w, int64_t now_ps) {
    uint64_t bytes;
    int64_t accesses;
    const kbs_runs runs = draw_runs(&w->random, &bytes, &accesses);
    const kbs_part part = {&runs, 0, (uint32_t)bytes, 64, {0, 1}};
    kbs_service service;
    w->columns += accesses;
    w->earliest_ps = now_ps;
    if (random_once_in(&w->random, 2)) {
        const int64_t head_ps = kbs_hbm_read(w->hbm, &part, now_ps, 200, &service);
        assert_int_equal(service.channel_ps + service.bank_ps + service.burst_ps,
                         head_ps - now_ps - w->sheet.cl * w->sheet.cycle_ps);
        assert_true(service.channel_ps >= 0 && service.bank_ps >= 0 && service.burst_ps >= 0);
    } else {
        const kbs_slope slope = {now_ps, 500};
        const int64_t tail_ps = now_ps + (int64_t)((bytes + 63) / 64) * 500;
        const int64_t done_ps = kbs_hbm_write(&w->engine, w->hbm, &part, &slope, 1, tail_ps, &service);
        assert_int_equal(service.channel_ps + service.bank_ps + service.burst_ps,
                         done_ps - tail_ps - w->sheet.cwl * w->sheet.cycle_ps);
        assert_int_equal(done_ps, w->hbm->dram->data_ps); /* the bus is in order */
    }
    assert_int_equal(w->columns, 0);
}

/* --- the rules --------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b) {
    const kbs_dram_command *x = a, *y = b;
    return (x->time_ps > y->time_ps) - (x->time_ps < y->time_ps);
}

#define assert_apart(w, a, b, cycles) \
    assert_true((b)->time_ps - (a)->time_ps >= (cycles) * (w)->sheet.cycle_ps)

static bool is_column(const kbs_dram_command *c, uint32_t way) {
    return c->word == KBS_DRAM_COLUMN && c->way == way;
}

static void check_activations(const world *w, const kbs_dram_command *a, const kbs_dram_command *b,
                              bool same_group) {
    assert_apart(w, a, b, w->sheet.rrds);
    if (same_group)
        assert_apart(w, a, b, w->sheet.rrdl);
    if (a->bank == b->bank)
        assert_apart(w, a, b, w->sheet.rc);
}

static void check_columns(const world *w, const kbs_dram_command *a, const kbs_dram_command *b,
                          bool same_group) {
    const sheet *s = &w->sheet;
    const int64_t written = s->cwl + s->burst;
    if (a->way == b->way)
        assert_apart(w, a, b, same_group ? (s->ccdl > s->ccds ? s->ccdl : s->ccds) : s->ccds);
    else if (a->way == KBS_DRAM_READ)
        assert_apart(w, a, b, s->rtw);
    else
        assert_apart(w, a, b, written + (same_group && s->wtrl > s->wtrs ? s->wtrl : s->wtrs));
    const int64_t a_data = a->way == KBS_DRAM_READ ? s->cl : s->cwl;
    const int64_t b_data = b->way == KBS_DRAM_READ ? s->cl : s->cwl;
    assert_apart(w, a, b, a_data + s->burst - b_data); /* the bus carries one at a time */
}

/* Two commands of one bank. */
static void check_bank(const world *w, const kbs_dram_command *a, const kbs_dram_command *b) {
    const sheet *s = &w->sheet;
    if (a->word == KBS_DRAM_ACTIVATE && b->word == KBS_DRAM_PRECHARGE)
        assert_apart(w, a, b, s->ras);
    if (a->word == KBS_DRAM_ACTIVATE && b->word == KBS_DRAM_REFRESH)
        assert_apart(w, a, b, s->rc);
    if (a->word == KBS_DRAM_ACTIVATE && b->word == KBS_DRAM_COLUMN)
        assert_apart(w, a, b, b->way == KBS_DRAM_READ ? s->rcdrd : s->rcdwr);
    if (a->word == KBS_DRAM_PRECHARGE && (b->word == KBS_DRAM_ACTIVATE || b->word == KBS_DRAM_REFRESH))
        assert_apart(w, a, b, s->rp);
    if (is_column(a, KBS_DRAM_READ) && b->word == KBS_DRAM_PRECHARGE)
        assert_apart(w, a, b, s->rtp);
    if (is_column(a, KBS_DRAM_WRITE) && b->word == KBS_DRAM_PRECHARGE)
        assert_apart(w, a, b, s->cwl + s->burst + s->wr);
    if (a->word == KBS_DRAM_REFRESH)
        assert_true(b->time_ps - a->time_ps >= s->rfc_ps);
}

static void check_pairs(const world *w) {
    const uint32_t groups = w->sheet.groups;
    for (size_t i = 0; i < w->count; i++) {
        const kbs_dram_command *a = &w->commands[i];
        for (size_t k = i + 1; k < w->count; k++) {
            const kbs_dram_command *b = &w->commands[k];
            const bool same_group = a->bank % groups == b->bank % groups;
            if (a->word == KBS_DRAM_ACTIVATE && b->word == KBS_DRAM_ACTIVATE)
                check_activations(w, a, b, same_group);
            if (a->word == KBS_DRAM_COLUMN && b->word == KBS_DRAM_COLUMN)
                check_columns(w, a, b, same_group);
            if (a->bank == b->bank)
                check_bank(w, a, b);
        }
    }
}

static void check_windows(const world *w) {
    int64_t last_ps[4];
    size_t count = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (w->commands[i].word != KBS_DRAM_ACTIVATE)
            continue;
        if (count >= 4)
            assert_true(w->commands[i].time_ps - last_ps[count % 4] >= w->sheet.faw * w->sheet.cycle_ps);
        last_ps[count++ % 4] = w->commands[i].time_ps;
    }
}

/* What a bank goes through: rows are open where they are used, and refreshes neither early nor too late. */
static void check_life(const world *w, uint32_t bank) {
    const sheet *s = &w->sheet;
    uint64_t open = 0, refreshes = 0; /* 1 + the row */
    for (size_t i = 0; i < w->count; i++) {
        const kbs_dram_command *c = &w->commands[i];
        if (c->bank != bank)
            continue;
        if (c->word == KBS_DRAM_COLUMN)
            assert_true(open == c->row + 1);
        else
            assert_true((open != 0) == (c->word == KBS_DRAM_PRECHARGE));
        open = c->word == KBS_DRAM_ACTIVATE ? c->row + 1 : c->word == KBS_DRAM_COLUMN ? open : 0;
        if (s->refi_ps == 0)
            continue;
        const int64_t first_ps = s->refi_ps / s->banks * (bank + 1);
        const int64_t due_ps = first_ps + (int64_t)refreshes * s->refi_ps;
        if (c->word == KBS_DRAM_REFRESH) {
            assert_true(c->time_ps >= due_ps);
            if (c->count > 1) /* each of the others was not hindered */
                assert_true(c->time_ps + s->rfc_ps <= due_ps + s->refi_ps);
            refreshes += c->count;
        } else if (c->word == KBS_DRAM_ACTIVATE) {
            assert_true(c->time_ps < due_ps + s->postponed * s->refi_ps);
            /* The last of those that were not told one by one has ended. */
            assert_true(refreshes == 0 || c->time_ps >= due_ps - s->refi_ps + s->rfc_ps);
        }
    }
}

static void random_accesses_keep_every_rule(void **state) {
    (void)state;
    world *w = malloc(sizeof *w);
    assert_non_null(w);
    size_t words[4] = {0};
    for (uint64_t seed = 1; seed <= SEQUENCES; seed++) {
        set_up(w, seed);
        int64_t now_ps = 0;
        for (unsigned i = 0; i < PACKETS; i++) {
            draw_packet(w, now_ps);
            /* At once, soon, or after many refreshes. */
            const int64_t pause_ps = random_once_in(&w->random, 8) ? 20000000 : 150000;
            now_ps += random_once_in(&w->random, 3) ? 0 : random_between(&w->random, 1, pause_ps);
        }
        for (size_t i = 0; i < w->count; i++)
            words[w->commands[i].word]++;
        qsort(w->commands, w->count, sizeof *w->commands, by_time);
        check_pairs(w);
        check_windows(w);
        for (uint32_t bank = 0; bank < w->sheet.banks; bank++)
            check_life(w, bank);
        kb_arena_fini(&w->arena);
    }
    for (size_t word = 0; word < 4; word++)
        assert_true(words[word] > SEQUENCES); /* of everything there was something to check */
    free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_accesses_keep_every_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
