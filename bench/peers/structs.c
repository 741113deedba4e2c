/* SPDX-License-Identifier: Apache-2.0 */
/* Peer: packed C structs, one after another, through zstd: a head, then its operands, claims and whys. */
#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "common/packed.h"
#include "peers/peer.h"

#define PACKED __attribute__((packed))

typedef struct PACKED head {
    uint64_t index, issue_ps, start_ps, sent_ps, done_ps;
    uint64_t step_number, sequence, id, tile, collective, value, payload_size;
    uint32_t rank, stream, engine, queue, route, group, func, flags, step, kernel, file, line;
    uint16_t kind;
    uint8_t blocks, reached, operands, whys;
    uint16_t claims;
} head;

typedef struct PACKED operand {
    uint64_t offset;
    uint32_t memory;
    uint8_t access, dtype, dims, zero;
    uint64_t shape[KB_DIMS_MAX];
    int64_t stride[KB_DIMS_MAX];
} operand;

typedef struct PACKED claim {
    uint64_t op;
    uint32_t rank;
    uint8_t role, point, set, zero;
} claim;

typedef struct PACKED why {
    uint64_t ps, op;
    uint32_t resource, rank;
    uint16_t cause;
    uint8_t resource_kind, blames;
} why;

enum {
    RECORD_MOST = sizeof(head) + BENCH_OPERANDS * sizeof(operand) + BENCH_CLAIMS * sizeof(claim) +
                  BENCH_WHYS * sizeof(why)
};

/* --- writing --------------------------------------------------------------------------------------- */

static void *begin(const bench_ring *ring, const char *path) {
    (void)ring;
    return bench_packed_create(path);
}

static void put_head(head *to, const bench_record *from) {
    const kb_op *op = &from->op;
    const kb_template *what = op->what;
    *to = (head){
        .index = op->index,
        .issue_ps = (uint64_t)op->issue_ps,
        .start_ps = (uint64_t)op->start_ps,
        .sent_ps = (uint64_t)op->sent_ps,
        .done_ps = (uint64_t)op->done_ps,
        .step_number = op->step,
        .sequence = op->sequence,
        .id = op->id,
        .tile = op->tile,
        .collective = op->collective,
        .value = op->value,
        .payload_size = op->payload_size,
        .rank = from->rank,
        .stream = what->stream,
        .engine = what->engine,
        .queue = what->queue,
        .route = what->route,
        .group = what->group,
        .func = what->func,
        .flags = what->flags,
        .step = what->step,
        .kernel = what->kernel,
        .file = what->file,
        .line = what->line,
        .kind = what->kind,
        .blocks = what->blocks,
        .reached = what->reached,
        .operands = (uint8_t)what->operand_count,
        .claims = (uint16_t)what->claim_count,
        .whys = (uint8_t)what->why_count,
    };
}

static uint8_t *put_parts(uint8_t *at, const kb_op *op) {
    const kb_template *what = op->what;
    for (uint32_t i = 0; i < what->operand_count; i++, at += sizeof(operand)) {
        const kb_operand *from = &what->operands[i];
        operand *to = (operand *)(void *)at;
        *to = (operand){op->offsets[i], from->memory, from->access, from->dtype, from->dims, 0, {0}, {0}};
        memcpy(to->shape, from->shape, sizeof to->shape);
        memcpy(to->stride, from->stride, sizeof to->stride);
    }
    for (uint32_t i = 0; i < what->claim_count; i++, at += sizeof(claim)) {
        const kb_claim *from = &what->claims[i];
        *(claim *)(void *)at = (claim){op->claimed[i], from->rank, from->role, from->point, from->set, 0};
    }
    for (uint32_t i = 0; i < what->why_count; i++, at += sizeof(why)) {
        const kb_blame *blame = &op->blames[i];
        *(why *)(void *)at = (why){(uint64_t)blame->ps, blame->op,           blame->resource,
                                   blame->rank,         what->whys[i].cause, what->whys[i].resource,
                                   what->whys[i].blames};
    }
    return at;
}

static void put(void *writing, const bench_record *records, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint8_t *room = bench_packed_room(writing, RECORD_MOST);
        put_head((head *)(void *)room, &records[i]);
        uint8_t *end = put_parts(room + sizeof(head), &records[i].op);
        bench_packed_took(writing, (size_t)(end - room));
    }
}

static uint64_t finish(void *writing, const bench_ring *ring) {
    (void)ring;
    return bench_packed_finish(writing);
}

/* --- reading --------------------------------------------------------------------------------------- */

static size_t fold(bench_sum *sum, const uint8_t *at) {
    const uint8_t *begin_at = at;
    const head *h = (const head *)(const void *)at;
    sum->records++;
    sum->numbers += bench_four(h->rank, h->index, h->issue_ps, h->start_ps) +
                    bench_four(h->step_number, h->sequence, h->sent_ps, h->done_ps) +
                    bench_four(h->id, h->tile, h->collective, h->value) + h->payload_size;
    sum->words += bench_four(h->kind, h->blocks, h->reached, h->stream) +
                  bench_four(h->engine, h->queue, h->route, h->group) +
                  bench_four(h->func, h->flags, h->step, h->kernel) + h->file + h->line;
    at += sizeof(head);
    for (uint32_t i = 0; i < h->operands; i++, at += sizeof(operand)) {
        const operand *o = (const operand *)(const void *)at;
        sum->numbers += 3 * o->offset;
        sum->words += bench_four(o->memory, o->access, o->dtype, o->dims);
        for (uint32_t d = 0; d < o->dims; d++)
            sum->words += 3 * o->shape[d] + 5 * (uint64_t)o->stride[d];
    }
    for (uint32_t i = 0; i < h->claims; i++, at += sizeof(claim)) {
        const claim *c = (const claim *)(const void *)at;
        sum->numbers += 5 * c->op;
        sum->words += bench_four(c->rank, c->role, c->point, c->set);
    }
    for (uint32_t i = 0; i < h->whys; i++, at += sizeof(why)) {
        const why *w = (const why *)(const void *)at;
        sum->numbers += bench_four(w->rank, w->ps, w->resource, w->op);
        sum->words += bench_four(w->cause, w->resource_kind, w->blames, 1);
    }
    return (size_t)(at - begin_at);
}

static void read_all(const char *path, bench_sum *sum) {
    bench_packed_in *in = bench_packed_open(path);
    size_t have;
    for (;;) {
        const uint8_t *at = bench_packed_look(in, RECORD_MOST, &have);
        if (have == 0)
            break;
        bench_must(have >= sizeof(head), "reading a whole record");
        bench_packed_pass(in, fold(sum, at));
    }
    bench_packed_close(in);
}

const bench_peer bench_structs = {
    .name = "C structs + zstd",
    .about = "packed C structs: a head, then its operands, claims and why-items; zstd level 3",
    .begin = begin,
    .put = put,
    .finish = finish,
    .read = read_all,
};
