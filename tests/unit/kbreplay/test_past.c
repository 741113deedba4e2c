/* SPDX-License-Identifier: Apache-2.0 */
/* What comes before what, on random histories of chains, against clocks that say it of every chain. */
#include "support/check.h"

#include <string.h>

#include "order/past.h"
#include "support/random.h"

enum { CHAINS = 7, KEPT = 12, STEPS = 3000 };

typedef struct clocked {
    kbr_past past;
    uint32_t clock[CHAINS];
} clocked;

typedef struct history {
    kbr_pasts pasts;
    uint32_t clocks[CHAINS][CHAINS];
    uint64_t times[CHAINS][STEPS + 1]; /* of each issue */
    clocked kept[KEPT];                /* pasts of some moment */
    kb_trail trail;
} history;

static void join(uint32_t *to, const uint32_t *from) {
    for (size_t i = 0; i < CHAINS; i++)
        to[i] = from[i] > to[i] ? from[i] : to[i];
}

static void issue(history *it, uint32_t chain) {
    kbr_pasts_issue(&it->pasts, chain);
    it->clocks[chain][chain]++;
    it->times[chain][it->clocks[chain][chain]] = it->pasts.time;
    assert_int_equal(kbr_pasts_issues(&it->pasts, chain), it->clocks[chain][chain]);
}

/* A past of now, with what another one knew. */
static void keep(history *it, clocked *to, uint32_t chain, const clocked *more) {
    clocked now = {.past = kbr_past_of_chain(&it->pasts, chain)};
    memcpy(now.clock, it->clocks[chain], sizeof now.clock);
    if (more != to) {
        check_ok(kbr_past_join(&it->pasts, &now.past, &more->past, &it->trail), &it->trail);
        join(now.clock, more->clock);
    }
    *to = now;
}

static void ask(history *it, const kbr_past *past, const uint32_t *clock, uint64_t draw) {
    uint32_t chain = (uint32_t)(draw % CHAINS), all = it->clocks[chain][chain];
    if (all == 0)
        return;
    /* Near to what is known, as a rule, where mistakes would show. */
    uint32_t issues =
        (draw >> 8) % 4 == 0 ? 1 + (uint32_t)(draw >> 16) % all : clock[chain] + (uint32_t)(draw >> 16) % 3;
    issues = issues == 0 ? 1 : issues > all ? all : issues;
    bool has;
    check_ok(kbr_past_has(&it->pasts, past, chain, issues, it->times[chain][issues] - 1, &has, &it->trail),
             &it->trail);
    assert_int_equal(has, clock[chain] >= issues);
}

static void step(history *it, random_source *random) {
    uint32_t chain = (uint32_t)random_below(random, CHAINS);
    clocked *kept = &it->kept[random_below(random, KEPT)];
    clocked *other = &it->kept[random_below(random, KEPT)];
    switch (random_below(random, 8)) {
    case 0:
    case 1: issue(it, chain); break;
    case 2:
        if (it->clocks[chain][chain] == 0)
            break;
        kbr_pasts_start(&it->pasts, chain);
        check_ok(kbr_pasts_join_chain(&it->pasts, chain, &kept->past, &it->trail), &it->trail);
        join(it->clocks[chain], kept->clock);
        issue(it, chain); /* one start, one place */
        break;
    case 3:
        if (it->clocks[chain][chain] != 0)
            keep(it, kept, chain, random_below(random, 2) == 0 ? kept : other);
        break;
    case 4:
    case 5: ask(it, &kept->past, kept->clock, random_u64(random)); break;
    default: {
        kbr_past now = kbr_past_of_chain(&it->pasts, chain);
        ask(it, &now, it->clocks[chain], random_u64(random));
    }
    }
}

static void pasts_know_what_clocks_know(void **state) {
    (void)state;
    static history it;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        random_source random;
        random_init(&random, seed);
        memset(&it, 0, sizeof it);
        kb_trail_init(&it.trail);
        check_ok(kbr_pasts_init(&it.pasts, kb_alloc_heap(), CHAINS, 1 << 24, &it.trail), &it.trail);
        for (int i = 0; i < STEPS; i++)
            step(&it, &random);
        kbr_pasts_fini(&it.pasts);
    }
}

static void logs_are_bounded(void **state) {
    (void)state;
    kbr_pasts pasts;
    kb_trail trail;
    kb_status status = KB_OK;
    kb_trail_init(&trail);
    check_ok(kbr_pasts_init(&pasts, kb_alloc_heap(), 2, 4096, &trail), &trail);
    for (int i = 0; i < 10000 && status == KB_OK; i++) {
        kbr_pasts_issue(&pasts, 0);
        kbr_pasts_issue(&pasts, 1);
        kbr_past past = kbr_past_of_chain(&pasts, 0);
        status = kbr_pasts_join_chain(&pasts, 1, &past, &trail);
    }
    assert_int_equal(status, KB_E_LIMIT);
    kbr_pasts_fini(&pasts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pasts_know_what_clocks_know),
        cmocka_unit_test(logs_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
