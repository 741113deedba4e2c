/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace that is cut, flipped, or whose frames are not where they belong: never a wrong record, always
 * a word that says where, and what was whole before is given.
 *
 * By default every so many-th byte and bit; KB_CAMPAIGN in the environment asks for all.
 */
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/forge.h"
#include "support/read_all.h"
#include "support/small_trace.h"

#include "wire/frame.h"

enum { MANY_FRAMES = 64 };

typedef struct fixture {
    small_trace t;
    fault_fs disk;
    uint8_t *good; /* the file */
    size_t size;
    forge_part *parts;
    size_t count;
    uint64_t ops_before[MANY_FRAMES + 1]; /* in the frames before each */
    uint64_t ops;
} fixture;

static fixture fix;

/* 1 when all is asked for. */
static size_t stride(size_t usual) {
    return getenv("KB_CAMPAIGN") != NULL ? 1 : usual;
}

/* --- reading what is left ------------------------------------------------------------------------- */

typedef struct against {
    const small_trace *t;
    bool amended; /* all amendments must be there */
} against;

static void check_record(void *user, uint32_t rank, const kb_op *op) {
    const against *to = user;
    if (!small_trace_has(to->t, rank, op, to->amended))
        fail_msg("op %llu of rank %u is not what was written", (unsigned long long)op->index, rank);
}

static read_all_result read_file(const uint8_t *bytes, size_t size, bool recover, kb_trail *trail) {
    const char *path = "a.zst";
    against to = {&fix.t, false};
    kb_reader_options options = {.fs = &fix.disk.fs, .check_digests = true, .recover = recover};
    kb_trail_init(trail);
    fault_fs_put(&fix.disk, path, bytes, size);
    read_all_result result = read_all(&path, 1, &options, UINT64_MAX, check_record, &to, trail);
    assert_int_equal(fault_fs_open_count(&fix.disk), 0);
    return result;
}

/* Damage must be noticed, and told with file and byte; recovery gives the frames before it. */
static void check_noticed(const uint8_t *bytes, size_t size, uint64_t ops_before, bool first_frame) {
    kb_trail trail;
    read_all_result result = read_file(bytes, size, false, &trail);
    if (result.status == KB_OK)
        fail_msg("damage goes unnoticed");
    check_says(&trail, "a.zst");
    check_says(&trail, "byte ");
    result = read_file(bytes, size, true, &trail);
    if (first_frame && result.status != KB_OK)
        return;
    check_status(result.status, KB_OK, &trail);
    assert_int_equal(result.state, KB_TRACE_DAMAGED);
    if (result.ops < ops_before)
        fail_msg("%llu ops are recovered of %llu", (unsigned long long)result.ops,
                 (unsigned long long)ops_before);
}

static size_t frame_at(size_t offset) {
    size_t frame = 0;
    while (frame < fix.count && offset >= fix.parts[frame].offset + fix.parts[frame].size)
        frame++;
    return frame;
}

static size_t end_of(size_t frame) {
    return fix.parts[frame].offset + fix.parts[frame].size;
}

static int set_up(void **state) {
    kb_trail trail;
    (void)state;
    kb_trail_init(&trail);
    fault_fs_init(&fix.disk);
    small_trace_init(&fix.t, 2, 2, 24, 500);
    kb_writer_options options = {.path = "a.zst", .fs = &fix.disk.fs};
    check_ok(small_trace_write(&fix.t, &options, NULL, NULL, &trail), &trail);
    const uint8_t *bytes = fault_fs_bytes(&fix.disk, "a.zst", &fix.size);
    fix.good = malloc(fix.size);
    assert_non_null(fix.good);
    memcpy(fix.good, bytes, fix.size);
    fix.count = forge_take_apart(fix.good, fix.size, &fix.parts);
    assert_true(fix.count >= 6 && fix.count < MANY_FRAMES);
    for (size_t i = 0; i < fix.count; i++) {
        read_all_result result = read_file(fix.good, end_of(i), false, &trail);
        check_status(result.status, KB_OK, &trail);
        assert_int_equal(result.state, KB_TRACE_CUT);
        fix.ops_before[i + 1] = result.ops;
    }
    fix.ops = fix.t.counts[0] + fix.t.counts[1];
    assert_int_equal(fix.ops_before[fix.count], fix.ops);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    forge_parts_free(fix.parts, fix.count);
    free(fix.good);
    small_trace_fini(&fix.t);
    fault_fs_fini(&fix.disk);
    return 0;
}

/* --- cut ------------------------------------------------------------------------------------------ */

static void cut_at(size_t size) {
    kb_trail trail;
    size_t frame = frame_at(size);
    read_all_result result = read_file(fix.good, size, false, &trail);
    if (frame == 0) { /* not even the header */
        check_status(result.status, size == 0 ? KB_E_CORRUPT : KB_E_INCOMPLETE,
                     &trail); /* nothing is no trace */
        check_says(&trail, "a.zst");
        return;
    }
    check_status(result.status, KB_OK, &trail);
    assert_int_equal(result.state, KB_TRACE_CUT);
    assert_int_equal(result.ops, fix.ops_before[frame]);
    result = read_file(fix.good, size, true, &trail);
    check_status(result.status, KB_OK, &trail);
    assert_int_equal(result.state, KB_TRACE_CUT);
    assert_int_equal(result.ops, fix.ops_before[frame]);
}

static void cut_at_every_byte(void **state) {
    (void)state;
    for (size_t size = 0; size < fix.size; size += stride(13))
        cut_at(size);
    for (size_t i = 0; i < fix.count; i++)
        for (size_t near = 0; near < 3; near++)
            cut_at(end_of(i) + near - 1);
    for (size_t size = end_of(fix.count - 1); size < fix.size; size++)
        cut_at(size);
}

/* --- flipped -------------------------------------------------------------------------------------- */

static void flip(size_t bit) {
    size_t byte = bit / 8, frame = frame_at(byte);
    fix.good[byte] ^= (uint8_t)(1u << (bit % 8));
    check_noticed(fix.good, fix.size, fix.ops_before[frame], frame == 0);
    fix.good[byte] ^= (uint8_t)(1u << (bit % 8));
}

static void every_bit_flipped(void **state) {
    (void)state;
    for (size_t bit = 0; bit < 8 * fix.size; bit += stride(131))
        flip(bit);
    for (size_t i = 0; i < fix.count; i++) /* heads, and where their frames begin */
        for (size_t bit = 0; bit < 8 * (KB_HEAD_SIZE + 6); bit += stride(5))
            flip(8 * fix.parts[i].offset + bit);
    for (size_t bit = 8 * end_of(fix.count - 1); bit < 8 * fix.size; bit += stride(3))
        flip(bit);
}

/* Bytes that do not belong there: before, after, and in the middle. */
static void foreign_bytes(void **state) {
    (void)state;
    uint8_t *bytes = malloc(fix.size + 64);
    const size_t places[] = {0, fix.parts[1].offset, end_of(fix.count - 1), fix.size};
    for (size_t i = 0; i < 4; i++) {
        memcpy(bytes, fix.good, places[i]);
        memset(bytes + places[i], 0x5b, 37);
        memcpy(bytes + places[i] + 37, fix.good + places[i], fix.size - places[i]);
        check_noticed(bytes, fix.size + 37, fix.ops_before[frame_at(places[i])], i == 0);
    }
    free(bytes);
}

/* --- frames where they do not belong --------------------------------------------------------------- */

static void keep(forge *f, size_t frame) {
    forge_keep(f, fix.good + fix.parts[frame].offset, fix.parts[frame].size);
}

/* Frames in this order, UINT32_MAX for none; with a seek table that fits, or the former one. */
static void check_order(const size_t *order, size_t count, size_t first_wrong, bool new_table) {
    forge *f = forge_create();
    for (size_t i = 0; i < count; i++)
        keep(f, order[i]);
    if (new_table)
        forge_end(f);
    else
        forge_append(f, fix.good + end_of(fix.count - 1), fix.size - end_of(fix.count - 1));
    check_noticed(forge_bytes(f), forge_size(f), fix.ops_before[first_wrong], first_wrong == 0);
    forge_destroy(f);
}

static void frames_doubled_dropped_and_swapped(void **state) {
    (void)state;
    for (size_t frame = 0; frame < fix.count; frame++)
        for (int table = 0; table < 2; table++) {
            size_t order[MANY_FRAMES + 1], count = 0;
            for (size_t i = 0; i < fix.count; i++) {
                order[count++] = i;
                if (i == frame)
                    order[count++] = i;
            }
            check_order(order, count, frame + 1, table != 0);
            count = 0;
            for (size_t i = 0; i < fix.count; i++)
                if (i != frame)
                    order[count++] = i;
            if (count < fix.count - 1 || frame < fix.count - 1 || table == 0)
                check_order(order, count, frame, table != 0);
            if (frame + 1 == fix.count)
                continue;
            for (size_t i = 0; i < fix.count; i++)
                order[i] = i == frame ? frame + 1 : i == frame + 1 ? frame : i;
            check_order(order, fix.count, frame, table != 0);
        }
}

/* The same frame of another run, sealed and of the right number. */
static void a_frame_of_another_run(void **state) {
    small_trace other;
    kb_trail trail;
    forge_part *parts;
    size_t size;
    (void)state;
    kb_trail_init(&trail);
    small_trace_init(&other, 77, 2, 24, 500);
    kb_writer_options options = {.path = "other.zst", .fs = &fix.disk.fs};
    check_ok(small_trace_write(&other, &options, NULL, NULL, &trail), &trail);
    const uint8_t *bytes = fault_fs_bytes(&fix.disk, "other.zst", &size);
    size_t count = forge_take_apart(bytes, size, &parts);
    for (size_t frame = 0; frame < fix.count && frame < count; frame++) {
        forge *f = forge_create();
        for (size_t i = 0; i < fix.count; i++)
            if (i == frame)
                forge_keep(f, bytes + parts[i].offset, parts[i].size);
            else
                keep(f, i);
        forge_end(f);
        check_noticed(forge_bytes(f), forge_size(f), frame == 0 ? 0 : fix.ops_before[frame], frame == 0);
        forge_destroy(f);
    }
    forge_parts_free(parts, count);
    small_trace_fini(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_at_every_byte),      cmocka_unit_test(every_bit_flipped),
        cmocka_unit_test(foreign_bytes),          cmocka_unit_test(frames_doubled_dropped_and_swapped),
        cmocka_unit_test(a_frame_of_another_run),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
