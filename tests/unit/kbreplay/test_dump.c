/* SPDX-License-Identifier: Apache-2.0 */
/* Dumping tensors: what the file holds, which tensor is meant, and disks that are full. */
#include "replayed.h"

#include "number/number.h"

/* The element of a .npy file's data. */
static uint16_t word_at(const uint8_t *data, uint64_t element) {
    return (uint16_t)(data[2 * element] | data[2 * element + 1] << 8);
}

static const uint8_t *check_header(const uint8_t *file, size_t size, const char *want) {
    assert_memory_equal(file, "\x93NUMPY\x01\x00", 8);
    size_t header = 10 + (size_t)(file[8] | file[9] << 8);
    assert_int_equal(header % 64, 0);
    assert_true(size >= header && file[header - 1] == '\n');
    assert_memory_equal(file + 10, want, strlen(want));
    return file + header;
}

static void the_file_holds_the_sum(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(
        &made,
        &(ring_shape){.ranks = 3, .elements = 100, .seed = 1, .recipe = KB_RECIPE_IOTA, .low = 1, .high = 2});
    replayed_run(&it, &made, &(kbr_options){.verify = true});
    uint32_t tensor;
    uint64_t undefined;
    check_ok(kbr_find_tensor(kb_reader_defs(it.reader), "x@2", &tensor, &it.trail), &it.trail);
    check_ok(kbr_replay_dump(it.replay, tensor, &it.disk.fs, "x.npy", &undefined, &it.trail), &it.trail);
    assert_int_equal(undefined, 0);
    size_t size;
    const uint8_t *file = fault_fs_bytes(&it.disk, "x.npy", &size);
    const uint8_t *data =
        check_header(file, size, "{'descr': '<f2', 'fortran_order': False, 'shape': (100,), }");
    assert_int_equal(file + size - data, 200);
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(word_at(data, i), kbr_f16_from_f64(3.0 * (1.0 + 2.0 * (double)i)));
    replayed_fini(&it);
    ring_fini(&made);
}

static void bf16_is_widened(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 2,
                                   .elements = 5,
                                   .dtype = KB_DTYPE_BF16,
                                   .seed = 1,
                                   .recipe = KB_RECIPE_CONSTANT,
                                   .low = 1.5});
    replayed_run(&it, &made, &(kbr_options){.verify = true});
    uint64_t undefined;
    check_ok(kbr_replay_dump(it.replay, 0, &it.disk.fs, "x.npy", &undefined, &it.trail), &it.trail);
    size_t size;
    const uint8_t *file = fault_fs_bytes(&it.disk, "x.npy", &size);
    const uint8_t *data =
        check_header(file, size, "{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }");
    assert_memory_equal(data, "\x00\x00\x40\x40", 4); /* 3.0f */
    assert_int_equal(file + size - data, 20);
    replayed_fini(&it);
    ring_fini(&made);
}

/* Shards in pieces, in another order, one of them with steps between its elements, and a hole. */
static void shards_are_gathered(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 2,
                                   .elements = 40,
                                   .dtype = KB_DTYPE_I8,
                                   .seed = 1,
                                   .recipe = KB_RECIPE_IOTA,
                                   .low = 0,
                                   .high = 1});
    uint64_t shape[2] = {2, 5}, origins[2][2] = {{0, 2}, {1, 0}}, shapes[2][2] = {{2, 3}, {1, 2}};
    int64_t strides[2][2] = {{10, 2}, {4, 1}};
    kb_shard shards[2];
    for (int i = 0; i < 2; i++)
        shards[i] = (kb_shard){0, RING_X_AT + (uint64_t)i, origins[i], 2, shapes[i], 2, strides[i], 2};
    uint32_t id;
    kb_trail trail;
    kb_trail_init(&trail);
    kb_tensor tensor = {"pieces", KB_DTYPE_I8, KB_NONE, shape, 2, shards, 2};
    check_ok(kb_defs_add_tensor(&made.defs, &tensor, &id, &trail), &trail);
    replayed_run(&it, &made, &(kbr_options){.verify = false});
    uint64_t undefined;
    check_ok(kbr_find_tensor(kb_reader_defs(it.reader), "pieces", &id, &it.trail), &it.trail);
    check_ok(kbr_replay_dump(it.replay, id, &it.disk.fs, "p.npy", &undefined, &it.trail), &it.trail);
    assert_int_equal(undefined, 2); /* (0, 0) and (0, 1) lie in no shard */
    size_t size;
    const uint8_t *file = fault_fs_bytes(&it.disk, "p.npy", &size);
    const uint8_t *data =
        check_header(file, size, "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 5,), }");
    static const uint8_t want[10] = {0, 0, 0, 4, 8, 2, 4, 20, 24, 28}; /* twice the place in x */
    assert_memory_equal(data, want, sizeof want);
    replayed_fini(&it);
    ring_fini(&made);
}

static void names_are_found_or_explained(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 2, .elements = 4, .seed = 1});
    replayed_open(&it, &made, &(kbr_options){.verify = false});
    uint32_t tensor;
    check_ok(kbr_find_tensor(kb_reader_defs(it.reader), "x@1", &tensor, &it.trail), &it.trail);
    assert_int_equal(tensor, 1);
    check_status(kbr_find_tensor(kb_reader_defs(it.reader), "x", &tensor, &it.trail), KB_E_ARGUMENT,
                 &it.trail);
    check_says(&it.trail, "2 tensors are called `x`: name one by its rank, as `x@0`");
    check_status(kbr_find_tensor(kb_reader_defs(it.reader), "x@7", &tensor, &it.trail), KB_E_ARGUMENT,
                 &it.trail);
    check_says(&it.trail, "did you mean `x@0`?");
    check_status(kbr_find_tensor(kb_reader_defs(it.reader), "xx@1", &tensor, &it.trail), KB_E_ARGUMENT,
                 &it.trail);
    check_says(&it.trail, "no tensor `xx@1`");
    replayed_fini(&it);
    ring_fini(&made);
}

/* A disk that is full at any byte: a status and a word, and nothing under the name or beside it. */
static void a_full_disk_leaves_nothing(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 2, .elements = 40, .seed = 1});
    replayed_run(&it, &made, &(kbr_options){.verify = false});
    uint64_t undefined;
    for (uint64_t room = 0; room < 208; room++) {
        it.disk.faults.space_size = it.disk.written_size + room;
        kb_status status = kbr_replay_dump(it.replay, 0, &it.disk.fs, "x.npy", &undefined, &it.trail);
        check_status(status, KB_E_IO, &it.trail);
        assert_string_equal(fault_fs_names(&it.disk), "run.zst");
    }
    it.disk.faults.space_size = UINT64_MAX;
    it.disk.faults.most_write = 1;
    it.disk.faults.interrupt_every = 3;
    check_ok(kbr_replay_dump(it.replay, 0, &it.disk.fs, "x.npy", &undefined, &it.trail), &it.trail);
    replayed_fini(&it);
    ring_fini(&made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_holds_the_sum),     cmocka_unit_test(bf16_is_widened),
        cmocka_unit_test(shards_are_gathered),        cmocka_unit_test(names_are_found_or_explained),
        cmocka_unit_test(a_full_disk_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
