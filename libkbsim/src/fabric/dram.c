/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of banks, one access after another; see dram.h. Knows no packet and no link. */
#include "fabric/dram.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "fabric/fabric.h"

enum { NEVER = -1 };

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static uint32_t bits_of(uint64_t power_of_two) {
    return (uint32_t)__builtin_ctzll(power_of_two);
}

static void find_intervals(kbs_dram_kind *kind, const kbs_machine *machine, int64_t cycle_ps) {
    const int64_t written_ps = kind->latency_ps[KBS_DRAM_WRITE] + kind->burst_ps;
#define CYCLES(name) ((int64_t)machine->at.hbm3_##name##_cycles * cycle_ps)
    kind->rcd_ps[KBS_DRAM_READ] = CYCLES(rcdrd);
    kind->rcd_ps[KBS_DRAM_WRITE] = CYCLES(rcdwr);
    kind->precharge_ps[KBS_DRAM_READ] = CYCLES(rtp);
    kind->precharge_ps[KBS_DRAM_WRITE] = written_ps + CYCLES(wr);
    kind->rp_ps = CYCLES(rp);
    kind->ras_ps = CYCLES(ras);
    kind->rc_ps = CYCLES(rc);
    kind->rrds_ps = CYCLES(rrds);
    kind->rrdl_ps = CYCLES(rrdl);
    kind->faw_ps = CYCLES(faw);
    for (unsigned way = 0; way < KBS_DRAM_WAYS; way++) {
        kind->ccd_ps[way][way] = CYCLES(ccds);
        kind->ccd_group_ps[way][way] = CYCLES(ccdl);
    }
    kind->ccd_ps[KBS_DRAM_READ][KBS_DRAM_WRITE] = CYCLES(rtw);
    kind->ccd_group_ps[KBS_DRAM_READ][KBS_DRAM_WRITE] = CYCLES(rtw);
    kind->ccd_ps[KBS_DRAM_WRITE][KBS_DRAM_READ] = written_ps + CYCLES(wtrs);
    kind->ccd_group_ps[KBS_DRAM_WRITE][KBS_DRAM_READ] = written_ps + CYCLES(wtrl);
#undef CYCLES
}

void kbs_dram_kind_init(kbs_dram_kind *kind, const kbs_machine *machine) {
    const int64_t cycle_ps = kbs_ps_of_ns(machine->at.hbm3_tck_ns);
    const uint32_t group_bits = bits_of(machine->at.hbm3_bank_groups);
    *kind = (kbs_dram_kind){
        .banks = (uint32_t)machine->at.hbm3_banks,
        .groups = (uint32_t)machine->at.hbm3_bank_groups,
        .group_bits = group_bits,
        .in_group_bits = bits_of(machine->at.hbm3_banks) - group_bits,
        .access_bits = bits_of(machine->at.hbm_access_bytes),
        .stripe_bits = bits_of(machine->at.hbm3_group_bytes),
        .row_bits = bits_of(machine->at.hbm3_row_bytes),
        .window = (uint32_t)machine->at.hbm3_window,
        .burst_ps = (int64_t)machine->at.hbm3_burst_cycles * cycle_ps,
        .latency_ps = {(int64_t)machine->at.hbm3_cl_cycles * cycle_ps,
                       (int64_t)machine->at.hbm3_cwl_cycles * cycle_ps},
        .refi_ps = kbs_ps_of_ns(machine->at.hbm3_refi_ns),
        .rfc_ps = kbs_ps_of_ns(machine->at.hbm3_rfcpb_ns),
        .postponed = (int64_t)machine->at.hbm3_postponed,
    };
    find_intervals(kind, machine, cycle_ps);
}

kb_status kbs_dram_create(const kbs_dram_kind *kind, uint32_t channels, kb_arena *arena,
                          kbs_dram_channel **ret, kb_trail *trail) {
    void *memory, *banks, *groups;
    KB_TRY(kb_arena_new(arena, channels * sizeof(kbs_dram_channel), &memory, trail));
    KB_TRY(kb_arena_new(arena, (size_t)channels * kind->banks * sizeof(kbs_dram_bank), &banks, trail));
    KB_TRY(kb_arena_new(arena, (size_t)channels * kind->groups * sizeof(kbs_dram_group), &groups, trail));
    kbs_dram_channel *channel = memory;
    for (uint32_t i = 0; i < channels; i++) {
        channel[i].banks = (kbs_dram_bank *)banks + (size_t)i * kind->banks;
        channel[i].groups = (kbs_dram_group *)groups + (size_t)i * kind->groups;
    }
    *ret = channel;
    return KB_OK;
}

/* From below: bytes of a stripe, groups, stripes of a row, banks of a group, rows. */
void kbs_dram_find(const kbs_dram_kind *kind, uint64_t offset_bytes, kbs_dram_access *ret) {
    const uint64_t group = offset_bytes >> kind->stripe_bits & (kind->groups - 1);
    const uint64_t rows = offset_bytes >> (kind->row_bits + kind->group_bits);
    const uint64_t in_group = rows & ((UINT64_C(1) << kind->in_group_bits) - 1);
    ret->bank = (uint32_t)(in_group << kind->group_bits | group);
    ret->row = rows >> kind->in_group_bits;
}

/* --- one access ------------------------------------------------------------------------------ */

static void tell(const kbs_dram_kind *kind, kbs_dram_word word, const kbs_dram_pass *pass,
                 const kbs_dram_access *access, uint64_t count, int64_t time_ps) {
    const kbs_dram_command command = {word, pass->way, access->bank, access->row, count, time_ps};
    kind->watch(kind->watch_context, &command);
}

/* The banks of a channel fall due one after another, evenly over an interval. */
static int64_t due_ps(const kbs_dram_kind *kind, uint32_t index, const kbs_dram_bank *bank) {
    const int64_t first_ps = kind->refi_ps / kind->banks * (index + 1);
    return first_ps + (int64_t)bank->refreshes * kind->refi_ps;
}

/* A bank's refresh: when its row is closed, NEVER where none is open, and when it begins. */
typedef struct rest {
    int64_t close_ps, begin_ps;
    uint64_t count; /* it, and those that follow while the bank is idle */
} rest;

/*
 * The bank's next refresh, and those after it that fall due before an access comes and the bank is wanted:
 * each of these goes when it is due.
 */
static rest refresh(const kbs_dram_pass *pass, uint32_t index, kbs_dram_bank *bank) {
    const kbs_dram_kind *kind = pass->kind;
    const int64_t due = due_ps(kind, index, bank), next_ps = due + kind->refi_ps;
    rest found = {NEVER, later(due, bank->activate_ps), 1};
    if (bank->row != 0) {
        found.close_ps = later(due, bank->precharge_ps);
        found.begin_ps = later(found.begin_ps, found.close_ps + kind->rp_ps);
    }
    bank->row = 0;
    bank->activate_ps = found.begin_ps + kind->rfc_ps;
    if (bank->activate_ps <= next_ps && pass->from_ps - next_ps >= kind->refi_ps)
        found.count += (uint64_t)((pass->from_ps - next_ps) / kind->refi_ps);
    bank->refreshes += found.count;
    return found;
}

/* When an access's commands go if it is the next. */
typedef struct plan {
    kbs_dram_bank bank;   /* as it is found, after its refreshes */
    int64_t precharge_ps; /* NEVER where no row is closed */
    int64_t activate_ps;  /* NEVER where its row is open */
    int64_t free_ps;      /* when its column command would go if its row had been open */
    int64_t column_ps;
} plan;

static void plan_commands(const kbs_dram_pass *pass, const kbs_dram_access *access, plan *of) {
    const kbs_dram_kind *kind = pass->kind;
    const kbs_dram_channel *channel = pass->channel;
    const kbs_dram_group *group = &channel->groups[access->bank & (kind->groups - 1)];
    int64_t opened_ps = of->bank.activated_ps;
    of->precharge_ps = of->activate_ps = NEVER;
    if (of->bank.row != access->row + 1) {
        of->activate_ps = later(later(pass->from_ps, channel->activations_ps[channel->turn]),
                                later(channel->any.activate_ps, group->activate_ps));
        of->activate_ps = later(of->activate_ps, of->bank.activate_ps);
        if (of->bank.row != 0) {
            of->precharge_ps = later(pass->from_ps, of->bank.precharge_ps);
            of->activate_ps = later(of->activate_ps, of->precharge_ps + kind->rp_ps);
        }
        opened_ps = of->activate_ps;
    }
    of->column_ps = later(of->free_ps, opened_ps + kind->rcd_ps[pass->way]);
}

/* Whether a refresh goes before the access that it would keep waiting. */
static bool goes_first(const kbs_dram_pass *pass, int64_t due, const rest *r, const plan *without) {
    const kbs_dram_kind *kind = pass->kind;
    const int64_t first_ps = without->activate_ps != NEVER ? without->activate_ps : without->column_ps;
    const bool is_begun = (r->close_ps != NEVER ? r->close_ps : r->begin_ps) < pass->from_ps;
    return is_begun || due + kind->postponed * kind->refi_ps <= first_ps;
}

static void plan_access(const kbs_dram_pass *pass, const kbs_dram_access *access, bool telling, plan *ret) {
    const kbs_dram_kind *kind = pass->kind;
    const kbs_dram_channel *channel = pass->channel;
    const kbs_dram_group *group = &channel->groups[access->bank & (kind->groups - 1)];
    ret->bank = channel->banks[access->bank];
    ret->free_ps = later(later(access->ready_ps, channel->data_ps - kind->latency_ps[pass->way]),
                         later(channel->any.column_ps[pass->way], group->column_ps[pass->way]));
    plan_commands(pass, access, ret);
    while (kind->refi_ps != 0) {
        const int64_t due = due_ps(kind, access->bank, &ret->bank);
        if (due > ret->column_ps)
            return;
        plan after = *ret;
        const rest r = refresh(pass, access->bank, &after.bank);
        plan_commands(pass, access, &after);
        if (after.column_ps > ret->column_ps && !goes_first(pass, due, &r, ret))
            return;
        if (telling && r.close_ps != NEVER)
            tell(kind, KBS_DRAM_PRECHARGE, pass, access, 1, r.close_ps);
        if (telling)
            tell(kind, KBS_DRAM_REFRESH, pass, access, r.count, r.begin_ps);
        *ret = after;
    }
}

static void tell_all(const kbs_dram_pass *pass, const kbs_dram_access *access) {
    plan found;
    plan_access(pass, access, true, &found);
    if (found.precharge_ps != NEVER)
        tell(pass->kind, KBS_DRAM_PRECHARGE, pass, access, 1, found.precharge_ps);
    if (found.activate_ps != NEVER)
        tell(pass->kind, KBS_DRAM_ACTIVATE, pass, access, 1, found.activate_ps);
    tell(pass->kind, KBS_DRAM_COLUMN, pass, access, 1, found.column_ps);
}

static void activate(const kbs_dram_pass *pass, const kbs_dram_access *access, kbs_dram_bank *bank,
                     int64_t time_ps) {
    const kbs_dram_kind *kind = pass->kind;
    kbs_dram_channel *channel = pass->channel;
    bank->row = access->row + 1;
    bank->activated_ps = time_ps;
    bank->activate_ps = time_ps + kind->rc_ps;
    bank->precharge_ps = time_ps + kind->ras_ps;
    channel->any.activate_ps = time_ps + kind->rrds_ps;
    channel->groups[access->bank & (kind->groups - 1)].activate_ps = time_ps + kind->rrdl_ps;
    channel->activations_ps[channel->turn] = time_ps + kind->faw_ps;
    channel->turn = (channel->turn + 1) % KBS_DRAM_ACTIVATIONS;
}

static void decide(kbs_dram_pass *pass, const kbs_dram_access *access, const plan *chosen) {
    const kbs_dram_kind *kind = pass->kind;
    kbs_dram_channel *channel = pass->channel;
    const unsigned way = pass->way;
    if (kind->watch != NULL)
        tell_all(pass, access);
    kbs_dram_bank *bank = &channel->banks[access->bank];
    kbs_dram_group *group = &channel->groups[access->bank & (kind->groups - 1)];
    *bank = chosen->bank;
    if (chosen->activate_ps != NEVER)
        activate(pass, access, bank, chosen->activate_ps);
    bank->precharge_ps = later(bank->precharge_ps, chosen->column_ps + kind->precharge_ps[way]);
    for (unsigned next = 0; next < KBS_DRAM_WAYS; next++) {
        channel->any.column_ps[next] =
            later(channel->any.column_ps[next], chosen->column_ps + kind->ccd_ps[way][next]);
        group->column_ps[next] =
            later(group->column_ps[next], chosen->column_ps + kind->ccd_group_ps[way][next]);
    }
    channel->data_ps = chosen->column_ps + kind->latency_ps[way] + kind->burst_ps;
    pass->stall_ps += chosen->column_ps - chosen->free_ps;
    const int64_t needed_ps = channel->data_ps - access->lead_ps;
    if (needed_ps > pass->latest_ps) {
        pass->latest_ps = needed_ps;
        pass->bank_ps = pass->stall_ps;
    }
}

/* --- the window ------------------------------------------------------------------------------ */

/* From when on the bus takes a column command, as far as the channel knows. */
static int64_t bus_of(const kbs_dram_pass *pass) {
    const kbs_dram_channel *channel = pass->channel;
    return later(channel->any.column_ps[pass->way], channel->data_ps - pass->kind->latency_ps[pass->way]);
}

void kbs_dram_begin(kbs_dram_pass *pass, const kbs_dram_kind *kind, kbs_dram_channel *channel, uint32_t way,
                    int64_t from_ps) {
    pass->kind = kind;
    pass->channel = channel;
    pass->way = way;
    pass->from_ps = from_ps;
    pass->busy_ps = bus_of(pass);
    pass->latest_ps = pass->bank_ps = pass->stall_ps = 0;
    pass->count = 0;
}

static void serve_first(kbs_dram_pass *pass) {
    const int64_t bus_ps = bus_of(pass);
    plan best, next;
    uint32_t chosen = 0;
    plan_access(pass, &pass->window[0], false, &best);
    /* None that is behind goes before the bus is free, or before this one is ready. */
    for (uint32_t i = 1; i < pass->count && best.column_ps > later(bus_ps, pass->window[i].ready_ps); i++) {
        plan_access(pass, &pass->window[i], false, &next);
        if (next.column_ps < best.column_ps) {
            best = next;
            chosen = i;
        }
    }
    decide(pass, &pass->window[chosen], &best);
    pass->count--;
    memmove(&pass->window[chosen], &pass->window[chosen + 1], (pass->count - chosen) * sizeof *pass->window);
}

void kbs_dram_add(kbs_dram_pass *pass, const kbs_dram_access *access) {
    assert(pass->count == 0 || access->ready_ps >= pass->window[pass->count - 1].ready_ps);
    if (pass->count == pass->kind->window)
        serve_first(pass);
    pass->window[pass->count++] = *access;
}

void kbs_dram_finish(kbs_dram_pass *pass) {
    while (pass->count > 0)
        serve_first(pass);
}
