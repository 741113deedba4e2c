/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds of any machine, seen from outside by probing it: latency bounds bandwidth while little is
 * outstanding; who shares a memory shares it fairly; nearer, wider and more is never slower.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "drawn.h"

#include "kbsim/probe.h"
#include "kbsim/run.h"

static kbs_probe_result probe(const kbs_machine *machine, uint32_t pe, const uint64_t *sizes, size_t count,
                              bool alone) {
    const kbs_probe_options options = {
        .machine = machine, .pe = pe, .sizes = sizes, .size_count = count, .alone = alone};
    kbs_probe_result result;
    kb_trail trail;
    kb_trail_init(&trail);
    check_ok(kbs_machine_check(machine, &trail), &trail);
    check_ok(kbs_probe(&options, &result, &trail), &trail);
    return result;
}

/* NULL where the machine has no such target. */
static const kbs_probe_row *row_of(const kbs_probe_result *result, const char *what, const char *target,
                                   uint64_t size_bytes) {
    for (size_t i = 0; i < result->row_count; i++) {
        const kbs_probe_row *row = &result->rows[i];
        if (strcmp(row->what, what) == 0 && strcmp(row->target, target) == 0 && row->size_bytes == size_bytes)
            return row;
    }
    return NULL;
}

static int64_t time_of(const kbs_probe_result *result, const char *what, const char *target,
                       uint64_t size_bytes) {
    const kbs_probe_row *row = row_of(result, what, target, size_bytes);
    assert_non_null(row);
    return row->took_ps;
}

static const kbs_probe_crowd *crowd_of(const kbs_probe_result *result, const char *what) {
    for (size_t i = 0; i < result->crowd_count; i++)
        if (strcmp(result->crowds[i].what, what) == 0)
            return &result->crowds[i];
    fail_msg("no crowd '%s'", what);
    return NULL;
}

/* --- what is outstanding ----------------------------------------------------------------------- */

/*
 * n packets, W outstanding at most, each there RTT after it was asked for, and D after the one before: the
 * k-th is there at RTT + floor(k / W) max(RTT, W D) + (k mod W) D, counted from 0. D is a packet's time on
 * the narrowest link: 32 ns at 128 GB/s, to the next cube and in the SRAM, and 16 ns in the own slice.
 */
static void what_is_outstanding_bounds_a_single_dma(void **state) {
    (void)state;
    enum { PACKET = 4096, PACKETS = 256, BEFORE_PS = 14000 }; /* dispatch and set-up */
    static const uint64_t sizes[] = {PACKET, PACKETS * PACKET};
    static const struct {
        const char *target;
        int64_t packet_ps;
    } ways[] = {{"its own slice", 16000}, {"a slice of the next cube", 32000}, {"its cube's SRAM", 32000}};
    for (int64_t most = 1; most <= 64; most *= 2) {
        kbs_machine machine;
        kbs_machine_init(&machine);
        machine.at.dma_reads_outstanding = (uint64_t)most;
        kbs_probe_result result = probe(&machine, 0, sizes, 2, true);
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
            const int64_t one_ps = time_of(&result, "read", ways[i].target, sizes[0]) - BEFORE_PS;
            const int64_t lap_ps = one_ps > most * ways[i].packet_ps ? one_ps : most * ways[i].packet_ps;
            const int64_t last = PACKETS - 1;
            assert_int_equal(time_of(&result, "read", ways[i].target, sizes[1]) - BEFORE_PS,
                             one_ps + last / most * lap_ps + last % most * ways[i].packet_ps);
        }
        kbs_probe_fini(&result);
    }
}

/* With what is outstanding by default one DMA gets what the channels of its slice give. */
static void enough_outstanding_gives_the_sum_of_the_channels(void **state) {
    (void)state;
    static const uint64_t size = 8 << 20;
    kbs_machine machine;
    kbs_machine_init(&machine);
    kbs_probe_result result = probe(&machine, 3, &size, 1, true);
    static const char *const ways[] = {"read", "write"};
    for (size_t i = 0; i < 2; i++) {
        const double gbps = (double)size * 1000 / (double)time_of(&result, ways[i], "its own slice", size);
        assert_true(gbps <= 256 && gbps >= 0.99 * 256);
    }
    kbs_probe_fini(&result);
}

/* --- many at once ------------------------------------------------------------------------------ */

/*
 * Eight PEs read as much of one slice: none is more than a packet (16 ns) of each ahead at the end. Of writes
 * see below: a lead of 3.3%.
 */
static void pes_share_a_slice_fairly(void **state) {
    (void)state;
    static const uint64_t size = 1 << 20;
    enum { PES = 8, PACKET_PS = 16000 };
    kbs_machine machine;
    kbs_machine_init(&machine);
    for (uint32_t pe = 0; pe < PES; pe++) {
        kbs_probe_result result = probe(&machine, pe, &size, 1, false);
        const kbs_probe_crowd *reads = crowd_of(&result, "the PEs of a cube read one slice");
        const kbs_probe_crowd *writes = crowd_of(&result, "the PEs of a cube write to one slice");
        assert_int_equal(reads->pes, PES);
        if (reads->last_ps - reads->first_ps > (PES + 1) * PACKET_PS)
            fail_msg("PE %u: %ld ps apart", pe, (long)(reads->last_ps - reads->first_ps));
        if ((double)writes->first_ps < 0.95 * (double)writes->last_ps)
            fail_msg("PE %u: %ld and %ld ps", pe, (long)writes->first_ps, (long)writes->last_ps);
        /* Together they get what the channels give. */
        assert_true((double)reads->size_bytes * 1000 >= 0.99 * 256 * (double)reads->took_ps);
        assert_true((double)writes->size_bytes * 1000 >= 0.99 * 256 * (double)writes->took_ps);
        kbs_probe_fini(&result);
    }
}

/*
 * Where ways meet, what came first goes first: while the windows of eight PEs fill, those whose packets meet
 * fewer others get more of them in. That lead stays, and does not grow: 4W + 3 packets of 16 ns, where W may
 * be on their way for each, whatever the size.
 */
static void a_lead_of_writes_does_not_grow(void **state) {
    (void)state;
    static const uint64_t sizes[] = {256 << 10, 1 << 20};
    for (int64_t most = 1; most <= 32; most *= 2)
        for (size_t i = 0; i < 2; i++) {
            kbs_machine machine;
            kbs_machine_init(&machine);
            machine.at.dma_writes_outstanding = (uint64_t)most;
            kbs_probe_result result = probe(&machine, 0, &sizes[i], 1, false);
            const kbs_probe_crowd *writes = crowd_of(&result, "the PEs of a cube write to one slice");
            assert_int_equal(writes->last_ps - writes->first_ps, (4 * most + 3) * 16000);
            kbs_probe_fini(&result);
        }
}

static void all_pes_get_most_of_their_own_slices(void **state) {
    (void)state;
    static const uint64_t size = 1 << 20;
    kbs_machine machine;
    kb_trail trail;
    kb_trail_init(&trail);
    kbs_machine_init(&machine);
    check_ok(kbs_machine_shorthand(&machine, "sips=1", &trail), &trail);
    kbs_probe_result result = probe(&machine, 0, &size, 1, false);
    static const char *const names[] = {"all PEs read their own slices", "all PEs write to their own slices"};
    for (size_t i = 0; i < 2; i++) {
        const kbs_probe_crowd *crowd = crowd_of(&result, names[i]);
        assert_int_equal(crowd->pes, 128);
        assert_true((double)crowd->size_bytes * 1000 >= 0.8 * crowd->channels_gbps * (double)crowd->took_ps);
    }
    kbs_probe_fini(&result);
}

/* --- nearer ------------------------------------------------------------------------------------ */

static const uint64_t some_sizes[] = {1, 300, 4096, 65536};
enum { SOME_SIZES = sizeof some_sizes / sizeof some_sizes[0] };

static void check_chain(const kbs_probe_result *result, const char *what, const char *const *targets,
                        size_t count) {
    for (size_t s = 0; s < SOME_SIZES; s++) {
        int64_t before_ps = 0;
        for (size_t i = 0; i < count; i++) {
            const int64_t took_ps = time_of(result, what, targets[i], some_sizes[s]);
            if (took_ps < before_ps)
                fail_msg("%s of %lu bytes: %s is nearer than %s and takes %ld ps instead of %ld", what,
                         (unsigned long)some_sizes[s], targets[i - 1], targets[i], (long)before_ps,
                         (long)took_ps);
            before_ps = took_ps;
        }
    }
}

static void nearer_is_never_slower(void **state) {
    (void)state;
    static const char *const slices[] = {"its own slice", "a slice across its cube",
                                         "a slice of the next cube", "a slice of the far cube",
                                         "a slice of the next package"};
    static const char *const pes[] = {"the next PE of its cube", "a PE of the next cube",
                                      "a PE of the far cube", "a PE of the next package"};
    static const char *const srams[] = {"its cube's SRAM", "the next cube's SRAM"};
    kbs_machine machine;
    kbs_machine_init(&machine);
    static const uint32_t who[] = {0, 3, 7, 64, 127, 200, 255};
    for (size_t i = 0; i < sizeof who / sizeof who[0]; i++) {
        kbs_probe_result result = probe(&machine, who[i], some_sizes, SOME_SIZES, true);
        check_chain(&result, "read", slices, sizeof slices / sizeof slices[0]);
        check_chain(&result, "write", slices, sizeof slices / sizeof slices[0]);
        check_chain(&result, "read", srams, 2);
        check_chain(&result, "write", srams, 2);
        check_chain(&result, "send", pes, sizeof pes / sizeof pes[0]);
        kbs_probe_fini(&result);
    }
}

/* A read asks first. Memories that are slower to write than to read, or fewer packets, may hide that. */
static void a_read_to_the_host_is_no_faster_than_a_write_by_it(void **state) {
    (void)state;
    random_source random;
    for (uint64_t seed = 0; seed <= 40; seed++) {
        kbs_machine machine;
        random_init(&random, seed);
        kbs_machine_init(&machine);
        if (seed > 0)
            drawn_machine(&machine, &random);
        machine.at.m_cpu_reads_outstanding = machine.at.m_cpu_writes_outstanding = seed > 0 ? 65536 : 32;
        machine.at.hbm_read_latency_ns = machine.at.hbm_write_latency_ns;
        machine.at.hbm_commit_ns = 0;
        machine.at.tcm_read_gbps = machine.at.tcm_write_gbps;
        machine.at.pcie_endpoint_ns = 100 * KBS_MILLION;
        kbs_probe_result result = probe(&machine, 0, some_sizes, SOME_SIZES, true);
        for (size_t i = 0; i < result.row_count; i++) {
            const kbs_probe_row *read = &result.rows[i];
            if (strcmp(read->what, "host read") != 0)
                continue;
            const int64_t write_ps = time_of(&result, "host write", read->target, read->size_bytes);
            if (read->took_ps < write_ps)
                fail_msg("machine %lu: %s, %lu bytes: read in %ld ps, written in %ld", (unsigned long)seed,
                         read->target, (unsigned long)read->size_bytes, (long)read->took_ps, (long)write_ps);
        }
        kbs_probe_fini(&result);
    }
}

/* --- wider and more ---------------------------------------------------------------------------- */

#define FIELD(path, field) \
    { path, offsetof(kbs_machine, at.field) }
static const struct {
    const char *path;
    size_t offset;
} generous[] = {
    FIELD("noc.link_gbps", noc_link_gbps),
    FIELD("ucie.gbps", ucie_gbps),
    FIELD("pcie.gbps", pcie_gbps),
    FIELD("hbm.channel_gbps", hbm_channel_gbps),
    FIELD("sram.gbps", sram_gbps),
    FIELD("tcm.read_gbps", tcm_read_gbps),
    FIELD("tcm.write_gbps", tcm_write_gbps),
    FIELD("dma.reads_outstanding", dma_reads_outstanding),
    FIELD("dma.writes_outstanding", dma_writes_outstanding),
    FIELD("math.bytes_per_cycle", math_bytes_per_cycle),
    FIELD("ipcq.slots", ipcq_slots),
    FIELD("ipcq.tcm_gbps", ipcq_tcm_gbps),
    FIELD("ipcq.sram_gbps", ipcq_sram_gbps),
    FIELD("ipcq.hbm_gbps", ipcq_hbm_gbps),
    FIELD("m_cpu.reads_outstanding", m_cpu_reads_outstanding),
    FIELD("m_cpu.writes_outstanding", m_cpu_writes_outstanding),
};
enum { GENEROUS = sizeof generous / sizeof generous[0] };

static kbs_machine doubled(const kbs_machine *machine, size_t which) {
    kbs_machine more = *machine;
    uint64_t *field = (uint64_t *)(void *)((char *)&more + generous[which].offset);
    *field *= 2;
    return more;
}

/* Whether a row may be slower: see the first exception. */
static bool waits_in_its_slice(const char *path, const kbs_probe_row *row) {
    return strcmp(path, "noc.link_gbps") == 0 && strstr(row->what, "read") != NULL &&
           strstr(row->target, "slice") != NULL;
}

static void compare_rows(const kbs_probe_result *few, const kbs_probe_result *many, const char *path,
                         uint64_t seed) {
    for (size_t i = 0; i < many->row_count; i++) {
        const kbs_probe_row *b = &many->rows[i], *a = row_of(few, b->what, b->target, b->size_bytes);
        if (a != NULL && b->took_ps > a->took_ps && !waits_in_its_slice(path, a))
            fail_msg("machine %lu: with twice %s a %s (%s) of %lu bytes takes %ld ps instead of %ld",
                     (unsigned long)seed, path, a->what, a->target, (unsigned long)a->size_bytes,
                     (long)b->took_ps, (long)a->took_ps);
    }
}

/* Machine 0 is the default one. What polls is left to an exception. */
static void draw(kbs_machine *machine, uint64_t seed) {
    random_source random;
    random_init(&random, seed);
    kbs_machine_init(machine);
    if (seed > 0)
        drawn_machine(machine, &random);
    machine->at.ipcq_backpressure = KBS_PRESSURE_SLEEP;
}

static void more_never_slows_a_single_flow(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed <= 12; seed++) {
        kbs_machine machine;
        draw(&machine, seed);
        kbs_probe_result few = probe(&machine, 0, some_sizes, SOME_SIZES, true);
        for (size_t i = 0; i < GENEROUS; i++) {
            const kbs_machine more = doubled(&machine, i);
            kbs_probe_result many = probe(&more, 0, some_sizes, SOME_SIZES, true);
            compare_rows(&few, &many, generous[i].path, seed);
            kbs_probe_fini(&many);
        }
        kbs_probe_fini(&few);
    }
}

/*
 * A packet leaves its slice without gaps, so its head waits until no flit has to: on a faster first link it
 * waits longer, by what the packet is shorter there at most. That is lost where a later link is narrower.
 */
static void exception_a_faster_first_link_keeps_a_read_in_its_slice(void **state) {
    (void)state;
    static const uint64_t size = 4096;
    kbs_machine machine, more;
    kbs_machine_init(&machine);
    kbs_machine_init(&more);
    more.at.noc_link_gbps *= 2;
    kbs_probe_result few = probe(&machine, 0, &size, 1, true), many = probe(&more, 0, &size, 1, true);
    const int64_t shorter_ps = 16 * (1000 - 500); /* flits, of 256 bytes */
    static const char *const targets[] = {"a slice of the next cube", "a slice of the next package"};
    for (size_t i = 0; i < 2; i++) {
        const int64_t later_ps =
            time_of(&many, "read", targets[i], size) - time_of(&few, "read", targets[i], size);
        assert_true(later_ps > 0 && later_ps <= shorter_ps);
    }
    kbs_probe_fini(&few);
    kbs_probe_fini(&many);
}

/*
 * Who polls counts its looks from when it began to: of a message in several slots, what comes sooner may be
 * found later, by less than an interval a slot.
 */
static void exception_who_polls_may_look_later(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        kbs_machine machine;
        draw(&machine, seed);
        machine.at.ipcq_backpressure = KBS_PRESSURE_POLL;
        kbs_probe_result few = probe(&machine, 0, some_sizes, SOME_SIZES, true);
        for (size_t i = 0; i < GENEROUS; i++) {
            const kbs_machine more = doubled(&machine, i);
            kbs_probe_result many = probe(&more, 0, some_sizes, SOME_SIZES, true);
            for (size_t r = 0; r < many.row_count; r++) {
                const kbs_probe_row *b = &many.rows[r], *a = row_of(&few, b->what, b->target, b->size_bytes);
                const int64_t slots = (int64_t)(b->size_bytes / machine.at.ipcq_slot_bytes) + 1;
                if (a != NULL && strcmp(a->what, "send") == 0) /* both ends of each slot may be unlucky */
                    assert_true(b->took_ps - a->took_ps <=
                                2 * slots * (int64_t)machine.at.ipcq_poll_ns / 1000);
            }
            kbs_probe_fini(&many);
        }
        kbs_probe_fini(&few);
    }
}

/* --- the same of many flows: 1% ---------------------------------------------------------------- */

static void more_slows_no_crowd_by_more_than_a_hundredth(void **state) {
    (void)state;
    static const uint64_t size = 65536;
    for (uint64_t seed = 0; seed <= 6; seed++) {
        kbs_machine machine;
        draw(&machine, seed);
        kbs_probe_result few = probe(&machine, 0, &size, 1, false);
        for (size_t i = 0; i < GENEROUS; i++) {
            const kbs_machine more = doubled(&machine, i);
            kbs_probe_result many = probe(&more, 0, &size, 1, false);
            assert_int_equal(few.crowd_count, many.crowd_count);
            for (size_t c = 0; c < many.crowd_count; c++)
                if ((double)many.crowds[c].took_ps > 1.01 * (double)few.crowds[c].took_ps)
                    fail_msg("machine %lu: with twice %s %s takes %ld ps instead of %ld", (unsigned long)seed,
                             generous[i].path, few.crowds[c].what, (long)many.crowds[c].took_ps,
                             (long)few.crowds[c].took_ps);
            kbs_probe_fini(&many);
        }
        kbs_probe_fini(&few);
    }
}

static int64_t all_reduce(const kbs_machine *machine, const char *algorithm, const char *buffer) {
    kbs_machine own = *machine;
    char algo[32], lies[32];
    kbs_result result;
    kb_trail trail;
    kb_trail_init(&trail);
    snprintf(algo, sizeof algo, "algo=%s", algorithm);
    snprintf(lies, sizeof lies, "buffer=%s", buffer);
    const char *const params[] = {"bytes=20KB", algo, lies};
    const kbs_run_options options = {.bench = "allreduce",
                                     .params = params,
                                     .param_count = 3,
                                     .machine = &own,
                                     .ranks = 16,
                                     .path = "/dev/null",
                                     .threads = 1};
    check_ok(kbs_run(&options, &result, &trail), &trail);
    const int64_t time_ps = result.time_ps;
    kbs_result_fini(&result);
    return time_ps;
}

static void more_slows_no_collective_by_more_than_a_hundredth(void **state) {
    (void)state;
    static const char *const algorithms[] = {"ring", "tree", "direct"};
    static const char *const buffers[] = {"tcm", "hbm"};
    kbs_machine machine;
    kbs_machine_init(&machine);
    for (size_t a = 0; a < 6; a++) {
        const int64_t few_ps = all_reduce(&machine, algorithms[a / 2], buffers[a % 2]);
        for (size_t i = 0; i < GENEROUS; i++) {
            const kbs_machine more = doubled(&machine, i);
            const int64_t many_ps = all_reduce(&more, algorithms[a / 2], buffers[a % 2]);
            if ((double)many_ps > 1.01 * (double)few_ps)
                fail_msg("with twice %s %s in %s takes %ld ps instead of %ld", generous[i].path,
                         algorithms[a / 2], buffers[a % 2], (long)many_ps, (long)few_ps);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_outstanding_bounds_a_single_dma),
        cmocka_unit_test(enough_outstanding_gives_the_sum_of_the_channels),
        cmocka_unit_test(pes_share_a_slice_fairly),
        cmocka_unit_test(a_lead_of_writes_does_not_grow),
        cmocka_unit_test(all_pes_get_most_of_their_own_slices),
        cmocka_unit_test(nearer_is_never_slower),
        cmocka_unit_test(a_read_to_the_host_is_no_faster_than_a_write_by_it),
        cmocka_unit_test(more_never_slows_a_single_flow),
        cmocka_unit_test(exception_a_faster_first_link_keeps_a_read_in_its_slice),
        cmocka_unit_test(exception_who_polls_may_look_later),
        cmocka_unit_test(more_slows_no_crowd_by_more_than_a_hundredth),
        cmocka_unit_test(more_slows_no_collective_by_more_than_a_hundredth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
