/* SPDX-License-Identifier: Apache-2.0 */
/* Closed forms of single transfers; see form.h. Knows ways as stretches, whatever they lead through. */
#include "probe/form.h"

#include <assert.h>
#include <string.h>

#include "kbtrace/words.h"
#include "probe/form_way.h"

/* --- packets --------------------------------------------------------------------------------- */

static int64_t time_on(const kbs_form_way *w, int64_t flit_ps, uint64_t bytes) {
    const int64_t flit = (int64_t)w->machine->at.fabric_flit_bytes, whole = (int64_t)(bytes - 1) / flit;
    return whole * flit_ps + (flit_ps * ((int64_t)bytes - whole * flit) + flit - 1) / flit;
}

/* What so many bytes take at the narrowest link. */
static int64_t slowest_ps(const kbs_form_way *w, uint64_t bytes) {
    int64_t slowest = 0;
    for (uint32_t i = 0; i < w->count && bytes > 0; i++)
        slowest = kbs_form_later(slowest, time_on(w, w->of[i].flit_ps, bytes));
    return slowest;
}

/* A packet whose head is ready at ready_ps; returns when its tail has left the last link and come. */
static int64_t send_packet(kbs_form_way *w, uint64_t bytes, int64_t ready_ps, int64_t *ret_sent_ps) {
    int64_t tail_ps = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        kbs_form_stretch *s = &w->of[i];
        s->start_ps = kbs_form_later(ready_ps, s->free_ps);
        s->free_ps = kbs_form_later(s->start_ps + time_on(w, s->flit_ps, bytes), tail_ps);
        if (i == 0)
            *ret_sent_ps = s->free_ps;
        ready_ps = s->start_ps + s->latency_ps;
        tail_ps = s->free_ps + s->latency_ps;
    }
    return tail_ps;
}

/* --- HBM ------------------------------------------------------------------------------------- */

enum { CHANNELS = 64 };

typedef struct slice {
    const kbs_machine *machine;
    int64_t free_ps[CHANNELS];
} slice;

static uint32_t channel_of(const kbs_machine *machine, uint64_t block) {
    const uint64_t channels = machine->at.hbm_channels_per_pe;
    uint64_t channel = block % channels;
    if (machine->at.hbm_channel_hash == KBS_HASH_XOR && channels > 1)
        for (block /= channels; block > 0; block /= channels)
            channel ^= block % channels;
    return (uint32_t)channel;
}

/* The block that holds byte `at`, up to `end`: its channel, and the time of the accesses that it touches. */
typedef struct burst {
    uint64_t end;
    int64_t took_ps, *free_ps;
} burst;

static burst burst_at(slice *s, uint64_t at, uint64_t end) {
    const kbs_machine *m = s->machine;
    const uint64_t block = at / m->at.hbm_burst_bytes, size = m->at.hbm_access_bytes;
    const uint64_t stop =
        (block + 1) * m->at.hbm_burst_bytes < end ? (block + 1) * m->at.hbm_burst_bytes : end;
    const uint64_t accesses = (stop - 1) / size - at / size + 1;
    return (burst){stop, kbs_form_ps_at(accesses * size, m->at.hbm_channel_gbps),
                   &s->free_ps[channel_of(m, block)]};
}

/* When a packet's head may leave, so that every flit finds its bytes; its request came at come_ps. */
static int64_t read_slice(slice *s, uint64_t at, uint64_t bytes, int64_t come_ps, int64_t flit_ps) {
    const uint64_t first = at, end = at + bytes, flit_bytes = s->machine->at.fabric_flit_bytes;
    int64_t head_ps = 0;
    while (at < end) {
        const burst b = burst_at(s, at, end);
        *b.free_ps = kbs_form_later(*b.free_ps, come_ps) + b.took_ps;
        head_ps = kbs_form_later(head_ps, *b.free_ps - (int64_t)((at - first) / flit_bytes) * flit_ps);
        at = b.end;
    }
    return head_ps + kbs_form_ps(s->machine->at.hbm_read_latency_ns);
}

/* When a flit of the packet that was sent last has come. */
static int64_t come_ps(const kbs_form_way *w, uint64_t flit, uint64_t last_flit, int64_t tail_ps) {
    int64_t come = 0, left_ps = w->latency_ps;
    if (flit == last_flit)
        return tail_ps;
    for (uint32_t i = 0; i < w->count; i++) {
        come = kbs_form_later(come, w->of[i].start_ps + (int64_t)(flit + 1) * w->of[i].flit_ps + left_ps);
        left_ps -= w->of[i].latency_ps;
    }
    return come;
}

/* When the packet that was sent last is written. */
static int64_t write_slice(slice *s, const kbs_form_way *w, uint64_t at, uint64_t bytes, int64_t tail_ps) {
    const kbs_machine *m = s->machine;
    const uint64_t first = at, end = at + bytes, flit_bytes = m->at.fabric_flit_bytes;
    int64_t written_ps = 0;
    while (at < end) {
        const burst b = burst_at(s, at, end);
        const uint64_t flit = (b.end - first - 1) / flit_bytes;
        const int64_t ready_ps = come_ps(w, flit, (bytes - 1) / flit_bytes, tail_ps);
        *b.free_ps = kbs_form_later(*b.free_ps, ready_ps) +
                     kbs_form_later(b.took_ps, kbs_form_ps(m->at.hbm_commit_ns));
        written_ps = kbs_form_later(written_ps, *b.free_ps);
        at = b.end;
    }
    return written_ps + kbs_form_ps(m->at.hbm_write_latency_ns);
}

/* --- DMA ------------------------------------------------------------------------------------- */

typedef struct packet {
    int64_t ready_ps;
    uint64_t bytes;
} packet;

/* A transfer's packets; what is out of `waiting` is known to return. */
typedef struct flight {
    const kbs_machine *machine;
    kbs_form_way data;
    slice hbm;
    bool is_hbm;
    uint64_t offset_bytes, size_bytes, most; /* packets outstanding */
    uint64_t count, issued, returned, waits; /* packets in all, and how far they are */
    packet *waiting;                         /* [count], by ready_ps, from `waits` on */
    int64_t *returns;                        /* [count], rising */
    int64_t next_ps, back_ps, done_ps;
} flight;

static kb_status init_flight(flight *f, const kbs_machine *machine, kbs_form_place near, uint64_t size_bytes,
                             const kb_alloc *alloc, kb_trail *trail) {
    const uint64_t packet_bytes = machine->at.fabric_packet_bytes;
    const uint64_t before_ns =
        near.space == KB_SPACE_HOST ? machine->at.host_copy_ns : machine->at.pe_cpu_dispatch_ns;
    void *waiting, *returns;
    memset(f, 0, sizeof *f);
    f->machine = f->hbm.machine = machine;
    f->size_bytes = size_bytes;
    f->count = (size_bytes + packet_bytes - 1) / packet_bytes;
    f->next_ps = kbs_form_ps(before_ns) + kbs_form_ps(machine->at.dma_setup_ns);
    KB_TRY(kb_new(alloc, f->count * sizeof(packet), &waiting, trail));
    const kb_status status = kb_new(alloc, f->count * sizeof(int64_t), &returns, trail);
    if (status != KB_OK) {
        kb_delete(alloc, waiting, f->count * sizeof(packet));
        return status;
    }
    f->waiting = waiting;
    f->returns = returns;
    return KB_OK;
}

static void fini_flight(flight *f, const kb_alloc *alloc) {
    kb_delete(alloc, f->waiting, f->count * sizeof(packet));
    kb_delete(alloc, f->returns, f->count * sizeof(int64_t));
}

static uint64_t bytes_of(const flight *f, uint64_t number) {
    const uint64_t size = f->machine->at.fabric_packet_bytes, left = f->size_bytes - number * size;
    return left < size ? left : size;
}

/* When one more may go, as far as is known; false where that takes another's return. */
static bool find_room(const flight *f, int64_t *ret_ps) {
    *ret_ps = f->next_ps;
    if (f->issued < f->most)
        return true;
    if (f->issued - f->most >= f->returned)
        return false;
    *ret_ps = kbs_form_later(f->next_ps, f->returns[f->issued - f->most]);
    return true;
}

static void add_return(flight *f, int64_t visible_ps, int64_t acknowledge_ps) {
    uint64_t at = f->returned++;
    for (; at > 0 && f->returns[at - 1] > visible_ps + acknowledge_ps; at--)
        f->returns[at] = f->returns[at - 1];
    f->returns[at] = visible_ps + acknowledge_ps;
    f->done_ps = kbs_form_later(f->done_ps, visible_ps);
}

/* The next packet is asked for: in a slice its bursts are reserved, and what is ready sooner goes sooner. */
static void ask(flight *f, int64_t at_ps) {
    const uint64_t bytes = bytes_of(f, f->issued), at = f->issued * f->machine->at.fabric_packet_bytes;
    const int64_t flit_ps = f->data.of[0].flit_ps;
    packet p = {at_ps + f->back_ps, bytes};
    if (f->is_hbm)
        p.ready_ps = read_slice(&f->hbm, f->offset_bytes + at, bytes, p.ready_ps, flit_ps);
    uint64_t place = f->issued++;
    for (; place > f->waits && f->waiting[place - 1].ready_ps > p.ready_ps; place--)
        f->waiting[place] = f->waiting[place - 1];
    f->waiting[place] = p;
    f->next_ps = at_ps + time_on(&f->data, flit_ps, bytes);
}

kb_status kbs_form_read(const kbs_machine *machine, kbs_form_place near, kbs_form_place from,
                        uint64_t size_bytes, const kb_alloc *alloc, int64_t *ret_ps, kb_trail *trail) {
    flight f;
    kbs_form_way request;
    KB_TRY(init_flight(&f, machine, near, size_bytes, alloc, trail));
    f.most =
        near.space == KB_SPACE_HOST ? machine->at.m_cpu_reads_outstanding : machine->at.dma_reads_outstanding;
    kbs_form_find_way(&f.data, machine, from, near);
    kbs_form_find_way(&request, machine, near, from);
    f.back_ps = request.latency_ps;
    f.is_hbm = from.space == KB_SPACE_HBM;
    f.offset_bytes = from.offset_bytes;
    while (f.returned < f.count) {
        int64_t at_ps, sent_ps;
        if (f.issued < f.count && find_room(&f, &at_ps) &&
            (f.waits == f.issued || at_ps + f.back_ps < f.waiting[f.waits].ready_ps)) {
            ask(&f, at_ps); /* nobody who is known by now leaves before it has asked */
            continue;
        }
        const packet *first = &f.waiting[f.waits++];
        add_return(&f, send_packet(&f.data, first->bytes, first->ready_ps, &sent_ps), 0);
    }
    fini_flight(&f, alloc);
    *ret_ps = f.done_ps;
    return KB_OK;
}

kb_status kbs_form_write(const kbs_machine *machine, kbs_form_place near, kbs_form_place to,
                         uint64_t size_bytes, const kb_alloc *alloc, int64_t *ret_ps, kb_trail *trail) {
    flight f;
    kbs_form_way acknowledgement;
    KB_TRY(init_flight(&f, machine, near, size_bytes, alloc, trail));
    f.most = near.space == KB_SPACE_HOST ? machine->at.m_cpu_writes_outstanding
                                         : machine->at.dma_writes_outstanding;
    kbs_form_find_way(&f.data, machine, near, to);
    kbs_form_find_way(&acknowledgement, machine, to, near);
    for (; f.issued < f.count; f.issued++) {
        const uint64_t bytes = bytes_of(&f, f.issued);
        int64_t at_ps;
        const bool known = find_room(&f, &at_ps);
        assert(known); /* all before it have been sent */
        (void)known;
        int64_t visible_ps = send_packet(&f.data, bytes, at_ps, &f.next_ps);
        if (to.space == KB_SPACE_HBM)
            visible_ps =
                write_slice(&f.hbm, &f.data, to.offset_bytes + f.issued * machine->at.fabric_packet_bytes,
                            bytes, visible_ps);
        add_return(&f, visible_ps, acknowledgement.latency_ps);
    }
    fini_flight(&f, alloc);
    *ret_ps = f.done_ps;
    return KB_OK;
}

/* --- queues ---------------------------------------------------------------------------------- */

/* A train whose packets follow one another when they are sent; returns when the last one is there. */
static int64_t send_train(kbs_form_way *w, uint64_t bytes, int64_t at_ps, int64_t *ret_sent_ps) {
    const uint64_t most = w->machine->at.fabric_packet_bytes;
    int64_t there_ps = at_ps;
    *ret_sent_ps = at_ps;
    for (uint64_t left = bytes; left > 0; left -= left < most ? left : most)
        there_ps = send_packet(w, left < most ? left : most, *ret_sent_ps, ret_sent_ps);
    return there_ps;
}

/* What a slot's access takes, for the packets that settle in it and for an engine that reads it. */
static int64_t access_ps(const kbs_machine *m, uint64_t bytes) {
    if (m->at.ipcq_ring == KBS_RING_TCM)
        return kbs_form_ps(m->at.ipcq_tcm_ns) + kbs_form_ps_at(bytes, m->at.ipcq_tcm_gbps);
    if (m->at.ipcq_ring == KBS_RING_SRAM)
        return kbs_form_ps(m->at.ipcq_sram_ns) + kbs_form_ps_at(bytes, m->at.ipcq_sram_gbps);
    return kbs_form_ps(m->at.ipcq_hbm_ns) + kbs_form_ps_at(bytes, m->at.ipcq_hbm_gbps);
}

/* MATH reads the slot and writes as many bytes to the TCM, a lane a byte. */
static int64_t use_ps(const kbs_machine *m, uint64_t bytes) {
    const int64_t cycle_ps = (int64_t)((1000 * KBS_MILLION + m->at.clock_ghz - 1) / m->at.clock_ghz);
    const uint64_t cycles = (bytes + m->at.math_bytes_per_cycle - 1) / m->at.math_bytes_per_cycle;
    const int64_t read_ps =
        m->at.ipcq_ring == KBS_RING_TCM ? kbs_form_ps_at(bytes, m->at.tcm_read_gbps) : access_ps(m, bytes);
    return kbs_form_later(kbs_form_later((int64_t)cycles * cycle_ps, read_ps),
                          kbs_form_ps_at(bytes, m->at.tcm_write_gbps));
}

/* Who has looked since looks_ps for what is there at there_ps finds it then, or at the next look. */
static int64_t found_ps(const kbs_machine *m, int64_t looks_ps, int64_t there_ps) {
    const int64_t interval_ps = kbs_form_ps(m->at.ipcq_poll_ns);
    if (there_ps <= looks_ps)
        return looks_ps;
    if (m->at.ipcq_backpressure != KBS_PRESSURE_POLL)
        return there_ps;
    return looks_ps + (there_ps - looks_ps + interval_ps - 1) / interval_ps * interval_ps;
}

/* When the credit of a slot that is released at at_ps is there. */
static int64_t credit_ps(kbs_form_way *back, int64_t at_ps) {
    const uint64_t bytes = back->machine->at.ipcq_credit_bytes;
    int64_t sent_ps;
    if (back->machine->at.ipcq_credit_path == KBS_CREDIT_VC && bytes > 0)
        return send_train(back, bytes, at_ps, &sent_ps);
    return at_ps + back->latency_ps + slowest_ps(back, bytes);
}

static kbs_form_place ring_of(const kbs_machine *m, uint32_t pe) {
    static const uint32_t spaces[] = {
        [KBS_RING_TCM] = KB_SPACE_TCM, [KBS_RING_SRAM] = KB_SPACE_SRAM, [KBS_RING_HBM] = KB_SPACE_HBM};
    return (kbs_form_place){spaces[m->at.ipcq_ring], pe, 0};
}

/* Slot by slot; credits[k] is when the credit of slot k is back. */
static int64_t stream(const kbs_machine *m, const kbs_form_message *message, int64_t *credits) {
    const kbs_form_place from = {KB_SPACE_TCM, message->producer, 0},
                         to = {KB_SPACE_TCM, message->consumer, 0};
    const uint64_t slot_bytes = m->at.ipcq_slot_bytes, slots = m->at.ipcq_slots;
    const int64_t dispatch_ps = kbs_form_ps(m->at.pe_cpu_dispatch_ns);
    kbs_form_way data, back;
    kbs_form_find_way(&data, m, from, ring_of(m, message->consumer));
    kbs_form_find_way(&back, m, to, from);
    int64_t sent_ps = dispatch_ps, done_ps = 0, clock_ps = message->receiver_ps;
    for (uint64_t k = 0, at = 0; at < message->size_bytes; k++, at += slot_bytes) {
        const uint64_t left = message->size_bytes - at, bytes = left < slot_bytes ? left : slot_bytes;
        const int64_t start_ps = found_ps(m, sent_ps, k < slots ? 0 : credits[k - slots]);
        const int64_t there_ps = send_train(&data, bytes, start_ps, &sent_ps) + access_ps(m, bytes);
        clock_ps = found_ps(m, clock_ps + dispatch_ps, there_ps); /* receive */
        clock_ps += dispatch_ps + use_ps(m, bytes) + dispatch_ps; /* use, release */
        done_ps =
            kbs_form_later(done_ps, there_ps); /* a short one settles before a long one that came earlier */
        credits[k] = credit_ps(&back, clock_ps);
    }
    return done_ps;
}

kb_status kbs_form_send(const kbs_machine *machine, const kbs_form_message *message, const kb_alloc *alloc,
                        int64_t *ret_ps, kb_trail *trail) {
    const uint64_t slot_bytes = machine->at.ipcq_slot_bytes;
    const uint64_t count = (message->size_bytes + slot_bytes - 1) / slot_bytes;
    void *credits;
    KB_TRY(kb_new(alloc, count * sizeof(int64_t), &credits, trail));
    *ret_ps = stream(machine, message, credits);
    kb_delete(alloc, credits, count * sizeof(int64_t));
    return KB_OK;
}

/* --- hosts ----------------------------------------------------------------------------------- */

/* When a PE hears: each processor tells one after another of those that have a part in the launch. */
static int64_t heard_ps(const kbs_machine *machine, uint32_t pe, uint32_t first) {
    const uint32_t of_cube = (uint32_t)machine->at.cube_pes,
                   of_sip = (uint32_t)kbs_machine_pes_of_sip(machine);
    const uint32_t sip_begin = pe / of_sip * of_sip, cube_begin = pe / of_cube * of_cube;
    const uint32_t first_of_sip = first > sip_begin ? first : sip_begin;
    const uint32_t first_of_cube = first > cube_begin ? first : cube_begin;
    const int64_t cubes = pe / of_cube - first_of_sip / of_cube + 1, pes = pe - first_of_cube + 1;
    return kbs_form_launch_hops(machine, pe) + cubes * kbs_form_ps(machine->at.io_cpu_ns) +
           pes * kbs_form_ps(machine->at.m_cpu_ns);
}

int64_t kbs_form_launch(const kbs_machine *machine, uint32_t pe, uint32_t first, uint32_t count) {
    int64_t begin_ps = heard_ps(machine, pe, first);
    for (uint32_t i = 0; i < count && machine->at.launch_mode == KBS_LAUNCH_STAMPED; i++)
        begin_ps = kbs_form_later(begin_ps, heard_ps(machine, first + i, first));
    return kbs_form_ps(machine->at.host_launch_ns) + begin_ps;
}

/* --- barriers -------------------------------------------------------------------------------- */

typedef struct meeting {
    const kbs_machine *machine;
    uint32_t first, count;
    int64_t stamp_ps; /* of a launch that has one, else -1 */
} meeting;

static int64_t come_to_ps(const meeting *of, uint32_t place) {
    const kbs_machine *m = of->machine;
    if (of->stamp_ps >= 0)
        return of->stamp_ps;
    return kbs_form_ps(m->at.host_launch_ns) + heard_ps(m, of->first + place, of->first);
}

/* What one PE tells another takes as a credit on the fast path. */
static int64_t telling_ps(const meeting *of, uint32_t from, uint32_t to) {
    kbs_form_way way;
    kbs_form_find_way(&way, of->machine, (kbs_form_place){KB_SPACE_TCM, of->first + from, 0},
                      (kbs_form_place){KB_SPACE_TCM, of->first + to, 0});
    return way.latency_ps + slowest_ps(&way, of->machine->at.ipcq_credit_bytes);
}

/* When who stands there has been told in all rounds before the one with members so far apart. */
static int64_t told_ps(const meeting *of, uint32_t place, uint32_t apart) {
    if (apart == 1)
        return come_to_ps(of, place) + kbs_form_ps(of->machine->at.pe_cpu_dispatch_ns);
    const uint32_t teller = (place + of->count - apart / 2) % of->count;
    return kbs_form_later(told_ps(of, place, apart / 2),
                          told_ps(of, teller, apart / 2) + telling_ps(of, teller, place));
}

int64_t kbs_form_barrier(const kbs_machine *machine, uint32_t pe, uint32_t first, uint32_t count) {
    meeting of = {machine, first, count, -1};
    int64_t last_ps = 0;
    uint32_t apart = 1;
    if (machine->at.launch_mode == KBS_LAUNCH_STAMPED)
        of.stamp_ps = kbs_form_launch(machine, pe, first, count);
    for (uint32_t place = 0; place < count; place++)
        last_ps = kbs_form_later(last_ps, come_to_ps(&of, place));
    while (apart < count)
        apart *= 2;
    return told_ps(&of, pe - first, apart) - last_ps;
}

/* --- all the way ----------------------------------------------------------------------------- */

/* All of one stamp begin with the last; each host hears its own PE, over either processor once. */
int64_t kbs_form_round(const kbs_machine *machine, uint32_t first, uint32_t count) {
    const int64_t stamp_ps = kbs_form_launch(machine, first, first, count);
    const int64_t handed_on_ps = kbs_form_ps(machine->at.m_cpu_ns) + kbs_form_ps(machine->at.io_cpu_ns);
    int64_t last_ps = 0;
    for (uint32_t pe = first; pe < first + count; pe++) {
        const int64_t begin_ps = machine->at.launch_mode == KBS_LAUNCH_STAMPED
                                     ? stamp_ps
                                     : kbs_form_launch(machine, pe, first, count);
        last_ps = kbs_form_later(last_ps, begin_ps + kbs_form_response_hops(machine, pe) + handed_on_ps);
    }
    return last_ps;
}
