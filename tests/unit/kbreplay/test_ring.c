/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring all-reduce verifies to the bit in every order, and one shifted source is blamed by name.
 */
#include "replayed.h"

static void clean(const ring_shape *shape) {
    ring made;
    replayed it;
    ring_make(&made, shape);
    replayed_run(&it, &made, &(kbr_options){.verify = true});
    replayed_show(&it);
    assert_int_equal(it.result->finding_count, 0);
    assert_int_equal(it.result->unfinished, 0);
    assert_int_equal(it.result->compared, shape->ranks * shape->elements);
    kb_digest digest = it.result->memory_digest;
    replayed_fini(&it);
    for (uint64_t seed = 0; seed < 5; seed++) {
        replayed_run(&it, &made, &(kbr_options){.verify = true, .random = true, .seed = seed});
        replayed_show(&it);
        assert_int_equal(it.result->finding_count, 0);
        assert_true(kb_digest_equal(&digest, &it.result->memory_digest));
        replayed_fini(&it);
    }
    ring_fini(&made);
}

static void good_rings_verify_in_every_order(void **state) {
    (void)state;
    clean(&(ring_shape){.ranks = 2, .elements = 2});
    clean(&(ring_shape){.ranks = 3, .elements = 1000, .seed = 1});
    clean(&(ring_shape){.ranks = 5, .elements = 1000, .seed = 2});
    clean(&(ring_shape){.ranks = 16, .elements = 1000, .slots = 2, .seed = 3});
    clean(&(ring_shape){.ranks = 5, .elements = 1000, .dtype = KB_DTYPE_I8, .seed = 4});
    clean(&(ring_shape){.ranks = 5, .elements = 77, .dtype = KB_DTYPE_I32, .seed = 5});
    clean(&(ring_shape){.ranks = 5, .elements = 77, .reduce = KB_REDUCE_MIN, .seed = 6});
    clean(&(ring_shape){
        .ranks = 5, .elements = 77, .reduce = KB_REDUCE_MAX, .dtype = KB_DTYPE_BF16, .seed = 7});
    clean(&(ring_shape){
        .ranks = 5, .elements = 77, .reduce = KB_REDUCE_PROD, .recipe = KB_RECIPE_SIGNS, .seed = 8});
    clean(&(ring_shape){
        .ranks = 8, .elements = 500, .recipe = KB_RECIPE_UNIFORM, .low = -1.0, .high = 1.0, .seed = 9});
    clean(&(ring_shape){.ranks = 4,
                        .elements = 500,
                        .recipe = KB_RECIPE_UNIFORM,
                        .low = -1.0,
                        .high = 1.0,
                        .reduce = KB_REDUCE_PROD,
                        .dtype = KB_DTYPE_F32,
                        .seed = 10});
}

/* Every copy of a 5-rank ring, its source moved by `shift` bytes: the first finding names it. */
static void shift_each(int64_t shift) {
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 5, .elements = 1000, .seed = 11});
    for (uint32_t rank = 0; rank < 5; rank++)
        for (size_t n = 0; n < ring_count(&made, rank, KB_OP_IPCQ_COPY); n++) {
            ring_op *op = ring_find(&made, rank, KB_OP_IPCQ_COPY, n);
            op->offsets[1] += (uint64_t)shift;
            replayed_run(&it, &made, &(kbr_options){.verify = true});
            bool named = it.result->finding_count != 0 && it.result->findings[0].op_count != 0 &&
                         it.result->findings[0].ops[0].rank == rank &&
                         it.result->findings[0].ops[0].index == op->op.index;
            if (!named) {
                print_message("rank %u copy %zu #%llu shifted by %lld:\n", rank, n,
                              (unsigned long long)op->op.index, (long long)shift);
                replayed_show(&it);
            }
            assert_true(named);
            replayed_fini(&it);
            op->offsets[1] -= (uint64_t)shift;
        }
    ring_fini(&made);
}

static void a_shifted_source_is_blamed(void **state) {
    (void)state;
    shift_each(1);
    shift_each(2);
    shift_each(-2);
    shift_each(400);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_rings_verify_in_every_order),
        cmocka_unit_test(a_shifted_source_is_blamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
