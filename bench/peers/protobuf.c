/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peer: a protobuf-c message a record, length-delimited, through zstd. Written straight into the
 * compressor's buffer; read with protobuf-c's own allocation, or from an arena that each record
 * begins anew.
 */
#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "common/packed.h"
#include "peers/peer.h"
#include "record.pb-c.h"

enum { LENGTH_BYTES = 2, RECORD_MOST = (1 << 14) - 1 };

/* --- writing --------------------------------------------------------------------------------------- */

/* A record with room for its parts. */
typedef struct message {
    Bench__Record record;
    Bench__Operand operands[BENCH_OPERANDS], *operand[BENCH_OPERANDS];
    Bench__Claim claims[BENCH_CLAIMS], *claim[BENCH_CLAIMS];
    Bench__Why whys[BENCH_WHYS], *why[BENCH_WHYS];
} message;

typedef struct writing {
    bench_packed_out *out;
    message message;
} writing;

static void *begin(const bench_ring *ring, const char *path) {
    (void)ring;
    writing *to = bench_new(sizeof *to);
    message *m = &to->message;
    to->out = bench_packed_create(path);
    bench__record__init(&m->record);
    m->record.operand = m->operand;
    m->record.claim = m->claim;
    m->record.why = m->why;
    for (size_t i = 0; i < BENCH_OPERANDS; i++) {
        bench__operand__init(&m->operands[i]);
        m->operand[i] = &m->operands[i];
    }
    for (size_t i = 0; i < BENCH_CLAIMS; i++) {
        bench__claim__init(&m->claims[i]);
        m->claim[i] = &m->claims[i];
    }
    for (size_t i = 0; i < BENCH_WHYS; i++) {
        bench__why__init(&m->whys[i]);
        m->why[i] = &m->whys[i];
    }
    return to;
}

static void fill_head(Bench__Record *to, const bench_record *from) {
    const kb_op *op = &from->op;
    const kb_template *what = op->what;
    to->rank = from->rank;
    to->index = op->index;
    to->kind = what->kind;
    to->issue_ps = (uint64_t)op->issue_ps;
    to->start_ps = (uint64_t)(op->start_ps - op->issue_ps);
    to->sent_ps = (uint64_t)(op->sent_ps - op->start_ps);
    to->done_ps = (uint64_t)(op->done_ps - op->sent_ps);
    to->stream = what->stream;
    to->engine = what->engine + 1;
    to->queue = what->queue + 1;
    to->sequence = op->sequence;
    to->step = what->step + 1;
    to->step_number = op->step;
    to->collective = op->collective;
    to->route = what->route + 1;
    to->group = what->group + 1;
    to->func = what->func;
    to->flags = what->flags;
    to->blocks = what->blocks;
    to->reached = what->reached;
    to->kernel = what->kernel + 1;
    to->file = what->file + 1;
    to->line = what->line;
    to->id = op->id;
    to->tile = op->tile;
    to->value = op->value;
    to->payload_size = op->payload_size;
}

static void fill_parts(message *to, const kb_op *op) {
    const kb_template *what = op->what;
    to->record.n_operand = what->operand_count;
    for (uint32_t i = 0; i < what->operand_count; i++) {
        const kb_operand *operand = &what->operands[i];
        Bench__Operand *o = &to->operands[i];
        o->memory = operand->memory;
        o->access = operand->access;
        o->dtype = operand->dtype;
        o->n_shape = o->n_stride = operand->dims;
        o->shape = (uint64_t *)(uintptr_t)operand->shape;
        o->stride = (int64_t *)(uintptr_t)operand->stride;
        o->offset = op->offsets[i];
    }
    to->record.n_claim = what->claim_count;
    for (uint32_t i = 0; i < what->claim_count; i++) {
        const kb_claim *claim = &what->claims[i];
        Bench__Claim *c = &to->claims[i];
        c->rank = claim->rank;
        c->role = claim->role;
        c->point = claim->point;
        c->set = claim->set;
        c->op = op->claimed[i];
    }
    to->record.n_why = what->why_count;
    for (uint32_t i = 0; i < what->why_count; i++) {
        const kb_why *why = &what->whys[i];
        Bench__Why *w = &to->whys[i];
        w->cause = why->cause;
        w->resource_kind = why->resource;
        w->blames = why->blames;
        w->ps = (uint64_t)op->blames[i].ps;
        w->resource = op->blames[i].resource + 1;
        w->rank = op->blames[i].rank;
        w->op = op->blames[i].op;
    }
}

/* The length goes before the message, in two bytes, once it is known. */
static void put(void *state, const bench_record *records, size_t count) {
    writing *to = state;
    for (size_t i = 0; i < count; i++) {
        fill_head(&to->message.record, &records[i]);
        fill_parts(&to->message, &records[i].op);
        uint8_t *room = bench_packed_room(to->out, LENGTH_BYTES + RECORD_MOST);
        size_t size = bench__record__pack(&to->message.record, room + LENGTH_BYTES);
        bench_must(size <= RECORD_MOST, "a record of two bytes of length");
        room[0] = (uint8_t)(size | 0x80);
        room[1] = (uint8_t)(size >> 7);
        bench_packed_took(to->out, LENGTH_BYTES + size);
    }
}

static uint64_t finish(void *state, const bench_ring *ring) {
    (void)ring;
    writing *to = state;
    uint64_t bytes = bench_packed_finish(to->out);
    free(to);
    return bytes;
}

/* --- reading --------------------------------------------------------------------------------------- */

static uint64_t fold_parts(bench_sum *sum, const Bench__Record *r) {
    uint64_t numbers = 0;
    for (size_t i = 0; i < r->n_operand; i++) {
        const Bench__Operand *o = r->operand[i];
        numbers += 3 * o->offset;
        sum->words += bench_four(o->memory, o->access, o->dtype, o->n_shape);
        for (size_t d = 0; d < o->n_shape; d++)
            sum->words += 3 * o->shape[d] + 5 * (uint64_t)o->stride[d];
    }
    for (size_t i = 0; i < r->n_claim; i++) {
        const Bench__Claim *c = r->claim[i];
        numbers += 5 * c->op;
        sum->words += bench_four(c->rank, c->role, c->point, c->set);
    }
    for (size_t i = 0; i < r->n_why; i++) {
        const Bench__Why *w = r->why[i];
        numbers += bench_four(w->rank, w->ps, w->resource - 1, w->op);
        sum->words += bench_four(w->cause, w->resource_kind, w->blames, 1);
    }
    return numbers;
}

static void fold(bench_sum *sum, const Bench__Record *r) {
    uint64_t start = r->issue_ps + r->start_ps, sent = start + r->sent_ps, done = sent + r->done_ps;
    sum->records++;
    sum->numbers += bench_four(r->rank, r->index, r->issue_ps, start) +
                    bench_four(r->step_number, r->sequence, sent, done) +
                    bench_four(r->id, r->tile, r->collective, r->value) + r->payload_size +
                    fold_parts(sum, r);
    sum->words += bench_four(r->kind, r->blocks, r->reached, r->stream) +
                  bench_four(r->engine - 1, r->queue - 1, r->route - 1, r->group - 1) +
                  bench_four(r->func, r->flags, r->step - 1, r->kernel - 1) + (r->file - 1) + r->line;
}

/* An arena that the next record begins anew. */
typedef struct bump {
    size_t used;
    _Alignas(16) uint8_t bytes[1 << 16];
} bump;

static void *bump_alloc(void *data, size_t size) {
    bump *from = data;
    void *block = from->bytes + from->used;
    from->used += (size + 15) & ~(size_t)15;
    bench_must(from->used <= sizeof from->bytes, "unpacking a record of this size");
    return block;
}

static void bump_free(void *data, void *block) {
    (void)data;
    (void)block;
}

static void read_with(const char *path, bench_sum *sum, ProtobufCAllocator *allocator, bump *arena) {
    bench_packed_in *in = bench_packed_open(path);
    size_t have;
    for (;;) {
        const uint8_t *at = bench_packed_look(in, LENGTH_BYTES + RECORD_MOST, &have);
        if (have == 0)
            break;
        size_t size = (size_t)(at[0] & 0x7f) | (size_t)at[1] << 7;
        bench_must(have >= LENGTH_BYTES + size, "reading a whole record");
        Bench__Record *record = bench__record__unpack(allocator, size, at + LENGTH_BYTES);
        bench_must(record != NULL, "unpacking a record");
        fold(sum, record);
        if (arena != NULL)
            arena->used = 0;
        else
            bench__record__free_unpacked(record, allocator);
        bench_packed_pass(in, LENGTH_BYTES + size);
    }
    bench_packed_close(in);
}

static void read_plainly(const char *path, bench_sum *sum) {
    read_with(path, sum, NULL, NULL);
}

static void read_arena(const char *path, bench_sum *sum) {
    bump *arena = bench_new(sizeof *arena);
    ProtobufCAllocator allocator = {bump_alloc, bump_free, arena};
    read_with(path, sum, &allocator, arena);
    free(arena);
}

const bench_peer bench_protobuf = {
    .name = "protobuf-c + zstd",
    .about = "a message a record (bench/peers/record.proto), length-delimited, zstd level 3",
    .begin = begin,
    .put = put,
    .finish = finish,
    .read = read_plainly,
};

const bench_peer bench_protobuf_arena = {
    .name = "protobuf-c + zstd, arena",
    .about = "the same file, read with an allocator that only moves a pointer",
    .read = read_arena,
    .reads = "protobuf-c + zstd",
};
