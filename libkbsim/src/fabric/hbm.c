/* SPDX-License-Identifier: Apache-2.0 */
/* Bursts, channels and the accesses of banks; see hbm.h. Knows no op and no route. */
#include "fabric/hbm.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "fabric/fabric.h"

static uint32_t bits_of(uint64_t power_of_two) {
    return (uint32_t)__builtin_ctzll(power_of_two);
}

static int64_t time_of(const kbs_hbm_kind *kind, uint64_t bytes) {
    return (int64_t)((bytes * UINT64_C(1000000000000) + kind->bytes_per_s - 1) / kind->bytes_per_s);
}

void kbs_hbm_kind_init(kbs_hbm_kind *kind, const kbs_machine *machine) {
    *kind = (kbs_hbm_kind){
        .channels = (uint32_t)machine->at.hbm_channels_per_pe,
        .channel_bits = bits_of(machine->at.hbm_channels_per_pe),
        .burst_bits = bits_of(machine->at.hbm_burst_bytes),
        .access_bits = bits_of(machine->at.hbm_access_bytes),
        .is_hashed = machine->at.hbm_channel_hash == KBS_HASH_XOR,
        .bytes_per_s = kbs_rate_of_gbps(machine->at.hbm_channel_gbps),
        .commit_ps = kbs_ps_of_ns(machine->at.hbm_commit_ns),
        .read_latency_ps = kbs_ps_of_ns(machine->at.hbm_read_latency_ns),
        .write_latency_ps = kbs_ps_of_ns(machine->at.hbm_write_latency_ns),
    };
    kind->burst_ps = time_of(kind, machine->at.hbm_burst_bytes);
    kind->has_banks = machine->at.hbm_timing == KBS_TIMING_HBM3;
    kbs_dram_kind_init(&kind->dram, machine);
    if (kind->has_banks) {
        kind->read_latency_ps = kind->dram.latency_ps[KBS_DRAM_READ];
        kind->write_latency_ps = kind->dram.latency_ps[KBS_DRAM_WRITE];
    }
}

kb_status kbs_hbm_create(const kbs_hbm_kind *kind, kb_arena *arena, kbs_hbm **ret, kb_trail *trail) {
    void *memory;
    KB_TRY(kb_arena_new(arena, sizeof(kbs_hbm) + kind->channels * sizeof(kbs_hbm_channel), &memory, trail));
    kbs_hbm *hbm = memory;
    hbm->kind = kind;
    if (kind->has_banks)
        KB_TRY(kbs_dram_create(&kind->dram, kind->channels, arena, &hbm->dram, trail));
    *ret = hbm;
    return KB_OK;
}

uint32_t kbs_hbm_channel_of(const kbs_hbm_kind *kind, uint64_t offset_bytes) {
    const uint64_t block = offset_bytes >> kind->burst_bits;
    const uint32_t mask = kind->channels - 1;
    if (!kind->is_hashed || mask == 0)
        return (uint32_t)block & mask;
    uint32_t folded = 0;
    for (uint64_t rest = block; rest != 0; rest >>= kind->channel_bits)
        folded ^= (uint32_t)rest;
    return folded & mask;
}

/* --- reads whose requests have come ------------------------------------------------------------ */

static void serve_all(kbs_engine *engine, kbs_hbm *hbm) {
    while (hbm->asking != NULL) {
        kbs_packet *packet = hbm->asking;
        hbm->asking = packet->next;
        hbm->serve(engine, hbm, packet);
    }
}

static void fire_turn(kbs_engine *engine, kbs_event *event) {
    kbs_hbm *hbm = (kbs_hbm *)(void *)((char *)event - offsetof(kbs_hbm, turn));
    hbm->is_due = false;
    serve_all(engine, hbm);
}

void kbs_hbm_ask(kbs_engine *engine, kbs_hbm *hbm, kbs_packet *packet, kbs_hbm_serve serve) {
    packet->ready_ps = engine->now_ps;
    packet->who = packet->train->who;
    kbs_packet **place = &hbm->asking;
    while (*place != NULL && kbs_packet_comes_before(*place, packet))
        place = &(*place)->next;
    packet->next = *place;
    *place = packet;
    hbm->serve = serve;
    hbm->turn.fire = fire_turn;
    if (!hbm->is_due)
        kbs_engine_at_end(engine, &hbm->turn);
    hbm->is_due = true;
}

/* --- bursts ------------------------------------------------------------------------------------ */

/* One burst of a part: its bytes from `first` to before `end`, as positions in the part. */
typedef struct burst {
    uint64_t first, end, offset_bytes;
    uint32_t channel;
    int64_t took_ps;
} burst;

typedef struct bursts {
    const kbs_hbm_kind *kind;
    const kbs_part *part;
    uint64_t at;   /* the next byte of the part */
    kbs_span span; /* that lies here */
} bursts;

static bool next_burst(bursts *it, burst *ret) {
    const kbs_hbm_kind *kind = it->kind;
    if (it->at == it->part->bytes)
        return false;
    if (it->span.size_bytes == 0)
        it->span = kbs_runs_at(it->part->runs, it->part->first_byte + it->at);
    const uint64_t offset = it->span.offset_bytes, block = UINT64_C(1) << kind->burst_bits;
    uint64_t size = block - (offset & (block - 1));
    size = size < it->span.size_bytes ? size : it->span.size_bytes;
    const uint64_t left = it->part->bytes - it->at;
    size = size < left ? size : left;
    const uint64_t low = offset >> kind->access_bits, high = (offset + size - 1) >> kind->access_bits;
    const uint64_t touched_bytes = (high - low + 1) << kind->access_bits;
    *ret = (burst){.first = it->at,
                   .end = it->at + size,
                   .offset_bytes = offset,
                   .channel = kbs_hbm_channel_of(kind, offset),
                   .took_ps = touched_bytes == block ? kind->burst_ps : time_of(kind, touched_bytes)};
    it->at += size;
    it->span.offset_bytes += size;
    it->span.size_bytes -= size;
    return true;
}

/* The burst takes its channel as soon after ready_ps as that is free; returns when it begins. */
static int64_t reserve(kbs_hbm *hbm, const burst *b, int64_t ready_ps, kbs_who who, kbs_who *ret_holder) {
    kbs_hbm_channel *channel = &hbm->channels[b->channel];
    const int64_t begin_ps = ready_ps > channel->free_ps ? ready_ps : channel->free_ps;
    *ret_holder = channel->holder;
    channel->free_ps = begin_ps + b->took_ps;
    channel->holder = who;
    return begin_ps;
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Of `all_ps` that the deciding burst cost, what it did not serve was spent waiting for its channel. */
static kbs_service service_of(const burst *b, int64_t all_ps, kbs_who holder) {
    const int64_t burst_ps = sooner(b->took_ps, all_ps);
    return (kbs_service){all_ps - burst_ps, 0, burst_ps, b->channel, holder};
}

static int64_t arrival_of(const kbs_slope *slopes, uint32_t count, uint64_t flit) {
    int64_t latest_ps = 0;
    for (uint32_t i = 0; i < count; i++) {
        const int64_t end_ps = slopes[i].base_ps + (int64_t)(flit + 1) * slopes[i].flit_ps;
        latest_ps = end_ps > latest_ps ? end_ps : latest_ps;
    }
    return latest_ps;
}

/* --- accesses of banks ------------------------------------------------------------------------- */

/* When a packet's flits are wanted, of a read, or come, of a write. */
typedef struct flow {
    uint32_t way;   /* KBS_DRAM_READ, _WRITE */
    int64_t now_ps; /* of a read, whose flits leave by flit_ps */
    int64_t flit_ps;
    const kbs_slope *slopes; /* of a write, and its last flit comes at tail_ps */
    uint32_t slope_count;
    int64_t tail_ps;
} flow;

static int64_t arrival_in(const flow *f, const kbs_part *part, uint64_t byte) {
    const uint64_t flit = byte / part->flit_bytes;
    const bool is_last = flit == (part->bytes - 1) / part->flit_bytes;
    return is_last ? f->tail_ps : arrival_of(f->slopes, f->slope_count, flit);
}

static void add_accesses(kbs_dram_pass *pass, const kbs_hbm_kind *kind, const kbs_part *part, const burst *b,
                         const flow *f) {
    const uint64_t in_block = b->offset_bytes & ((UINT64_C(1) << kind->burst_bits) - 1);
    const uint64_t block = b->offset_bytes >> (kind->burst_bits + kind->channel_bits);
    const uint64_t offset = block << kind->burst_bits | in_block; /* in the channel */
    for (uint64_t at = b->first, end; at < b->end; at = end) {
        kbs_dram_access access = {.ready_ps = f->now_ps};
        const uint64_t byte = offset + (at - b->first);
        end = at + (UINT64_C(1) << kind->access_bits) - (byte & ((UINT64_C(1) << kind->access_bits) - 1));
        end = end < b->end ? end : b->end;
        kbs_dram_find(&kind->dram, byte, &access);
        if (f->way == KBS_DRAM_WRITE)
            access.ready_ps = arrival_in(f, part, end - 1);
        else
            access.lead_ps = (int64_t)(at / part->flit_bytes) * f->flit_ps;
        kbs_dram_add(pass, &access);
    }
}

/* What others had decided comes first, then what the bus waited for rows; the rest are the packet's own. */
static kbs_service banks_service(const kbs_dram_pass *pass, int64_t since_ps, uint32_t channel,
                                 kbs_who holder) {
    const int64_t all_ps = pass->latest_ps - pass->kind->latency_ps[pass->way] - since_ps;
    const int64_t most_ps = all_ps > pass->kind->burst_ps ? all_ps - pass->kind->burst_ps : 0;
    const int64_t busy_ps = pass->busy_ps > since_ps ? pass->busy_ps - since_ps : 0;
    const int64_t channel_ps = sooner(busy_ps, most_ps);
    const int64_t bank_ps = sooner(pass->bank_ps, most_ps - channel_ps);
    return (kbs_service){channel_ps, bank_ps, all_ps - channel_ps - bank_ps, channel, holder};
}

/* Serves a packet channel by channel, of which none knows of another: returns when its data are there. */
static int64_t serve_banks(kbs_hbm *hbm, const kbs_part *part, const flow *f, kbs_service *ret_service) {
    const kbs_hbm_kind *kind = hbm->kind;
    const int64_t since_ps = f->way == KBS_DRAM_WRITE ? f->tail_ps : f->now_ps;
    const int64_t from_ps = f->way == KBS_DRAM_WRITE ? arrival_in(f, part, 0) : f->now_ps;
    uint64_t touched = 0;
    int64_t latest_ps = 0;
    bursts all = {.kind = kind, .part = part};
    for (burst b; next_burst(&all, &b);)
        touched |= UINT64_C(1) << b.channel;
    for (; touched != 0; touched &= touched - 1) {
        const uint32_t channel = (uint32_t)__builtin_ctzll(touched);
        kbs_dram_pass pass;
        kbs_dram_begin(&pass, &kind->dram, &hbm->dram[channel], f->way, from_ps);
        bursts it = {.kind = kind, .part = part};
        for (burst b; next_burst(&it, &b);)
            if (b.channel == channel)
                add_accesses(&pass, kind, part, &b, f);
        kbs_dram_finish(&pass);
        if (pass.latest_ps > latest_ps) {
            latest_ps = pass.latest_ps;
            *ret_service = banks_service(&pass, since_ps, channel, hbm->channels[channel].holder);
        }
        hbm->channels[channel].holder = part->who;
    }
    return latest_ps;
}

int64_t kbs_hbm_read(kbs_hbm *hbm, const kbs_part *part, int64_t now_ps, int64_t flit_ps,
                     kbs_service *ret_service) {
    if (hbm->dram != NULL)
        return serve_banks(hbm, part, &(flow){.way = KBS_DRAM_READ, .now_ps = now_ps, .flit_ps = flit_ps},
                           ret_service);
    bursts it = {.kind = hbm->kind, .part = part};
    int64_t head_ps = 0;
    for (burst b; next_burst(&it, &b);) {
        kbs_who holder;
        const int64_t end_ps = reserve(hbm, &b, now_ps, part->who, &holder) + b.took_ps;
        const int64_t needed_ps = end_ps - (int64_t)(b.first / part->flit_bytes) * flit_ps;
        if (needed_ps > head_ps) {
            head_ps = needed_ps;
            *ret_service = service_of(&b, head_ps - now_ps, holder);
        }
    }
    return head_ps + hbm->kind->read_latency_ps;
}

int64_t kbs_hbm_write(kbs_engine *engine, kbs_hbm *hbm, const kbs_part *part, const kbs_slope *slopes,
                      uint32_t slope_count, int64_t tail_ps, kbs_service *ret_service) {
    serve_all(engine, hbm);
    if (hbm->dram != NULL) {
        const flow f = {KBS_DRAM_WRITE, 0, 0, slopes, slope_count, tail_ps};
        return serve_banks(hbm, part, &f, ret_service);
    }
    bursts it = {.kind = hbm->kind, .part = part};
    const uint64_t last_flit = (part->bytes - 1) / part->flit_bytes;
    int64_t written_ps = 0;
    for (burst b; next_burst(&it, &b);) {
        kbs_who holder;
        const uint64_t flit = (b.end - 1) / part->flit_bytes;
        const int64_t come_ps = flit == last_flit ? tail_ps : arrival_of(slopes, slope_count, flit);
        b.took_ps = b.took_ps > hbm->kind->commit_ps ? b.took_ps : hbm->kind->commit_ps;
        const int64_t end_ps = reserve(hbm, &b, come_ps, part->who, &holder) + b.took_ps;
        if (end_ps > written_ps) {
            written_ps = end_ps;
            *ret_service = service_of(&b, written_ps - tail_ps, holder);
        }
    }
    return written_ps + hbm->kind->write_latency_ps;
}
