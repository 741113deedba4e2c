/* SPDX-License-Identifier: Apache-2.0 */
/* Channels of a slice of HBM by hand: who serves a block, for how long, and in whose turn; strided bytes. */
#include <string.h>

#include "support/check.h"

#include "fabric/hbm.h"

typedef struct fixture {
    kbs_machine machine;
    kb_arena arena;
    kbs_hbm_kind kind;
    kbs_hbm *hbm;
    kbs_engine engine;
    kb_trail trail;
} fixture;

static void set_up(fixture *f, const char *path, const char *value) {
    memset(f, 0, sizeof *f);
    kb_arena_init(&f->arena, NULL, 0);
    kbs_machine_init(&f->machine);
    if (path != NULL)
        check_ok(kbs_machine_set(&f->machine, path, value, "set", &f->trail), &f->trail);
    kbs_hbm_kind_init(&f->kind, &f->machine);
    check_ok(kbs_hbm_create(&f->kind, &f->arena, &f->hbm, &f->trail), &f->trail);
    kbs_engine_init(&f->engine, NULL);
}

static void tear_down(fixture *f) {
    kb_arena_fini(&f->arena);
}

static kbs_runs vector(uint64_t offset_bytes, uint64_t size_bytes) {
    const kb_operand operand = kb_operand_vector(0, KB_ACCESS_READ, KB_DTYPE_I8, size_bytes);
    return kbs_runs_of(&operand, offset_bytes);
}

/* Reads some bytes at 1000 ps over a link of 1 ns a flit: returns how much later the head is ready. */
static int64_t read_at(fixture *f, uint64_t offset_bytes, uint32_t bytes, uint64_t op, kbs_service *ret) {
    const kbs_runs runs = vector(offset_bytes, bytes);
    const kbs_part part = {&runs, 0, bytes, 256, {0, op}};
    return kbs_hbm_read(f->hbm, &part, 1000, 1000, ret) - 1000;
}

static void a_block_has_its_channel(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "hbm.channel_hash", "none");
    assert_int_equal(kbs_hbm_channel_of(&f.kind, 255), 0);
    assert_int_equal(kbs_hbm_channel_of(&f.kind, 256 * 13 + 7), 5);
    tear_down(&f);
    set_up(&f, NULL, NULL);
    assert_int_equal(kbs_hbm_channel_of(&f.kind, 256 * 5), 5);
    assert_int_equal(kbs_hbm_channel_of(&f.kind, 256 * 013), 3 ^ 1); /* octal digits are folded */
    assert_int_equal(kbs_hbm_channel_of(&f.kind, 256 * 07531), 7 ^ 5 ^ 3 ^ 1);
    uint32_t counts[8] = {0};
    for (uint64_t block = 0; block < 512; block++) /* a column of a matrix meets all of them */
        counts[kbs_hbm_channel_of(&f.kind, block * 2048)]++;
    for (uint32_t c = 0; c < 8; c++)
        assert_int_equal(counts[c], 64);
    tear_down(&f);
    set_up(&f, "hbm.channels_per_pe", "1");
    assert_int_equal(kbs_hbm_channel_of(&f.kind, UINT64_C(123456789)), 0);
    tear_down(&f);
}

/* A channel gives 32 bytes in 1 ns; what a read touches is whole accesses; 60 ns until its first flit. */
static void bursts_take_the_accesses_that_they_touch(void **state) {
    (void)state;
    fixture f;
    kbs_service service;
    set_up(&f, NULL, NULL);
    assert_int_equal(read_at(&f, 0, 1, 1, &service), 1000 + 60000);
    assert_true(service.burst_ps == 1000 && service.channel_ps == 0);
    tear_down(&f);
    set_up(&f, NULL, NULL);
    assert_int_equal(read_at(&f, 31, 2, 1, &service), 2000 + 60000); /* of two accesses */
    tear_down(&f);
    set_up(&f, NULL, NULL);
    assert_int_equal(read_at(&f, 4096, 256, 1, &service), 8000 + 60000);
    tear_down(&f);
    /* From the middle of one block to the middle of the next: two bursts, in two channels at once. */
    set_up(&f, NULL, NULL);
    assert_int_equal(read_at(&f, 128, 256, 1, &service), 4000 + 60000);
    tear_down(&f);
}

/*
 * 16 flits from 8 channels of 8 ns a burst onto a link of 1 ns a flit: the second burst of each channel is
 * there when its flit is due, so the head waits for the first only. From 4 channels the link outruns them.
 */
static void the_head_waits_so_that_no_flit_must(void **state) {
    (void)state;
    fixture f;
    kbs_service service;
    set_up(&f, NULL, NULL);
    assert_int_equal(read_at(&f, 0, 4096, 1, &service), 8000 + 60000);
    assert_int_equal(read_at(&f, 8192, 4096, 2, &service), 16000 + 8000 + 60000);
    assert_true(service.channel_ps == 16000 && service.burst_ps == 8000 && service.holder.op == 1);
    tear_down(&f);
    set_up(&f, "hbm.channels_per_pe", "4");
    /* The last burst in a channel ends at 32 ns and goes with flit 12 or later. */
    assert_int_equal(read_at(&f, 0, 4096, 1, &service), 32000 - 12000 + 60000);
    assert_true(service.channel_ps + service.burst_ps == 20000 && service.holder.op == 1);
    tear_down(&f);
}

static void a_burst_is_written_once_its_flits_are_there(void **state) {
    (void)state;
    fixture f;
    kbs_service service;
    set_up(&f, NULL, NULL);
    /* Flit i comes at 100 + 2 (i + 1) ns, the last at 108 ns, half a flit after the one before. */
    const kbs_slope slope = {100000, 2000};
    const kbs_runs runs = vector(0, 4 * 256 - 128);
    const kbs_part part = {&runs, 0, 4 * 256 - 128, 256, {0, 1}};
    assert_int_equal(kbs_hbm_write(&f.engine, f.hbm, &part, &slope, 1, 107000, &service),
                     107000 + 8000 + 10000); /* hbm.commit_ns: though half a burst is read in 4 ns */
    assert_true(service.burst_ps == 8000 && service.channel_ps == 0);
    assert_int_equal(f.hbm->channels[0].free_ps, 102000 + 8000);
    assert_int_equal(f.hbm->channels[2].free_ps, 106000 + 8000);
    /* Half a block each way: a burst begins when the last flit with a part of it has come. */
    const kbs_runs shifted = vector(4096 + 128, 512);
    const kbs_part odd = {&shifted, 0, 512, 256, {0, 2}};
    const kbs_slope fast = {200000, 1000};
    assert_int_equal(kbs_hbm_write(&f.engine, f.hbm, &odd, &fast, 1, 202000, &service),
                     202000 + 8000 + 10000);
    assert_int_equal(f.hbm->channels[kbs_hbm_channel_of(&f.kind, 4096)].free_ps, 201000 + 8000);
    assert_int_equal(f.hbm->channels[kbs_hbm_channel_of(&f.kind, 4352)].free_ps, 202000 + 8000);
    tear_down(&f);
}

/* --- turns ------------------------------------------------------------------------------------- */

static char order[8];

static void serve(kbs_engine *engine, kbs_hbm *hbm, kbs_packet *packet) {
    (void)engine;
    (void)hbm;
    const size_t length = strlen(order);
    order[length] = (char)('a' + packet->train->who.rank * 2 + packet->number);
    order[length + 1] = '\0';
}

typedef struct request {
    kbs_packet packet;
    kbs_hbm *hbm;
} request;

static void fire(kbs_engine *engine, kbs_event *event) {
    request *r = (request *)(void *)event; /* the event is the packet's first member */
    kbs_hbm_ask(engine, r->hbm, &r->packet, serve);
}

static void fire_write(kbs_engine *engine, kbs_event *event) {
    (void)event;
    fixture *f = engine->owner;
    const kbs_runs runs = vector(0, 256);
    const kbs_part part = {&runs, 0, 256, 256, {0, 1}};
    const kbs_slope slope = {6000, 1000};
    kbs_service service;
    kbs_hbm_write(engine, f->hbm, &part, &slope, 1, 7000, &service);
    order[strlen(order) + 1] = '\0';
    order[strlen(order)] = 'w';
}

/* Requests of one instant, however they come: by rank, op, packet, and before a write of that instant. */
static void reads_of_an_instant_have_their_order_and_come_before_a_write(void **state) {
    (void)state;
    static const uint32_t turns[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}};
    for (size_t k = 0; k < 3; k++) {
        fixture f;
        set_up(&f, NULL, NULL);
        f.engine.owner = &f;
        order[0] = '\0';
        kbs_train trains[2] = {{.who = {0, 7}}, {.who = {1, 3}}};
        request requests[4];
        memset(requests, 0, sizeof requests);
        kbs_event write = {.fire = fire_write};
        for (uint32_t i = 0; i < 4; i++) {
            const uint32_t n = turns[k][i];
            requests[n].hbm = f.hbm;
            requests[n].packet.train = &trains[n / 2];
            requests[n].packet.number = n % 2;
            requests[n].packet.arrival.fire = fire;
            kbs_engine_at(&f.engine, &requests[n].packet.arrival, 5000);
        }
        kbs_engine_at(&f.engine, &write, 5000); /* stands in for a decision at the end of the instant */
        assert_true(kbs_engine_run(&f.engine, INT64_MAX, 100));
        assert_string_equal(order, "abcdw");
        tear_down(&f);
    }
}

/* --- strided bytes ----------------------------------------------------------------------------- */

static void bytes_of_a_view_are_found_row_by_row(void **state) {
    (void)state;
    const kb_operand matrix = {.dtype = KB_DTYPE_F32, .dims = 3, .shape = {2, 3, 4}, .stride = {100, 10, 1}};
    const kbs_runs runs = kbs_runs_of(&matrix, 1000);
    assert_int_equal(runs.run_bytes, 16);
    for (uint64_t byte = 0; byte < 2 * 3 * 4 * 4; byte++) {
        const kbs_span span = kbs_runs_at(&runs, byte);
        const uint64_t element = byte / 4;
        assert_int_equal(span.offset_bytes,
                         1000 + (element / 12 * 100 + element / 4 % 3 * 10 + element % 4) * 4 + byte % 4);
        assert_int_equal(span.size_bytes, 16 - byte % 16);
    }
    const kb_operand whole = {.dtype = KB_DTYPE_F16, .dims = 3, .shape = {2, 1, 8}, .stride = {8, 999, 1}};
    assert_int_equal(kbs_runs_of(&whole, 0).run_bytes, 32); /* rows side by side are one */
    const kb_operand backwards = {.dtype = KB_DTYPE_F16, .dims = 2, .shape = {2, 4}, .stride = {-50, 1}};
    const kbs_runs back = kbs_runs_of(&backwards, 400);
    assert_int_equal(kbs_runs_at(&back, 8).offset_bytes, 300);
    const kb_operand apart = {.dtype = KB_DTYPE_F16, .dims = 1, .shape = {5}, .stride = {3}};
    const kbs_runs elements = kbs_runs_of(&apart, 0);
    assert_int_equal(kbs_runs_at(&elements, 9).offset_bytes, 4 * 6 + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_has_its_channel),
        cmocka_unit_test(bursts_take_the_accesses_that_they_touch),
        cmocka_unit_test(the_head_waits_so_that_no_flit_must),
        cmocka_unit_test(a_burst_is_written_once_its_flits_are_there),
        cmocka_unit_test(reads_of_an_instant_have_their_order_and_come_before_a_write),
        cmocka_unit_test(bytes_of_a_view_are_found_row_by_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
