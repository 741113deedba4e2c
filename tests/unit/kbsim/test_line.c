/* SPDX-License-Identifier: Apache-2.0 */
/* The line before an engine: who may get in is a matter of times, whenever they are found. */
#include <string.h>

#include "support/check.h"

#include "pe/sim.h"

typedef struct fixture {
    kbs_sim sim;
    kbs_pe pe;
    kbs_line line;
} fixture;

static fixture *set_up(uint32_t depth) {
    static fixture f;
    memset(&f, 0, sizeof f);
    kb_arena_init(&f.sim.arena, NULL, 0);
    kbs_engine_init(&f.sim.engine, &f.sim);
    f.sim.costs.depth = depth;
    f.pe.sim = &f.sim;
    f.pe.stepping = true; /* so that nobody wakes it */
    return &f;
}

static void the_next_gets_in_when_the_first_has_begun(void **state) {
    (void)state;
    fixture *f = set_up(2);
    assert_true(kbs_line_enter(&f->line, &f->pe, 100));
    assert_true(kbs_line_enter(&f->line, &f->pe, 110));
    assert_false(kbs_line_enter(&f->line, &f->pe, 120)); /* nobody knows when the first begins */
    assert_ptr_equal(f->pe.full, &f->line);
    kbs_line_begin(&f->line, &f->pe, 500); /* it is known now, and lies ahead */
    assert_null(f->pe.full);
    assert_int_equal(f->pe.room_ps, 500);
    f->pe.room_ps = 0;
    assert_false(kbs_line_enter(&f->line, &f->pe, 120)); /* by now there is one less, but not then */
    assert_null(f->pe.full);
    assert_int_equal(f->pe.room_ps, 500);
    assert_true(kbs_line_enter(&f->line, &f->pe, 500));
    kb_arena_fini(&f->sim.arena);
}

/* However early begins are found, entry n may get in at the begin of entry n - depth and no sooner. */
static void room_does_not_depend_on_who_is_asked_first(void **state) {
    (void)state;
    enum { ENTRIES = 200 };
    for (uint32_t depth = 1; depth <= 20; depth++)
        for (uint32_t early = 0; early <= depth; early++) { /* begins are found so many entries late */
            fixture *f = set_up(depth);
            uint32_t begun = 0;
            for (uint32_t n = 0; n < ENTRIES; n++) {
                const int64_t room_ps = n >= depth ? (int64_t)(n - depth) * 1000 + 1 : 0;
                while (begun + early < n || (n >= depth && begun + depth <= n)) {
                    kbs_line_begin(&f->line, &f->pe, (int64_t)begun * 1000 + 1);
                    begun++;
                }
                if (room_ps > 0) {
                    assert_false(kbs_line_enter(&f->line, &f->pe, room_ps - 1));
                    assert_int_equal(f->pe.room_ps, room_ps);
                }
                assert_true(kbs_line_enter(&f->line, &f->pe, room_ps));
            }
            kb_arena_fini(&f->sim.arena);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_gets_in_when_the_first_has_begun),
        cmocka_unit_test(room_does_not_depend_on_who_is_asked_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
