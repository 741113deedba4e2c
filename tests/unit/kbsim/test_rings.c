/* SPDX-License-Identifier: Apache-2.0 */
/* The warning of small rings: no run is faster than it says, and as many slots as it names silence it. */
#include <stdio.h>
#include <stdlib.h>

#include "kept.h"
#include "lint/linting.h"

enum { RANKS = 16, MESSAGES = 40 };

static void stream(kb_coll *c) {
    if (c->rank == 0) {
        tl_token sent[MESSAGES];
        for (int i = 0; i < MESSAGES; i++)
            sent[i] = tl_send_async(c, tl_queue_to(c, RANKS - 1), c->buffer);
        for (int i = 0; i < MESSAGES; i++)
            tl_wait(c, sent[i]);
    } else if (c->rank == RANKS - 1) {
        for (int i = 0; i < MESSAGES; i++) {
            tl_reduce(c, c->buffer, tl_recv(c, tl_queue_from(c, 0)));
            tl_release(c, tl_queue_from(c, 0));
        }
    }
}

static void keep_text(void *context, kb_log_level level, const char *area, const char *text) {
    (void)area;
    assert_int_equal(level, KB_LOG_WARNING);
    snprintf(context, 512, "%s", text);
}

/* The number that follows `words`. */
static long number_after(const char *text, const char *words) {
    const char *at = strstr(text, words);
    assert_non_null(at);
    return strtol(at + strlen(words), NULL, 10);
}

static const kb_op *copy_of(const kept *run, uint64_t sequence) {
    for (uint64_t i = 0; i < run->counts[0]; i++)
        if (run->ops[0][i].what->kind == KB_OP_IPCQ_COPY && run->ops[0][i].sequence == sequence)
            return &run->ops[0][i];
    fail();
    return NULL;
}

/* Picoseconds from message to message, over whole turns of the ring. */
static double period_ps(const kept *run, uint64_t slots) {
    const uint64_t last = MESSAGES - 1, first = last - MESSAGES / 2 / slots * slots;
    return (double)(copy_of(run, last)->done_ps - copy_of(run, first)->done_ps) / (double)(last - first);
}

static void no_stream_is_faster_than_its_ring_allows(void **state) {
    (void)state;
    uint64_t slots = 1, enough = 0;
    for (; enough == 0 || slots <= enough; slots++) {
        static kept run;
        char text[512] = "";
        const kb_log log = {keep_text, text, KB_LOG_WARNING};
        kept_init(&run, "cubes=4x4,pes=1", RANKS);
        run.elements = 2048;
        run.machine.at.ipcq_slots = slots;
        check_ok(kept_record(&run, stream), &run.trail);
        run.program->log = &log;
        check_ok(kbs_lint_warn(run.program, &run.trail), &run.trail);
        if (*text == '\0') {
            assert_true(enough > 0);
            kept_fini(&run);
            continue;
        }
        enough = enough > 0 ? enough : (uint64_t)number_after(text, "bytes; ");
        assert_true(slots < enough && (uint64_t)number_after(text, "bytes; ") == enough);
        assert_non_null(strstr(text, "in 1 of 1 queues the ring is smaller"));
        check_ok(kept_simulate(&run), &run.trail);
        const double link_ps = (double)kbs_route_time(run.program->queues[0].route, 4096);
        const double reached = 100 * link_ps / period_ps(&run, slots);
        const double said = (double)number_after(text, "at most ");
        assert_true(reached < said + 1 && reached > 0.9 * said);
        kept_fini(&run);
    }
    assert_true(slots > 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_stream_is_faster_than_its_ring_allows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
