/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is found before the clock moves: each check with what it must find, and beside it the same program as
 * it should be, in which nothing is found. What hangs is told as the simulation tells it.
 */
#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/fail_alloc.h"

#include "kbsim/lint.h"

enum { RANKS = 3 };

typedef struct linted {
    kbs_machine machine;
    kbs_lint_result result;
    kb_trail trail;
    const char *sets[4];
    uint32_t ranks; /* 0: RANKS */
} linted;

static void lint(linted *it, kb_host_fn host, void *context) {
    kb_trail_init(&it->trail);
    kbs_machine_init(&it->machine);
    check_ok(kbs_machine_shorthand(&it->machine, "cubes=4x1,pes=8", &it->trail), &it->trail);
    for (size_t i = 0; i < sizeof it->sets / sizeof it->sets[0] && it->sets[i] != NULL; i++)
        check_ok(kbs_machine_assign(&it->machine, it->sets[i], "set", &it->trail), &it->trail);
    const kbs_run_options options = {.bench = "program",
                                     .host = host,
                                     .host_context = context,
                                     .machine = &it->machine,
                                     .ranks = it->ranks > 0 ? it->ranks : RANKS,
                                     .seed = 1};
    check_ok(kbs_lint(&options, &it->result, &it->trail), &it->trail);
}

/* The only finding, of that check, whose text begins behind "FILE:LINE: " or anywhere with `words`. */
static void finds(kb_host_fn host, void *context, const char *check, bool is_warning, const char *words) {
    linted it = {0};
    lint(&it, host, context);
    size_t found = 0;
    for (size_t i = 0; i < it.result.finding_count; i++) {
        const kbs_finding *finding = &it.result.findings[i];
        if (strcmp(finding->check, check) != 0)
            continue;
        found++;
        if (strstr(finding->text, words) == NULL)
            fail_msg("'%s' does not say '%s'", finding->text, words);
        assert_int_equal(finding->is_warning, is_warning);
    }
    if (found != 1)
        fail_msg("%zu findings of %s, and %zu in all", found, check, it.result.finding_count);
    kbs_lint_fini(&it.result);
}

static void finds_nothing(kb_host_fn host, void *context) {
    linted it = {0};
    lint(&it, host, context);
    if (it.result.finding_count > 0)
        fail_msg("finds %s: %s", it.result.findings[0].check, it.result.findings[0].text);
    assert_true(it.result.is_free && it.result.was_recorded);
    kbs_lint_fini(&it.result);
}

/* --- calls, tokens, messages, barriers, lengths ------------------------------------------------ */

typedef struct kind {
    bool is_wrong;
    int which;
    tl_view x, y;
} kind;

static void nothing(tl_kernel *k) {
    (void)k;
}

static void calls(kb_host *h, void *context) {
    const bool is_wrong = *(const bool *)context;
    tl_view x = kb_ints(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, -8, 8, is_wrong && h->rank == 2 ? 101 : 100);
    kb_all_reduce(h, x, KB_REDUCE_SUM, "ring");
    kb_launch(h, nothing, NULL, 0);
}

static void speaking(tl_kernel *k) {
    const kind *it = k->args;
    if (k->rank == 0) {
        const uint64_t elements = it->is_wrong && it->which == 2 ? 11 : 10;
        tl_token sent = tl_send_async(k, tl_queue_to(k, 1), tl_slice(k, it->x, 0, elements));
        if (!it->is_wrong || it->which != 0)
            tl_wait_sent(k, sent);
    } else if (k->rank == 1) {
        tl_copy(k, tl_slice(k, it->y, 0, 10), tl_recv(k, tl_queue_from(k, 0)));
        if (!it->is_wrong || it->which != 1)
            tl_release(k, tl_queue_from(k, 0));
    }
    if (!it->is_wrong || it->which != 3 || k->rank != 2)
        tl_barrier(k);
}

static void speaks(kb_host *h, void *context) {
    kind it = *(kind *)context;
    it.x = kb_ints(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, -8, 8, 100);
    it.y = kb_zeros(h, "y", KB_SPACE_TCM, KB_DTYPE_F16, 100);
    kb_launch(h, speaking, &it, sizeof it);
}

static void view_past_its_end(kb_host *h, void *context) {
    (void)context;
    tl_view x = kb_ints(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, -8, 8, 100);
    kb_host_read(h, tl_slice(h, x, 90, 20));
}

static void mistakes_of_recording_are_findings(void **state) {
    (void)state;
    static const char *const of[][2] = {{"tokens", "nobody waits for the token"},
                                        {"messages", "is never released"},
                                        {"lengths", "rank 1 receives 10 x f16, and rank 0 sends 11 x f16"},
                                        {"barriers", "rank 2 to 0: they would wait for ever"}};
    bool is_wrong = true;
    finds(calls, &is_wrong, "calls", false, "101 x f16");
    is_wrong = false;
    finds_nothing(calls, &is_wrong);
    for (int which = 0; which < 4; which++) {
        finds(speaks, &(kind){.is_wrong = true, .which = which}, of[which][0], false, of[which][1]);
        finds_nothing(speaks, &(kind){.which = which});
    }
    finds(view_past_its_end, NULL, "program", false, "elements [90, 110) lie outside a view of 100");
    linted it = {0};
    lint(&it, view_past_its_end, NULL);
    assert_true(!it.result.is_free && !it.result.was_recorded);
    kbs_lint_fini(&it.result);
}

static void trouble_is_no_finding(void **state) {
    (void)state;
    linted it = {0};
    kb_trail_init(&it.trail);
    kbs_machine_init(&it.machine);
    kbs_run_options options = {.bench = "allreduc", .machine = &it.machine, .ranks = 2};
    check_status(kbs_lint(&options, &it.result, &it.trail), KB_E_ARGUMENT, &it.trail);
    options.bench = "allreduce";
    options.ranks = 100000;
    check_status(kbs_lint(&options, &it.result, &it.trail), KB_E_ARGUMENT, &it.trail);
}

/* --- queues ------------------------------------------------------------------------------------ */

/* Of `which` messages the last is missing at one end, between as many pairs as there are. */
static void uneven(tl_kernel *k) {
    const kind *it = k->args;
    const int sent = it->which > 0 ? 3 : 2, received = it->which < 0 ? 3 : 2;
    if (k->rank + 1 < k->ranks)
        for (int i = 0; i < sent; i++)
            tl_send(k, tl_queue_to(k, k->rank + 1), tl_slice(k, it->x, 0, 10));
    for (int i = 0; i < received && k->rank > 0; i++) {
        tl_copy(k, tl_slice(k, it->y, 0, 10), tl_recv(k, tl_queue_from(k, k->rank - 1)));
        tl_release(k, tl_queue_from(k, k->rank - 1));
    }
}

static void unevenly(kb_host *h, void *context) {
    kind it = *(kind *)context;
    it.x = kb_ints(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, -8, 8, 100);
    it.y = kb_zeros(h, "y", KB_SPACE_TCM, KB_DTYPE_F16, 100);
    kb_launch(h, uneven, &it, sizeof it);
}

static void what_one_end_lacks_is_told_once(void **state) {
    (void)state;
    finds(
        unevenly, &(kind){.which = 1}, "queues", true,
        "rank 0 sends 3 slots to rank 1 on queue pe0>pe1, and 2 are received: from here on nobody reads them "
        "(the same of 1 queue more)");
    finds(unevenly, &(kind){.which = -1}, "queues", false,
          "rank 1 receives 3 slots from rank 0 on queue pe0>pe1, and 2 are sent: it will wait for ever here "
          "(the same of 1 queue more)");
    finds(unevenly, &(kind){.which = -1}, "deadlock", false,
          "this program hangs: in rank 1 (sip0.cube0.pe1) ipcq_recv (test_lint.c:");
    finds_nothing(unevenly, &(kind){.which = 0});
}

/* --- deadlocks --------------------------------------------------------------------------------- */

/* All send `which` messages around the ring before any receives. */
static void flooding(tl_kernel *k) {
    const kind *it = k->args;
    const uint32_t next = (k->rank + 1) % k->ranks, before = (k->rank + k->ranks - 1) % k->ranks;
    tl_step(k, "flood", 5);
    for (int i = 0; i < it->which; i++)
        tl_send(k, tl_queue_to(k, next), tl_slice(k, it->x, 0, 10));
    for (int i = 0; i < it->which; i++) {
        tl_copy(k, tl_slice(k, it->y, 0, 10), tl_recv(k, tl_queue_from(k, before)));
        tl_release(k, tl_queue_from(k, before));
    }
}

static void floods(kb_host *h, void *context) {
    kind it = *(kind *)context;
    it.x = kb_ints(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, -8, 8, 100);
    it.y = kb_zeros(h, "y", KB_SPACE_TCM, KB_DTYPE_F16, 100);
    kb_launch(h, flooding, &it, sizeof it);
}

static void a_circle_is_told_with_what_opens_it(void **state) {
    (void)state;
    linted it = {0};
    finds_nothing(floods, &(kind){.which = 4});
    finds(floods, &(kind){.which = 7}, "deadlock", false,
          "this program hangs: 3 ops wait in a circle; in rank 0 (sip0.cube0.pe0) ipcq_copy (test_lint.c:");
    lint(&it, floods, &(kind){.which = 7});
    const kbs_standstill *still = &it.result.standstill;
    assert_int_equal(still->waiting_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        const kbs_waiting *one = &still->waiting[i];
        assert_true(one->place == KBS_WAIT_CIRCLE && one->part == 0 && one->rank == i && !one->is_host);
        assert_true(one->of_credit && one->slot == 0 && !one->has_number && one->step_number == 5);
        assert_string_equal(one->step, "flood");
        assert_string_equal(one->file, "test_lint.c");
    }
    assert_string_equal(still->waiting[2].queue, "pe2>pe0");
    assert_int_equal(it.result.remedy.slots, 7);
    assert_int_equal(it.result.remedy.size_count, 1); /* one larger ring opens a circle */
    assert_true(it.result.remedy.are_smallest && it.result.remedy.sizes[0].slots == 7 &&
                it.result.remedy.sizes[0].given == 4);
    kbs_lint_fini(&it.result);
    linted again = {.sets = {"ipcq.slots_of.pe2>pe0=7"}};
    lint(&again, floods, &(kind){.which = 7});
    assert_true(again.result.is_free);
    kbs_lint_fini(&again.result);
}

/* Of many circles the first few are told, each whole, and how many there are. */
static void pairs(tl_kernel *k) {
    const kind *it = k->args;
    const uint32_t peer = k->rank ^ 1U;
    for (int i = 0; i < 5; i++)
        tl_send(k, tl_queue_to(k, peer), tl_slice(k, it->x, 0, 10));
    for (int i = 0; i < 5; i++) {
        tl_copy(k, tl_slice(k, it->y, 0, 10), tl_recv(k, tl_queue_from(k, peer)));
        tl_release(k, tl_queue_from(k, peer));
    }
}

static void in_pairs(kb_host *h, void *context) {
    kind it = *(kind *)context;
    it.x = kb_ints(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, -8, 8, 100);
    it.y = kb_zeros(h, "y", KB_SPACE_TCM, KB_DTYPE_F16, 100);
    kb_launch(h, pairs, &it, sizeof it);
}

static void of_many_circles_a_few_are_told(void **state) {
    (void)state;
    linted it = {.ranks = 24};
    const char *text;
    lint(&it, in_pairs, &(kind){0});
    assert_int_equal(it.result.standstill.part_count, 12);
    assert_int_equal(it.result.standstill.waiting_count, 16);
    assert_int_equal(it.result.standstill.behind_count, 0);
    assert_int_equal(it.result.remedy.size_count, 12);
    assert_non_null(strstr(it.result.findings[0].text, "; and so in 11 places more"));
    check_ok(kbs_standstill_text(&it.result.standstill, &it.result.arena, &text, &it.trail), &it.trail);
    assert_non_null(strstr(text, "\n  and so back to rank 14\nand so in 4 places more\n"));
    kbs_lint_fini(&it.result);
}

/* A launch that is waited for until it is sent does not hold its host until it is done. */
static void take_one(tl_kernel *k) {
    const kind *it = k->args;
    tl_copy(k, tl_slice(k, it->y, 0, 10), tl_recv(k, tl_queue_from(k, 1)));
    tl_release(k, tl_queue_from(k, 1));
}

static void give_one(tl_kernel *k) {
    const kind *it = k->args;
    tl_send(k, tl_queue_to(k, 0), tl_slice(k, it->x, 0, 10));
}

static void launches(kb_host *h, void *context) {
    kind it = *(kind *)context;
    const uint32_t zero = 0, one = 1;
    it.x = kb_ints(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, -8, 8, 100);
    it.y = kb_zeros(h, "y", KB_SPACE_TCM, KB_DTYPE_F16, 100);
    tl_token taken = kb_launch_on_async(h, kb_group_of(h, &zero, 1), take_one, &it, sizeof it);
    if (it.is_wrong)
        tl_wait(h, taken);
    else
        tl_wait_sent(h, taken);
    kb_barrier(h);
    kb_launch_on(h, kb_group_of(h, &one, 1), give_one, &it, sizeof it);
}

static void hosts_are_part_of_circles(void **state) {
    (void)state;
    finds_nothing(launches, &(kind){0});
    finds(launches, &(kind){.is_wrong = true}, "deadlock", false, "4 ops wait in a circle");
}

/* --- undefined --------------------------------------------------------------------------------- */

enum { SCRATCH, HALF, STRIDED, EMPTY_FAR, EMPTY_NEAR, ACCUMULATES, CASES, COPIED, OTHERS, HOST, PADDED };

/* Computes from what it has not written, each in its own way; from COPIED on nothing is wrong. */
static void computing(tl_kernel *k) {
    const kind *it = k->args;
    if (k->rank != 0) {
        if (it->which == OTHERS && k->rank == 1)
            tl_store(k, it->y, tl_slice(k, it->x, 0, 64));
        tl_barrier(k);
        return;
    }
    tl_view a = tl_scratch(k, KB_DTYPE_F16, 8, 8), out = tl_scratch(k, KB_DTYPE_F16, 8, 8);
    const tl_view row = tl_reshape(k, tl_slice(k, it->x, 0, 64), 8, 8), y = tl_reshape(k, it->y, 8, 8);
    tl_barrier(k);
    if (it->which == HALF || it->which == PADDED)
        tl_copy(k, tl_slice(k, a, 0, 4), tl_slice(k, row, 0, 4));
    if (it->which == SCRATCH || it->which == HALF)
        tl_neg(k, out, a);
    else if (it->which == STRIDED)
        tl_neg(k, tl_slice_axis(k, out, 1, 0, 4), tl_slice_axis(k, a, 1, 0, 4));
    else if (it->which == EMPTY_FAR || it->which == EMPTY_NEAR || it->which == OTHERS || it->which == HOST)
        tl_neg(k, out, y);
    else if (it->which == ACCUMULATES)
        tl_dot_add(k, out, row, row);
    else if (it->which == COPIED)
        tl_copy(k, out, a);
    else if (it->which == PADDED)
        tl_neg(k, tl_slice(k, out, 0, 4), tl_slice(k, a, 0, 4));
}

static void computes(kb_host *h, void *context) {
    kind it = *(kind *)context;
    const uint16_t numbers[64] = {0x3C00};
    it.x = kb_ints(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, -8, 8, 100);
    it.y = kb_empty(h, "y", it.which == EMPTY_NEAR ? KB_SPACE_TCM : KB_SPACE_HBM, KB_DTYPE_F16, 64);
    if (it.which == HOST)
        kb_host_write(h, it.y, numbers, sizeof numbers);
    static tl_view first;
    first = h->rank == 0 ? it.y : first;
    it.y = first; /* of rank 0 in all ranks */
    kb_launch(h, computing, &it, sizeof it);
}

static void what_nothing_has_written_is_named(void **state) {
    (void)state;
    static const char *const says[CASES] = {
        [SCRATCH] = "in rank 0 math computes from 128 bytes of scratch",
        [HALF] = "in rank 0 math computes from 64 bytes of scratch",
        [STRIDED] = "in rank 0 math computes from 120 bytes of scratch",
        [EMPTY_FAR] = "in rank 0 math computes from 128 bytes of scratch",
        [EMPTY_NEAR] = "in rank 0 math computes from 128 bytes of tensor y from byte 0",
        [ACCUMULATES] = "in rank 0 gemm computes from 128 bytes of scratch",
    };
    for (int which = 0; which < CASES; which++)
        finds(computes, &(kind){.which = which}, "undefined", true, says[which]);
    for (int which = CASES + 1; which <= PADDED; which++)
        finds_nothing(computes, &(kind){.which = which});
}

/* --- memory -------------------------------------------------------------------------------------- */

static void everything(kb_host *h, void *context) {
    (void)context;
    floods(h, &(kind){.which = 7});
    unevenly(h, &(kind){.which = 1});
    computes(h, &(kind){.which = HALF});
}

/* A program that hangs, with its remedy, and other findings. */
static kb_status lint_job(const kb_alloc *alloc, void *user, kb_trail *trail) {
    kbs_machine machine;
    kbs_lint_result result;
    kbs_machine_init(&machine);
    KB_TRY(kbs_machine_shorthand(&machine, "cubes=1,pes=8", trail));
    const kbs_run_options options = {.bench = "program",
                                     .host = user != NULL ? everything : calls,
                                     .host_context = &(bool){true},
                                     .machine = &machine,
                                     .ranks = RANKS,
                                     .alloc = alloc};
    KB_TRY(kbs_lint(&options, &result, trail));
    const char *text;
    kb_status status = kbs_standstill_text(&result.standstill, &result.arena, &text, trail);
    if (status == KB_OK)
        status = kbs_remedy_text(&result.remedy, &result.arena, &text, trail);
    kbs_lint_fini(&result);
    return status;
}

static void memory_that_runs_out_is_told(void **state) {
    (void)state;
    assert_true(fail_alloc_sweep(lint_job, "everything", 1) > 30);
    assert_true(fail_alloc_sweep(lint_job, NULL, 1) > 10); /* a mistake of recording */
}

/* --- the table --------------------------------------------------------------------------------- */

static void checks_have_names_and_words(void **state) {
    (void)state;
    assert_true(kbs_lint_check_count() >= 10);
    for (size_t i = 0; i < kbs_lint_check_count(); i++) {
        assert_true(*kbs_lint_check_name(i) != '\0' && strlen(kbs_lint_check_help(i)) > 10);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(kbs_lint_check_name(i), kbs_lint_check_name(k));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_of_recording_are_findings),
        cmocka_unit_test(trouble_is_no_finding),
        cmocka_unit_test(what_one_end_lacks_is_told_once),
        cmocka_unit_test(a_circle_is_told_with_what_opens_it),
        cmocka_unit_test(of_many_circles_a_few_are_told),
        cmocka_unit_test(hosts_are_part_of_circles),
        cmocka_unit_test(what_nothing_has_written_is_named),
        cmocka_unit_test(memory_that_runs_out_is_told),
        cmocka_unit_test(checks_have_names_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
