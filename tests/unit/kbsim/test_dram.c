/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Banks of HBM by hand: what one access, and what many of one sort take, to the picosecond, by arithmetic in
 * cycles of the data sheet's intervals, which stand here once more as numbers. test_dram_rules.c holds
 * random accesses against every rule.
 */
#include <string.h>

#include "support/check.h"

#include "fabric/hbm.h"

enum { CYCLE_PS = 625 };
enum { BURST = 2, CL = 20, CWL = 10, RCDRD = 31, RCDWR = 15, RP = 26, RC = 72, CCDS = 2, CCDL = 4 };
enum { RRDS = 4, RRDL = 5, FAW = 24, WR = 26, RTW = 14, WTRS = 10, WTRL = 13 };
enum { ROW_BYTES = 1024, GROUPS = 4, BANKS = 16, GROUP_BYTES = 128, ACCESS_BYTES = 32 };
enum { HIT = CL + BURST, CLOSED = RCDRD + HIT, CONFLICT = RP + CLOSED };
/* Of a channel's addresses: from row to row of a bank, and from bank to bank of a group. */
enum { NEXT_ROW = ROW_BYTES * BANKS, NEXT_BANK = ROW_BYTES * GROUPS };
enum { REFI_PS = 3900000, RFC_PS = 200000, DUE_PS = REFI_PS / BANKS };

typedef struct fixture {
    kbs_machine machine;
    kb_arena arena;
    kbs_hbm_kind kind;
    kbs_hbm *hbm;
    kbs_engine engine;
    kb_trail trail;
} fixture;

static void set(fixture *f, const char *path, const char *value) {
    check_ok(kbs_machine_set(&f->machine, path, value, "set", &f->trail), &f->trail);
}

/* One channel, where a setting may differ. */
static void set_up(fixture *f, const char *path, const char *value) {
    memset(f, 0, sizeof *f);
    kb_arena_init(&f->arena, NULL, 0);
    kbs_machine_init(&f->machine);
    set(f, "hbm.timing", "hbm3");
    set(f, "hbm.channels_per_pe", "1");
    if (path != NULL)
        set(f, path, value);
    check_ok(kbs_machine_check(&f->machine, &f->trail), &f->trail);
    kbs_hbm_kind_init(&f->kind, &f->machine);
    check_ok(kbs_hbm_create(&f->kind, &f->arena, &f->hbm, &f->trail), &f->trail);
    kbs_engine_init(&f->engine, NULL);
}

/* The same, and nothing is refreshed. */
static void set_up_still(fixture *f) {
    set_up(f, "hbm3.refi_ns", "0");
}

static void tear_down(fixture *f) {
    kb_arena_fini(&f->arena);
}

static kbs_runs vector(uint64_t offset_bytes, uint64_t size_bytes) {
    const kb_operand operand = kb_operand_vector(0, KB_ACCESS_READ, KB_DTYPE_I8, size_bytes);
    return kbs_runs_of(&operand, offset_bytes);
}

/* When what is asked for at now_ps is there; all of it goes in one flit. */
static int64_t read_part(fixture *f, uint64_t offset_bytes, uint32_t bytes, int64_t now_ps,
                         kbs_service *ret) {
    const kbs_runs runs = vector(offset_bytes, bytes);
    const kbs_part part = {&runs, 0, bytes, 1U << 20U, {0, 1}};
    return kbs_hbm_read(f->hbm, &part, now_ps, 1000, ret);
}

static int64_t read_one(fixture *f, uint64_t offset_bytes, int64_t now_ps) {
    kbs_service service;
    return read_part(f, offset_bytes, ACCESS_BYTES, now_ps, &service);
}

/* When what comes at come_ps is written. */
static int64_t write_part(fixture *f, uint64_t offset_bytes, uint32_t bytes, int64_t come_ps) {
    const kbs_runs runs = vector(offset_bytes, bytes);
    const kbs_part part = {&runs, 0, bytes, 1U << 20U, {0, 1}};
    const kbs_slope slope = {come_ps - 1000, 1000};
    kbs_service service;
    return kbs_hbm_write(&f->engine, f->hbm, &part, &slope, 1, come_ps, &service);
}

#define assert_cycles(time_ps, from_ps, cycles) \
    assert_int_equal(time_ps, (int64_t)(from_ps) + (int64_t)(cycles)*CYCLE_PS)

/* --- one after another ------------------------------------------------------------------------- */

static void a_row_is_open_closed_or_in_the_way(void **state) {
    (void)state;
    fixture f;
    kbs_service service;
    set_up_still(&f);
    assert_cycles(read_part(&f, 0, ACCESS_BYTES, 1001, &service), 1001, CLOSED);
    assert_cycles(service.bank_ps, 0, RCDRD);
    assert_cycles(service.burst_ps, 0, BURST);
    assert_int_equal(service.channel_ps, 0);
    assert_cycles(read_part(&f, 96, ACCESS_BYTES, 200007, &service), 200007, HIT);
    assert_int_equal(service.bank_ps, 0);
    assert_cycles(read_part(&f, NEXT_ROW, ACCESS_BYTES, 400000, &service), 400000, CONFLICT);
    assert_cycles(service.bank_ps, 0, RP + RCDRD);
    assert_cycles(read_one(&f, NEXT_BANK, 600000), 600000, CLOSED); /* another bank */
    assert_cycles(read_one(&f, GROUP_BYTES, 800000), 800000, CLOSED);
    assert_cycles(read_one(&f, NEXT_ROW + (uint64_t)(GROUP_BYTES * GROUPS), 900000), 900000, HIT);
    assert_cycles(write_part(&f, 0, ACCESS_BYTES, 1000000), 1000000, RP + RCDWR + CWL + BURST);
    tear_down(&f);
}

static void one_bank_opens_a_row_every_rc(void **state) {
    (void)state;
    fixture f;
    set_up_still(&f);
    for (uint64_t i = 0; i < 100; i++)
        assert_cycles(read_one(&f, i * NEXT_ROW, 5000), 5000, i * RC + CLOSED);
    tear_down(&f);
}

static void one_bank_group_takes_a_column_every_ccdl(void **state) {
    (void)state;
    fixture f;
    set_up_still(&f);
    for (uint64_t i = 0; i < ROW_BYTES / ACCESS_BYTES; i++) {
        const uint64_t in_row = i * ACCESS_BYTES;
        const uint64_t offset = in_row / GROUP_BYTES * GROUP_BYTES * GROUPS + in_row % GROUP_BYTES;
        assert_cycles(read_one(&f, offset, 0), 0, CLOSED + i * CCDL);
    }
    tear_down(&f);
}

static void four_rows_are_opened_in_a_window(void **state) {
    (void)state;
    fixture f;
    set_up_still(&f);
    for (uint64_t i = 0; i < BANKS; i++) { /* group after group */
        const uint64_t offset = i / GROUPS * NEXT_BANK + i % GROUPS * GROUP_BYTES;
        assert_cycles(read_one(&f, offset, 0), 0, i / 4 * FAW + i % 4 * RRDS + CLOSED);
    }
    tear_down(&f);
    set_up_still(&f);
    assert_cycles(read_one(&f, 0, 0), 0, CLOSED);
    assert_cycles(read_one(&f, NEXT_BANK, 0), 0, RRDL + CLOSED); /* of one group */
    assert_cycles(read_one(&f, 2 * NEXT_BANK, 0), 0, 2 * RRDL + CLOSED);
    tear_down(&f);
}

/* --- many -------------------------------------------------------------------------------------- */

/* Packets of 4 KiB, all asked for at once: every cycle of the bus carries data, but for the first row. */
static void a_stream_uses_every_cycle(void **state) {
    (void)state;
    enum { PACKET = 4096, PACKETS = 64 };
    fixture f;
    kbs_service service;
    set_up_still(&f);
    int64_t end_ps = 0;
    for (uint64_t i = 0; i < PACKETS; i++)
        end_ps = read_part(&f, i * PACKET, PACKET, 0, &service);
    /*
     * The second row is open RRDS after the first, in whose group CCDL lies between two: an access's time is
     * lost there, and again at the end of the packet, where the group that came last is left alone.
     */
    assert_cycles(end_ps, 0, CLOSED + (PACKETS * PACKET / ACCESS_BYTES - 1 + 2) * BURST);
    tear_down(&f);
    set_up_still(&f);
    for (uint64_t i = 0; i < PACKETS; i++)
        end_ps = write_part(&f, i * PACKET, PACKET, 0);
    assert_true(end_ps <= (RCDWR + CWL + RRDS + (PACKETS * PACKET / ACCESS_BYTES + 1) * BURST) * CYCLE_PS);
    tear_down(&f);
}

/* The window takes what can go first: with one access in it, two of a group pass CCDL after one another. */
static void a_window_mixes_bank_groups(void **state) {
    (void)state;
    fixture f;
    kbs_service service;
    set_up_still(&f);
    (void)read_part(&f, 0, 512, 0, &service); /* opens four rows */
    assert_cycles(read_part(&f, 512, 512, 500000, &service), 500000, 15 * CCDS + HIT);
    tear_down(&f);
    set_up_still(&f);
    f.kind.dram.window = 1;
    (void)read_part(&f, 0, 512, 0, &service);
    /* Four a group: three steps of CCDL, and one of CCDS to the next group. */
    assert_cycles(read_part(&f, 512, 512, 500000, &service), 500000, 12 * CCDL + 3 * CCDS + HIT);
    tear_down(&f);
}

static void the_bus_is_turned_around(void **state) {
    (void)state;
    fixture f;
    set_up_still(&f);
    (void)read_one(&f, 0, 0);
    (void)read_one(&f, GROUP_BYTES, 0);
    assert_cycles(read_one(&f, 0, 300000), 300000, HIT);
    assert_cycles(write_part(&f, 32, ACCESS_BYTES, 300000), 300000, RTW + CWL + BURST);
    assert_cycles(read_one(&f, GROUP_BYTES, 300000), 300000, RTW + CWL + BURST + WTRS + HIT);
    (void)write_part(&f, 32, ACCESS_BYTES, 500000);
    assert_cycles(read_one(&f, 64, 500000), 500000, CWL + BURST + WTRL + HIT);
    (void)write_part(&f, 32, ACCESS_BYTES, 700000); /* and its row may not be closed at once */
    assert_cycles(read_one(&f, NEXT_ROW, 700000), 700000, CWL + BURST + WR + CONFLICT);
    tear_down(&f);
}

/* --- refresh ----------------------------------------------------------------------------------- */

static void a_refresh_is_found_begun(void **state) {
    (void)state;
    fixture f;
    set_up(&f, NULL, NULL);
    assert_cycles(read_one(&f, 0, DUE_PS + 1), DUE_PS + RFC_PS, CLOSED);
    assert_cycles(read_one(&f, 0, DUE_PS + 300000), DUE_PS + 300000, HIT);
    /* It closes the row. After a long time only the last one is felt, and not even that if it has ended. */
    assert_cycles(read_one(&f, 0, DUE_PS + REFI_PS + 100), DUE_PS + REFI_PS + RFC_PS, RP + CLOSED);
    assert_cycles(read_one(&f, 0, DUE_PS + 50 * (int64_t)REFI_PS + 100),
                  DUE_PS + 50 * (int64_t)REFI_PS + RFC_PS, CLOSED);
    assert_cycles(read_one(&f, 0, DUE_PS + 80 * (int64_t)REFI_PS - 100), DUE_PS + 80 * (int64_t)REFI_PS - 100,
                  CLOSED);
    /* The second bank's comes a sixteenth of the interval later. */
    assert_cycles(read_one(&f, GROUP_BYTES, 2 * DUE_PS + 80 * (int64_t)REFI_PS + 1),
                  2 * DUE_PS + 80 * (int64_t)REFI_PS + RFC_PS, CLOSED);
    tear_down(&f);
}

/* A bank that is always wanted puts eight off, and then takes one an interval. */
static void refreshes_are_put_off_but_not_for_ever(void **state) {
    (void)state;
    fixture f;
    set_up(&f, NULL, NULL);
    const int64_t rc_ps = RC * CYCLE_PS;
    uint64_t i = 0;
    int64_t end_ps = 0;
    for (; end_ps < DUE_PS + 8 * (int64_t)REFI_PS; i++) {
        end_ps = read_one(&f, i * NEXT_ROW, 0);
        if (end_ps < DUE_PS + 8 * (int64_t)REFI_PS)
            assert_int_equal(end_ps, (int64_t)i * rc_ps + CLOSED * CYCLE_PS);
    }
    const uint64_t before = i;
    const int64_t before_ps = end_ps;
    for (; end_ps < before_ps + 100 * (int64_t)REFI_PS; i++)
        end_ps = read_one(&f, i * NEXT_ROW, 0);
    /* Each takes the place of a row cycle's rest: what is left of RC, and RFC. */
    const int64_t rests = (end_ps - before_ps - (int64_t)(i - before) * rc_ps) / RFC_PS;
    assert_in_range(rests, 99, 101);
    tear_down(&f);
}

/* Streams leave three quarters of the banks alone: refreshes hide there. */
static void a_stream_hides_its_refreshes(void **state) {
    (void)state;
    enum { PACKET = 512, PACKETS = 8192, IN_FLIGHT = 16 };
    fixture f;
    kbs_service service;
    set_up(&f, NULL, NULL);
    int64_t ends_ps[IN_FLIGHT] = {0};
    for (uint64_t i = 0; i < PACKETS; i++) {
        int64_t *slot = &ends_ps[i % IN_FLIGHT];
        *slot = read_part(&f, i * PACKET, PACKET, *slot, &service);
    }
    const int64_t data_ps = (int64_t)PACKETS * PACKET / ACCESS_BYTES * BURST * CYCLE_PS;
    assert_true(ends_ps[IN_FLIGHT - 1] < data_ps + data_ps / 100);
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_open_closed_or_in_the_way),
        cmocka_unit_test(one_bank_opens_a_row_every_rc),
        cmocka_unit_test(one_bank_group_takes_a_column_every_ccdl),
        cmocka_unit_test(four_rows_are_opened_in_a_window),
        cmocka_unit_test(a_stream_uses_every_cycle),
        cmocka_unit_test(a_window_mixes_bank_groups),
        cmocka_unit_test(the_bus_is_turned_around),
        cmocka_unit_test(a_refresh_is_found_begun),
        cmocka_unit_test(refreshes_are_put_off_but_not_for_ever),
        cmocka_unit_test(a_stream_hides_its_refreshes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
