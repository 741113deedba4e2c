/* SPDX-License-Identifier: Apache-2.0 */
/* Closed forms of single transfers; see form.h. */
#include "probe/form.h"

#include <assert.h>
#include <string.h>

#include "kbtrace/words.h"

/* --- units ----------------------------------------------------------------------------------- */

/* Decimals of the machine are millionths: of a ns that is a femtosecond. */
static int64_t ps_of_fs(uint64_t fs) {
    return (int64_t)((fs + 999) / 1000);
}

/* Bytes at so many millionths of a GB/s. */
static int64_t ps_at(uint64_t bytes, uint64_t gbps) {
    return (int64_t)(((unsigned __int128)bytes * 1000000000 + gbps - 1) / gbps);
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* --- geometry -------------------------------------------------------------------------------- */

/* A router of a cube's mesh, or one that the HBM stack in the middle has taken the place of. */
typedef struct cell {
    uint32_t x, y;
} cell;

/* The stack leaves out the one or two middle columns and rows. */
static bool is_middle(uint32_t at, uint32_t count) {
    return at == (count - 1) / 2 || at == count / 2;
}

static uint32_t middle_size(uint32_t count) {
    return count % 2 == 0 ? 2 : 1;
}

static bool is_stack(const kbs_machine *machine, cell at) {
    const uint64_t mesh = machine->at.cube_routers;
    return is_middle(at.x, kbs_columns(mesh)) && is_middle(at.y, kbs_rows(mesh));
}

/* The i-th of `count` things spread evenly over `places`. */
static uint32_t spread(uint32_t i, uint32_t count, uint32_t places) {
    return (2 * i + 1) * places / (2 * count);
}

/* Routers of a column. */
static uint32_t routers_of(const kbs_machine *machine, uint32_t x) {
    const uint64_t mesh = machine->at.cube_routers;
    return kbs_rows(mesh) - (is_middle(x, kbs_columns(mesh)) ? middle_size(kbs_rows(mesh)) : 0);
}

/* How many PEs stand in a column, where they fill columns from both edges inward, the left one first. */
static uint32_t pes_of_column(const kbs_machine *machine, uint32_t x) {
    const uint32_t columns = kbs_columns(machine->at.cube_routers), mirrored = columns - 1 - x;
    const uint32_t ring = x < mirrored ? x : mirrored;
    uint32_t left = (uint32_t)machine->at.cube_pes;
    for (uint32_t outer = 0; outer < ring; outer++) {
        const uint32_t both = 2 * routers_of(machine, outer);
        left = left > both ? left - both : 0;
    }
    if (x == mirrored)
        return left;
    const uint32_t both = 2 * routers_of(machine, ring), here = left < both ? left : both;
    return x == ring ? here - here / 2 : here / 2;
}

static bool holds_pe(const kbs_machine *machine, cell at) {
    const uint32_t columns = kbs_columns(machine->at.cube_routers), rows = kbs_rows(machine->at.cube_routers);
    if (is_stack(machine, at))
        return false;
    if (machine->at.cube_pes == 2 * (middle_size(columns) + middle_size(rows))) { /* one at each side of it */
        const bool above_or_below = is_stack(machine, (cell){at.x, at.y + 1}) ||
                                    (at.y > 0 && is_stack(machine, (cell){at.x, at.y - 1}));
        const bool beside = is_stack(machine, (cell){at.x + 1, at.y}) ||
                            (at.x > 0 && is_stack(machine, (cell){at.x - 1, at.y}));
        return above_or_below || beside;
    }
    uint32_t number = 0; /* among the routers of its column */
    for (uint32_t y = 0; y < at.y; y++)
        number += !is_stack(machine, (cell){at.x, y});
    const uint32_t pes = pes_of_column(machine, at.x);
    for (uint32_t i = 0; i < pes; i++)
        if (spread(i, pes, routers_of(machine, at.x)) == number)
            return true;
    return false;
}

/* PEs are numbered row by row. */
static cell cell_of_pe(const kbs_machine *machine, uint32_t pe) {
    const uint32_t columns = kbs_columns(machine->at.cube_routers);
    uint32_t left = pe % (uint32_t)machine->at.cube_pes;
    for (cell at = {0, 0};; at = at.x + 1 < columns ? (cell){at.x + 1, at.y} : (cell){0, at.y + 1}) {
        assert(at.y < kbs_rows(machine->at.cube_routers));
        if (holds_pe(machine, at) && left-- == 0)
            return at;
    }
}

/* The SRAM is diagonal to the upper left corner of the stack. */
static cell cell_of(const kbs_machine *machine, kbs_form_place place) {
    const uint64_t mesh = machine->at.cube_routers;
    if (place.space == KB_SPACE_SRAM)
        return (cell){(kbs_columns(mesh) - 1) / 2 - 1, (kbs_rows(mesh) - 1) / 2 - 1};
    return cell_of_pe(machine, place.pe);
}

/* --- ways ------------------------------------------------------------------------------------ */

/*
 * Links one after another. Neighbours of one bandwidth are one link with their latencies added: a packet that
 * left the first without a gap finds the second free.
 */
enum { STRETCHES = 128 };

typedef struct stretch {
    int64_t flit_ps, latency_ps;
    int64_t start_ps, free_ps; /* of the packet that came last */
} stretch;

typedef struct way {
    const kbs_machine *machine;
    uint32_t cube;
    cell at;
    int64_t latency_ps; /* of all */
    uint32_t count;
    stretch of[STRETCHES];
} way;

static void add_link(way *w, uint64_t gbps, uint64_t latency_fs) {
    const int64_t flit_ps = ps_at(w->machine->at.fabric_flit_bytes, gbps);
    const int64_t latency_ps = later(ps_of_fs(latency_fs), 1);
    if (w->count == 0 || w->of[w->count - 1].flit_ps != flit_ps) {
        assert(w->count < STRETCHES);
        w->of[w->count++] = (stretch){.flit_ps = flit_ps};
    }
    w->of[w->count - 1].latency_ps += latency_ps;
    w->latency_ps += latency_ps;
}

/* A router is entered, and the wire there is so many pitches long. */
static void add_hop(way *w, uint32_t pitches) {
    const kbs_machine *m = w->machine;
    const uint64_t columns = kbs_columns(m->at.cube_routers);
    const unsigned __int128 wire = (unsigned __int128)pitches * m->at.cube_width_mm * m->at.noc_ns_per_mm;
    const uint64_t scale = columns * KBS_MILLION; /* of the wire, against femtoseconds; rounded up once */
    add_link(w, m->at.noc_link_gbps, m->at.noc_router_ns + (uint64_t)((wire + scale - 1) / scale));
}

/* Along a row or column, over the stack where that lies between. */
static void go_along(way *w, uint32_t from, uint32_t to, uint32_t count, bool is_cut) {
    const uint32_t low = from < to ? from : to, high = from < to ? to : from;
    uint32_t hops = high - low;
    if (is_cut && low < (count - 1) / 2 && high > count / 2) {
        add_hop(w, middle_size(count) + 1);
        hops -= middle_size(count) + 1;
    }
    for (; hops > 0; hops--)
        add_hop(w, 1);
}

/* x first, unless the corner lies in the stack. */
static void go_to(way *w, cell to) {
    const uint32_t columns = kbs_columns(w->machine->at.cube_routers),
                   rows = kbs_rows(w->machine->at.cube_routers);
    const bool x_first = !is_stack(w->machine, (cell){to.x, w->at.y});
    const uint32_t row = x_first ? w->at.y : to.y, column = x_first ? to.x : w->at.x;
    go_along(w, w->at.x, to.x, columns, is_middle(row, rows));
    go_along(w, w->at.y, to.y, rows, is_middle(column, columns));
    w->at = to;
}

/* Into the next cube along x or y, over the link of that number. */
static void cross(way *w, bool along_x, bool forward, uint32_t link) {
    const kbs_machine *m = w->machine;
    const uint32_t columns = kbs_columns(m->at.cube_routers), rows = kbs_rows(m->at.cube_routers);
    const uint32_t links = (uint32_t)m->at.ucie_links;
    const cell first =
        along_x ? (cell){0, spread(link, links, rows)} : (cell){spread(link, links, columns), 0};
    const cell last = along_x ? (cell){columns - 1, first.y} : (cell){first.x, rows - 1};
    const uint32_t apart = along_x ? 1 : kbs_columns(m->at.sip_cubes);
    go_to(w, forward ? last : first);
    add_link(w, m->at.ucie_gbps, 2 * m->at.ucie_port_ns + m->at.noc_router_ns);
    w->at = forward ? first : last;
    w->cube = forward ? w->cube + apart : w->cube - apart;
}

static void add_source(way *w, kbs_form_place from) {
    const kbs_machine *m = w->machine;
    if (from.space == KB_SPACE_SRAM)
        add_link(w, m->at.sram_gbps, m->at.sram_ns);
    if (from.space == KB_SPACE_TCM)
        add_link(w, m->at.tcm_read_gbps, 0);
    add_link(w, m->at.noc_link_gbps, m->at.noc_router_ns);
}

static void add_sink(way *w, kbs_form_place to) {
    const kbs_machine *m = w->machine;
    add_link(w, m->at.noc_link_gbps, 0);
    if (to.space == KB_SPACE_SRAM)
        add_link(w, m->at.sram_gbps, m->at.sram_ns);
    if (to.space == KB_SPACE_TCM)
        add_link(w, m->at.tcm_write_gbps, 0);
}

/* Between different memories: cubes first in x, then in y, by the link of the source PE's number. */
static void find_way(way *w, const kbs_machine *machine, kbs_form_place from, kbs_form_place to) {
    const uint32_t pes = (uint32_t)machine->at.cube_pes, columns = kbs_columns(machine->at.sip_cubes);
    const uint32_t link = from.pe % pes % (uint32_t)machine->at.ucie_links, last = to.pe / pes;
    memset(w, 0, sizeof *w);
    w->machine = machine;
    w->cube = from.pe / pes;
    w->at = cell_of(machine, from);
    add_source(w, from);
    while (w->cube % columns != last % columns)
        cross(w, true, w->cube % columns < last % columns, link);
    while (w->cube != last)
        cross(w, false, w->cube < last, link);
    go_to(w, cell_of(machine, to));
    add_sink(w, to);
}

/* --- packets --------------------------------------------------------------------------------- */

static int64_t time_on(const way *w, int64_t flit_ps, uint64_t bytes) {
    const int64_t flit = (int64_t)w->machine->at.fabric_flit_bytes, whole = (int64_t)(bytes - 1) / flit;
    return whole * flit_ps + (flit_ps * ((int64_t)bytes - whole * flit) + flit - 1) / flit;
}

/* What so many bytes take at the narrowest link. */
static int64_t slowest_ps(const way *w, uint64_t bytes) {
    int64_t slowest = 0;
    for (uint32_t i = 0; i < w->count && bytes > 0; i++)
        slowest = later(slowest, time_on(w, w->of[i].flit_ps, bytes));
    return slowest;
}

/* A packet whose head is ready at ready_ps; returns when its tail has left the last link and come. */
static int64_t send_packet(way *w, uint64_t bytes, int64_t ready_ps, int64_t *ret_sent_ps) {
    int64_t tail_ps = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        stretch *s = &w->of[i];
        s->start_ps = later(ready_ps, s->free_ps);
        s->free_ps = later(s->start_ps + time_on(w, s->flit_ps, bytes), tail_ps);
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
    return (burst){stop, ps_at(accesses * size, m->at.hbm_channel_gbps), &s->free_ps[channel_of(m, block)]};
}

/* When a packet's head may leave, so that every flit finds its bytes; its request came at come_ps. */
static int64_t read_slice(slice *s, uint64_t at, uint64_t bytes, int64_t come_ps, int64_t flit_ps) {
    const uint64_t first = at, end = at + bytes, flit_bytes = s->machine->at.fabric_flit_bytes;
    int64_t head_ps = 0;
    while (at < end) {
        const burst b = burst_at(s, at, end);
        *b.free_ps = later(*b.free_ps, come_ps) + b.took_ps;
        head_ps = later(head_ps, *b.free_ps - (int64_t)((at - first) / flit_bytes) * flit_ps);
        at = b.end;
    }
    return head_ps + ps_of_fs(s->machine->at.hbm_read_latency_ns);
}

/* When a flit of the packet that was sent last has come. */
static int64_t come_ps(const way *w, uint64_t flit, uint64_t last_flit, int64_t tail_ps) {
    int64_t come = 0, left_ps = w->latency_ps;
    if (flit == last_flit)
        return tail_ps;
    for (uint32_t i = 0; i < w->count; i++) {
        come = later(come, w->of[i].start_ps + (int64_t)(flit + 1) * w->of[i].flit_ps + left_ps);
        left_ps -= w->of[i].latency_ps;
    }
    return come;
}

/* When the packet that was sent last is written. */
static int64_t write_slice(slice *s, const way *w, uint64_t at, uint64_t bytes, int64_t tail_ps) {
    const kbs_machine *m = s->machine;
    const uint64_t first = at, end = at + bytes, flit_bytes = m->at.fabric_flit_bytes;
    int64_t written_ps = 0;
    while (at < end) {
        const burst b = burst_at(s, at, end);
        const uint64_t flit = (b.end - first - 1) / flit_bytes;
        const int64_t ready_ps = come_ps(w, flit, (bytes - 1) / flit_bytes, tail_ps);
        *b.free_ps = later(*b.free_ps, ready_ps) + later(b.took_ps, ps_of_fs(m->at.hbm_commit_ns));
        written_ps = later(written_ps, *b.free_ps);
        at = b.end;
    }
    return written_ps + ps_of_fs(m->at.hbm_write_latency_ns);
}

/* --- DMA ------------------------------------------------------------------------------------- */

typedef struct packet {
    int64_t ready_ps;
    uint64_t bytes;
} packet;

/* A transfer's packets; what is out of `waiting` is known to return. */
typedef struct flight {
    const kbs_machine *machine;
    way data;
    slice hbm;
    bool is_hbm;
    uint64_t offset_bytes, size_bytes, most; /* packets outstanding */
    uint64_t count, issued, returned, waits; /* packets in all, and how far they are */
    packet *waiting;                         /* [count], by ready_ps, from `waits` on */
    int64_t *returns;                        /* [count], rising */
    int64_t next_ps, back_ps, done_ps;
} flight;

static kb_status init_flight(flight *f, const kbs_machine *machine, uint64_t size_bytes, uint64_t most,
                             const kb_alloc *alloc, kb_trail *trail) {
    const uint64_t packet_bytes = machine->at.fabric_packet_bytes;
    void *waiting, *returns;
    memset(f, 0, sizeof *f);
    f->machine = f->hbm.machine = machine;
    f->size_bytes = size_bytes;
    f->most = most;
    f->count = (size_bytes + packet_bytes - 1) / packet_bytes;
    f->next_ps = ps_of_fs(machine->at.pe_cpu_dispatch_ns) + ps_of_fs(machine->at.dma_setup_ns);
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
    *ret_ps = later(f->next_ps, f->returns[f->issued - f->most]);
    return true;
}

static void add_return(flight *f, int64_t visible_ps, int64_t acknowledge_ps) {
    uint64_t at = f->returned++;
    for (; at > 0 && f->returns[at - 1] > visible_ps + acknowledge_ps; at--)
        f->returns[at] = f->returns[at - 1];
    f->returns[at] = visible_ps + acknowledge_ps;
    f->done_ps = later(f->done_ps, visible_ps);
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

kb_status kbs_form_read(const kbs_machine *machine, uint32_t pe, kbs_form_place from, uint64_t size_bytes,
                        const kb_alloc *alloc, int64_t *ret_ps, kb_trail *trail) {
    const kbs_form_place tcm = {KB_SPACE_TCM, pe, 0};
    flight f;
    way request;
    KB_TRY(init_flight(&f, machine, size_bytes, machine->at.dma_reads_outstanding, alloc, trail));
    find_way(&f.data, machine, from, tcm);
    find_way(&request, machine, tcm, from);
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

kb_status kbs_form_write(const kbs_machine *machine, uint32_t pe, kbs_form_place to, uint64_t size_bytes,
                         const kb_alloc *alloc, int64_t *ret_ps, kb_trail *trail) {
    const kbs_form_place tcm = {KB_SPACE_TCM, pe, 0};
    flight f;
    way acknowledgement;
    KB_TRY(init_flight(&f, machine, size_bytes, machine->at.dma_writes_outstanding, alloc, trail));
    find_way(&f.data, machine, tcm, to);
    find_way(&acknowledgement, machine, to, tcm);
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
static int64_t send_train(way *w, uint64_t bytes, int64_t at_ps, int64_t *ret_sent_ps) {
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
        return ps_of_fs(m->at.ipcq_tcm_ns) + ps_at(bytes, m->at.ipcq_tcm_gbps);
    if (m->at.ipcq_ring == KBS_RING_SRAM)
        return ps_of_fs(m->at.ipcq_sram_ns) + ps_at(bytes, m->at.ipcq_sram_gbps);
    return ps_of_fs(m->at.ipcq_hbm_ns) + ps_at(bytes, m->at.ipcq_hbm_gbps);
}

/* MATH reads the slot and writes as many bytes to the TCM, a lane a byte. */
static int64_t use_ps(const kbs_machine *m, uint64_t bytes) {
    const int64_t cycle_ps = (int64_t)((1000 * KBS_MILLION + m->at.clock_ghz - 1) / m->at.clock_ghz);
    const uint64_t cycles = (bytes + m->at.math_bytes_per_cycle - 1) / m->at.math_bytes_per_cycle;
    const int64_t read_ps =
        m->at.ipcq_ring == KBS_RING_TCM ? ps_at(bytes, m->at.tcm_read_gbps) : access_ps(m, bytes);
    return later(later((int64_t)cycles * cycle_ps, read_ps), ps_at(bytes, m->at.tcm_write_gbps));
}

/* Who has looked since looks_ps for what is there at there_ps finds it then, or at the next look. */
static int64_t found_ps(const kbs_machine *m, int64_t looks_ps, int64_t there_ps) {
    const int64_t interval_ps = ps_of_fs(m->at.ipcq_poll_ns);
    if (there_ps <= looks_ps)
        return looks_ps;
    if (m->at.ipcq_backpressure != KBS_PRESSURE_POLL)
        return there_ps;
    return looks_ps + (there_ps - looks_ps + interval_ps - 1) / interval_ps * interval_ps;
}

/* When the credit of a slot that is released at at_ps is there. */
static int64_t credit_ps(way *back, int64_t at_ps) {
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
    const int64_t dispatch_ps = ps_of_fs(m->at.pe_cpu_dispatch_ns);
    way data, back;
    find_way(&data, m, from, ring_of(m, message->consumer));
    find_way(&back, m, to, from);
    int64_t sent_ps = dispatch_ps, done_ps = 0, clock_ps = message->receiver_ps;
    for (uint64_t k = 0, at = 0; at < message->size_bytes; k++, at += slot_bytes) {
        const uint64_t left = message->size_bytes - at, bytes = left < slot_bytes ? left : slot_bytes;
        const int64_t start_ps = found_ps(m, sent_ps, k < slots ? 0 : credits[k - slots]);
        const int64_t there_ps = send_train(&data, bytes, start_ps, &sent_ps) + access_ps(m, bytes);
        clock_ps = found_ps(m, clock_ps + dispatch_ps, there_ps); /* receive */
        clock_ps += dispatch_ps + use_ps(m, bytes) + dispatch_ps; /* use, release */
        done_ps = later(done_ps, there_ps); /* a short one settles before a long one that came earlier */
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

int64_t kbs_form_host_copy(const kbs_machine *machine, uint64_t size_bytes) {
    return ps_of_fs(machine->at.host_copy_ns) + ps_at(size_bytes, machine->at.host_copy_gbps);
}
