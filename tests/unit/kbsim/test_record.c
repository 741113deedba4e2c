/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes of programs: each is found while recording, and named with kernel, PE and source line. */
#include <stdio.h>

#include "kept.h"

/* The kernel of rank 0 makes a mistake at the line that it notes here. */
static int wrong_line;
#define WRONG wrong_line = __LINE__

static void refuse(void (*kernel)(kb_coll *c), const char *words) {
    static kept run;
    char place[64];
    kept_init(&run, "cubes=1,pes=8", 3);
    wrong_line = 0;
    check_status(kept_record(&run, kernel), KB_E_PROGRAM, &run.trail);
    check_says(&run.trail, words);
    check_says(&run.trail, "kernel kernel, rank 0 (sip0.cube0.pe0)");
    snprintf(place, sizeof place, "test_record.c:%d", wrong_line);
    check_says(&run.trail, place);
    assert_null(strstr(run.trail.text[0], "/"));
    kept_fini(&run);
}

/* --- queues ---------------------------------------------------------------------------------- */

static void no_such_rank(kb_coll *c) {
    WRONG, tl_queue_to(c, 3);
}

static void to_itself(kb_coll *c) {
    WRONG, tl_queue_from(c, c->rank);
}

static void wrong_direction(kb_coll *c) {
    tl_queue from = tl_queue_from(c, rank_at(c, 1));
    WRONG, tl_send(c, from, c->buffer);
}

static void no_queue(kb_coll *c) {
    WRONG, tl_recv(c, (tl_queue){77});
}

static void queues_are_checked(void **state) {
    (void)state;
    refuse(no_such_rank, "there is no rank 3 to send to: the group has 3");
    refuse(to_itself, "lead back to rank 0 itself");
    refuse(wrong_direction, "this rank cannot send on it");
    refuse(no_queue, "this is no queue");
}

static void all_peers(kb_coll *c) {
    for (uint32_t rank = 0; rank < c->ranks; rank++)
        if (rank != c->rank)
            tl_queue_to(c, rank);
}

static void a_pe_has_so_many_queues(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 8);
    run.machine.at.ipcq_max_queues = 3;
    check_status(kept_record(&run, all_peers), KB_E_PROGRAM, &run.trail);
    check_says(&run.trail, "rank 0 needs a queue number 4 out, and ipcq.max_queues allows 3");
    kept_fini(&run);
}

static void rings_take_room(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 8);
    run.machine.at.tcm_bytes = 1024 + 16384 + 100;
    check_status(kept_record(&run, all_peers), KB_E_PROGRAM, &run.trail);
    check_says(&run.trail, "16384 bytes asked");
    check_says(&run.trail, "while recording kernel");
    kept_fini(&run);
}

/* --- views ----------------------------------------------------------------------------------- */

static void outside(kb_coll *c) {
    WRONG, tl_slice(c, c->buffer, 90, 11);
}

static void overflowing(kb_coll *c) {
    WRONG, tl_slice(c, c->buffer, 2, UINT64_MAX);
}

static void differing(kb_coll *c) {
    WRONG, tl_reduce(c, tl_slice(c, c->buffer, 0, 10), tl_slice(c, c->buffer, 50, 11));
}

static void foreign(kb_coll *c) {
    tl_view other = c->buffer;
    other.memory += 3;
    WRONG, tl_load(c, other, c->buffer);
}

static void forged(kb_coll *c) {
    tl_view other = c->buffer;
    other.offset_bytes = 16 << 20;
    WRONG, tl_copy(c, other, c->buffer);
}

static void foreign_source(kb_coll *c) {
    tl_view other = c->buffer;
    other.memory += 3;
    WRONG, tl_store(c, c->buffer, other);
}

static void into_a_message(kb_coll *c) {
    tl_view in = tl_recv(c, tl_queue_from(c, rank_at(c, 1)));
    WRONG, tl_copy(c, in, c->buffer);
}

static void views_are_checked(void **state) {
    (void)state;
    refuse(outside, "elements [90, 101) lie outside a view of 100");
    refuse(overflowing, "lie outside a view of 100");
    refuse(differing, "the views differ: 10 x f16 and 11 x f16");
    refuse(foreign, "the destination of tl_load does not lie in this PE's TCM (tl_copy takes any memory)");
    refuse(forged, "the destination (100 x f16 at byte 16777216) does not lie inside sip0.cube0.pe0.tcm");
    refuse(foreign_source, "the source of tl_store does not lie in this PE's TCM");
    refuse(into_a_message, "read-only");
}

/* --- tokens ---------------------------------------------------------------------------------- */

static void waited_twice(kb_coll *c) {
    tl_token token = tl_send_async(c, tl_queue_to(c, rank_at(c, 1)), c->buffer);
    tl_wait_sent(c, token);
    WRONG, tl_wait(c, token);
}

static void never_waited(kb_coll *c) {
    tl_queue to = tl_queue_to(c, rank_at(c, 1));
    WRONG, tl_send_async(c, to, c->buffer);
}

static void not_ours(kb_coll *c) {
    WRONG, tl_wait(c, ((tl_token){9, 1, 0}));
}

static void tokens_are_waited_for_exactly_once(void **state) {
    (void)state;
    refuse(waited_twice, "this token was waited for before");
    refuse(never_waited, "nobody waits for the token of this command");
    refuse(not_ours, "this token comes from another rank");
}

/* --- messages -------------------------------------------------------------------------------- */

static void release_of_nothing(kb_coll *c) {
    tl_queue from = tl_queue_from(c, rank_at(c, 1));
    WRONG, tl_release(c, from);
}

static void release_unused(kb_coll *c) {
    tl_queue from = tl_queue_from(c, rank_at(c, 1));
    tl_recv(c, from);
    WRONG, tl_release(c, from);
}

static void never_released(kb_coll *c) {
    tl_queue from = tl_queue_from(c, rank_at(c, 1));
    tl_view in;
    WRONG, in = tl_recv(c, from);
    tl_reduce(c, c->buffer, in);
}

static void used_after_release(kb_coll *c) {
    tl_queue from = tl_queue_from(c, rank_at(c, 1));
    tl_view in = tl_recv(c, from);
    tl_reduce(c, c->buffer, in);
    tl_release(c, from);
    WRONG, tl_copy(c, c->buffer, in);
}

static void out_of_order(kb_coll *c) {
    tl_queue from = tl_queue_from(c, rank_at(c, 1));
    tl_recv(c, from);
    tl_view second = tl_recv(c, from);
    WRONG, tl_reduce(c, c->buffer, second);
}

static void used_as_another_size(kb_coll *c) {
    tl_queue from = tl_queue_from(c, rank_at(c, 1));
    tl_view in = tl_recv(c, from);
    tl_reduce(c, c->buffer, in);
    WRONG, tl_reduce(c, tl_slice(c, c->buffer, 0, 50), in);
}

static void sent_on_unknown(kb_coll *c) {
    tl_queue to = tl_queue_to(c, rank_at(c, 1)), from = tl_queue_from(c, rank_at(c, 1));
    tl_view in = tl_recv(c, from);
    WRONG, tl_send(c, to, in);
}

static void sliced(kb_coll *c) {
    tl_view in = tl_recv(c, tl_queue_from(c, rank_at(c, 1)));
    WRONG, tl_slice(c, in, 0, 1);
}

static void messages_are_used_and_released_in_order(void **state) {
    (void)state;
    refuse(release_of_nothing, "nothing to release");
    refuse(release_unused, "nobody used it");
    refuse(never_released, "never released");
    refuse(used_after_release, "was released before this use");
    refuse(out_of_order, "comes first, and nobody used it");
    refuse(used_as_another_size, "used as 100 x f16 before, and as 50 x f16 now");
    refuse(sent_on_unknown, "once its size is known");
    refuse(sliced, "used as a whole");
}

static void long_twice(kb_coll *c) {
    tl_queue from = tl_queue_from(c, rank_at(c, 1));
    tl_view in = tl_recv(c, from);
    tl_reduce(c, c->buffer, in);
    tl_reduce(c, c->buffer, in);
}

static void long_behind_a_slot(kb_coll *c) {
    tl_queue from = tl_queue_from(c, rank_at(c, 1));
    tl_view first = tl_recv(c, from), second = tl_recv(c, from);
    tl_reduce(c, tl_slice(c, c->buffer, 0, 1), first);
    tl_reduce(c, c->buffer, second);
}

static void plain(kb_coll *c) {
    tl_send(c, tl_queue_to(c, rank_at(c, 1)), c->buffer);
}

static void refuse_with_slots(uint64_t slot_bytes, void (*kernel)(kb_coll *c), const char *words) {
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 3);
    run.machine.at.ipcq_slot_bytes = slot_bytes;
    check_status(kept_record(&run, kernel), KB_E_PROGRAM, &run.trail);
    check_says(&run.trail, words);
    kept_fini(&run);
}

static void slots_bound_messages(void **state) {
    (void)state;
    refuse_with_slots(64, long_twice, "gone after its first use");
    refuse_with_slots(64, long_behind_a_slot, "still holds its own");
    refuse_with_slots(7, plain, "ipcq.slot_bytes must be a multiple of 2");
    refuse_with_slots(1, plain, "a slot of 1 bytes cannot hold one f16 of 2 (raise ipcq.slot_bytes)");
}

static void tensors_need_room(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 2);
    run.elements = (8 << 20) + 1;
    check_status(kept_record(&run, plain), KB_E_PROGRAM, &run.trail);
    check_says(&run.trail,
               "the TCM of rank 0 (sip0.cube0.pe0) has no room for x: 16777218 bytes asked, 16777216 of "
               "16777216 left");
    kept_fini(&run);
    kept_init(&run, "cubes=1,pes=8", 2);
    run.elements = UINT64_MAX / 2 + 1;
    check_status(kept_record(&run, plain), KB_E_PROGRAM, &run.trail);
    check_says(&run.trail, "exceed any memory");
    kept_fini(&run);
}

/* --- what is kept ---------------------------------------------------------------------------- */

static void commands_are_read_back_as_they_were_recorded(void **state) {
    (void)state;
    kb_arena arena;
    kb_arena_init(&arena, NULL, 0);
    kbs_commands commands;
    kb_trail trail;
    kbs_commands_init(&commands, &arena);
    static kbs_command expected[5000];
    static kbs_common commons[7];
    memset(commons, 0, sizeof commons);
    for (uint32_t i = 0; i < 7; i++) {
        commons[i].kind = (uint16_t)(i + 1);
        commons[i].operand_count = (uint16_t)(i % (KBS_OPERANDS + 1));
        commons[i].numbered = i % 2 == 1;
        commons[i].awaited = i == 6 ? 2 : 0;
    }
    uint64_t newest = 0, x = 1;
    for (size_t n = 0; n < 5000; n++) {
        kbs_command *command = &expected[n];
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407U;
        const uint32_t shape = (uint32_t)(x >> 60U) % (newest >= 2 ? 7 : 6);
        command->step = n % 50 == 0 ? x : n / 3;
        command->id = shape == 2 ? x : shape == 3 ? n : 0;
        command->value = shape == 4 ? x >> n % 64 : 0;
        for (unsigned i = 0; i < commons[shape].operand_count; i++)
            command->offsets[i] = n % 7 == 0 ? x >> i : n * 4096 % 16384;
        command->awaited = commons[shape].awaited > 0 ? newest - (x >> 40U) % 2 : 0;
        check_ok(kbs_commands_add(&commands, &commons[shape], command, &trail), &trail);
        command->shape = commands.shapes[0];
        for (size_t s = 0; s < commands.shape_count; s++)
            if (memcmp(&commands.shapes[s]->common, &commons[shape], sizeof commons[0]) == 0)
                command->shape = commands.shapes[s];
        newest += commons[shape].numbered;
    }
    for (int turn = 0; turn < 2; turn++) {
        kbs_reading reading;
        check_ok(kbs_reading_init(&reading, &commands, &arena, &trail), &trail);
        kbs_command found;
        for (size_t n = 0; n < 5000; n++) {
            assert_true(kbs_reading_next(&reading, &found));
            assert_ptr_equal(found.shape, expected[n].shape);
            assert_int_equal(found.step, expected[n].step);
            assert_int_equal(found.id, expected[n].id);
            assert_int_equal(found.value, expected[n].value);
            for (unsigned i = 0; i < found.shape->common.operand_count; i++)
                assert_int_equal(found.offsets[i], expected[n].offsets[i]);
            if (found.shape->common.awaited > 0)
                assert_int_equal(found.awaited, expected[n].awaited);
        }
        assert_false(kbs_reading_next(&reading, &found));
    }
    kbs_commands_fini(&commands);
    kb_arena_fini(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queues_are_checked),
        cmocka_unit_test(a_pe_has_so_many_queues),
        cmocka_unit_test(rings_take_room),
        cmocka_unit_test(views_are_checked),
        cmocka_unit_test(tokens_are_waited_for_exactly_once),
        cmocka_unit_test(messages_are_used_and_released_in_order),
        cmocka_unit_test(slots_bound_messages),
        cmocka_unit_test(tensors_need_room),
        cmocka_unit_test(commands_are_read_back_as_they_were_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
