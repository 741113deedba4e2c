/* SPDX-License-Identifier: Apache-2.0 */
/* What a probe measures on a machine; see plan.h. */
#include "probe/plan.h"

#include <string.h>

#include "kbtrace/op.h"
#include "kbtrace/words.h"

const kbs_probe_swarm kbs_probe_swarms[KBS_PROBE_SWARMS] = {
    {"one PE writes to all slices", .is_write = true, .from_one = true},
    {"all PEs read their own slices", .is_write = false},
    {"all PEs write to their own slices", .is_write = true},
    {"the PEs of a cube read one slice", .to_one = true},
    {"the PEs of a cube write to one slice", .is_write = true, .to_one = true},
};

bool kbs_probe_takes_part(const kbs_probe_plan *plan, const kbs_probe_swarm *swarm, uint32_t pe) {
    const uint64_t pes = plan->machine->at.cube_pes;
    return swarm->from_one ? pe == plan->pe : !swarm->to_one || pe / pes == plan->pe / pes;
}

uint64_t kbs_probe_share(const kbs_probe_plan *plan, const kbs_probe_swarm *swarm) {
    static const uint64_t most_of_many = 65536; /* one PE's bytes for thousands of slices add up */
    return swarm->from_one && plan->swarm_bytes > most_of_many ? most_of_many : plan->swarm_bytes;
}

/* --- targets --------------------------------------------------------------------------------- */

typedef enum whereabouts { OWN, BESIDE, ACROSS, NEXT_CUBE, FAR_CUBE, NEXT_SIP, FAR_SIP } whereabouts;

typedef struct target {
    uint32_t space;
    whereabouts where;
    const char *name;
} target;

static const target memories[] = {
    {KB_SPACE_HBM, OWN, "its own slice"},
    {KB_SPACE_HBM, BESIDE, "the next slice of its cube"},
    {KB_SPACE_HBM, ACROSS, "a slice across its cube"},
    {KB_SPACE_HBM, NEXT_CUBE, "a slice of the next cube"},
    {KB_SPACE_HBM, FAR_CUBE, "a slice of the far cube"},
    {KB_SPACE_HBM, NEXT_SIP, "a slice of the next package"},
    {KB_SPACE_HBM, FAR_SIP, "a slice of a far package"},
    {KB_SPACE_SRAM, OWN, "its cube's SRAM"},
    {KB_SPACE_SRAM, NEXT_CUBE, "the next cube's SRAM"},
};
static const target copied[] = {
    {KB_SPACE_HBM, OWN, "its own slice"},
    {KB_SPACE_SRAM, OWN, "its cube's SRAM"},
    {KB_SPACE_TCM, OWN, "its TCM"},
    {KB_SPACE_HBM, FAR_CUBE, "a slice of the far cube"},
};
static const target receivers[] = {
    {KB_SPACE_TCM, BESIDE, "the next PE of its cube"}, {KB_SPACE_TCM, NEXT_CUBE, "a PE of the next cube"},
    {KB_SPACE_TCM, FAR_CUBE, "a PE of the far cube"},  {KB_SPACE_TCM, NEXT_SIP, "a PE of the next package"},
    {KB_SPACE_TCM, FAR_SIP, "a PE of a far package"},
};
enum {
    MEMORIES = sizeof memories / sizeof memories[0],
    RECEIVERS = sizeof receivers / sizeof receivers[0],
    COPIED = sizeof copied / sizeof copied[0],
    GROUPS = 4
};

/* The next cube along x or, in a single column, along y. */
static uint32_t next_cube(uint32_t cube, uint32_t columns, uint32_t rows) {
    if (columns > 1)
        return cube % columns + 1 < columns ? cube + 1 : cube - 1;
    return cube + 1 < rows ? cube + 1 : cube - 1;
}

/* Of its own package; false where there is no such PE, or it is one that another target names. */
static bool find_near(const kbs_probe_plan *plan, whereabouts where, uint32_t *ret) {
    const uint32_t pes = (uint32_t)plan->machine->at.cube_pes, local = plan->pe % pes;
    const uint32_t columns = kbs_columns(plan->machine->at.sip_cubes),
                   rows = kbs_rows(plan->machine->at.sip_cubes);
    const uint32_t cubes = columns * rows, cube = plan->pe / pes % cubes, sip = plan->pe / pes / cubes;
    const uint32_t next = cubes > 1 ? next_cube(cube, columns, rows) : cube, far = cubes - 1 - cube;
    const uint32_t beside = (local + 1) % pes, across = (local + pes / 2) % pes;
    const struct {
        uint32_t cube, local;
        bool exists;
    } found[] = {
        [OWN] = {cube, local, true},
        [BESIDE] = {cube, beside, pes > 1},
        [ACROSS] = {cube, across, pes > 3},
        [NEXT_CUBE] = {next, local, cubes > 1},
        [FAR_CUBE] = {far, pes - 1 - local, far != cube && far != next},
    };
    *ret = (sip * cubes + found[where].cube) * pes + found[where].local;
    return found[where].exists;
}

/* The same PE of the next package; the opposite one of a package half of all further on. */
static bool find_pe(const kbs_probe_plan *plan, whereabouts where, uint32_t *ret) {
    const uint32_t of_sip = (uint32_t)kbs_machine_pes_of_sip(plan->machine), sips = plan->pes / of_sip;
    const uint32_t sip = plan->pe / of_sip, local = plan->pe % of_sip, far = (sip + sips / 2) % sips;
    if (where < NEXT_SIP)
        return find_near(plan, where, ret);
    *ret = where == NEXT_SIP ? (sip + 1) % sips * of_sip + local : far * of_sip + of_sip - 1 - local;
    return sips > 1;
}

/* --- room ------------------------------------------------------------------------------------ */

/* What a memory has for a tensor, beside its ring and its scratch. */
static uint64_t room_of(const kbs_machine *machine, uint64_t bytes, uint64_t ring, uint64_t scratch_bytes) {
    enum { ALIGNMENT = 256 };
    uint64_t taken = ALIGNMENT + scratch_bytes;
    if (machine->at.ipcq_ring == ring)
        taken += machine->at.ipcq_slots * machine->at.ipcq_slot_bytes;
    return bytes > taken ? bytes - taken : 0;
}

static uint64_t least_of(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static void find_room(kbs_probe_plan *plan, uint64_t most_bytes) {
    const kbs_machine *m = plan->machine;
    plan->tcm_bytes = least_of(most_bytes, room_of(m, m->at.tcm_bytes, KBS_RING_TCM, m->at.scratch_bytes));
    plan->sram_bytes = least_of(most_bytes, room_of(m, m->at.sram_bytes / m->at.cube_pes, KBS_RING_SRAM, 0));
    plan->hbm_bytes = least_of(most_bytes, room_of(m, m->at.hbm_slice_bytes, KBS_RING_HBM, 0));
    plan->swarm_bytes = least_of(plan->tcm_bytes, plan->hbm_bytes);
}

static uint64_t bytes_of(const kbs_probe_plan *plan, uint32_t space) {
    return space == KB_SPACE_SRAM  ? plan->sram_bytes
           : space == KB_SPACE_HBM ? plan->hbm_bytes
                                   : plan->tcm_bytes;
}

/* --- steps ----------------------------------------------------------------------------------- */

/* Each size of a way, where it finds room. */
static void add(kbs_probe_plan *plan, const kbs_probe_options *options, kbs_probe_kind kind, const target *to,
                uint64_t most_bytes) {
    uint32_t pe;
    if (!find_pe(plan, to->where, &pe))
        return;
    if (to->space == KB_SPACE_HBM && plan->machine->at.hbm_timing != KBS_TIMING_OFF)
        most_bytes = 0; /* what banks take has no form here */
    most_bytes = least_of(most_bytes, bytes_of(plan, to->space));
    if (kind >= KBS_PROBE_READ)
        most_bytes = least_of(most_bytes, plan->tcm_bytes);
    for (size_t i = 0; i < options->size_count; i++) {
        if (options->sizes[i] > most_bytes) {
            plan->left_out++;
            continue;
        }
        plan->steps[plan->step_count++] = (kbs_probe_step){.kind = kind,
                                                           .space = to->space,
                                                           .pe = pe,
                                                           .target = to->name,
                                                           .size_bytes = options->sizes[i],
                                                           .issue_ps = INT64_MAX,
                                                           .receive_ps = INT64_MAX};
    }
}

/* Of itself, of its cube, of its package, of all; each larger than the one before. A barrier needs two. */
static void add_groups(kbs_probe_plan *plan, kbs_probe_kind kind) {
    const uint32_t counts[] = {1, (uint32_t)plan->machine->at.cube_pes,
                               (uint32_t)kbs_machine_pes_of_sip(plan->machine), plan->pes};
    static const char *const names[] = {"itself", "the PEs of its cube", "the PEs of its package", "all PEs"};
    for (size_t i = 0; i < GROUPS; i++)
        if (i == 0 ? kind != KBS_PROBE_BARRIER : counts[i] > counts[i - 1])
            plan->steps[plan->step_count++] = (kbs_probe_step){.kind = kind,
                                                               .space = KB_SPACE_TCM,
                                                               .pe = plan->pe,
                                                               .target = names[i],
                                                               .first = plan->pe / counts[i] * counts[i],
                                                               .count = counts[i],
                                                               .issue_ps = 0};
}

kb_status kbs_probe_plan_init(kbs_probe_plan *plan, const kbs_probe_options *options, bool knows_streams,
                              kb_arena *arena, kb_trail *trail) {
    enum { WAYS = 2 * COPIED + 2 * MEMORIES + RECEIVERS };
    const size_t most_steps = WAYS * options->size_count + 3 * GROUPS;
    uint64_t most_bytes = 0;
    void *steps;
    memset(plan, 0, sizeof *plan);
    plan->machine = options->machine;
    plan->pe = options->pe;
    plan->pes = (uint32_t)kbs_machine_pes(options->machine);
    for (size_t i = 0; i < options->size_count; i++)
        most_bytes = options->sizes[i] > most_bytes ? options->sizes[i] : most_bytes;
    find_room(plan, most_bytes);
    KB_TRY(kb_arena_new(arena, most_steps * sizeof(kbs_probe_step), &steps, trail));
    plan->steps = steps;
    for (size_t i = 0; i < COPIED; i++) { /* longer ones are written by several ops */
        add(plan, options, KBS_PROBE_HOST_WRITE, &copied[i], KB_PAYLOAD_MAX);
        add(plan, options, KBS_PROBE_HOST_READ, &copied[i], KB_PAYLOAD_MAX);
    }
    for (size_t i = 0; i < MEMORIES; i++) {
        add(plan, options, KBS_PROBE_READ, &memories[i], UINT64_MAX);
        add(plan, options, KBS_PROBE_WRITE, &memories[i], UINT64_MAX);
    }
    for (size_t i = 0; i < RECEIVERS && i < options->machine->at.ipcq_max_queues; i++)
        add(plan, options, KBS_PROBE_SEND, &receivers[i],
            knows_streams ? UINT64_MAX : options->machine->at.ipcq_slot_bytes);
    add_groups(plan, KBS_PROBE_BARRIER);
    add_groups(plan, KBS_PROBE_LAUNCH);
    add_groups(plan, KBS_PROBE_ROUND);
    return KB_OK;
}
