/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An op: one record of a trace, as plain C.
 *
 * An op is a template (what many ops have in common: kind, engine, operands' memories and views,
 * what it claims and where its time may go) and the numbers that differ from op to op: its times,
 * its place in sequences, its offsets. The writer takes ops in this form, the reader gives them
 * back in it, and the canonical bytes that digests are made of are defined over it.
 *
 * Ids name definitions (defs.h) and count from 0; KB_NONE is nobody. Offsets and sizes are bytes,
 * shapes and strides are elements, times are integer picoseconds from the start of the run.
 */
#ifndef KBTRACE_OP_H
#define KBTRACE_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kbtrace/memory.h"
#include "kbtrace/words.h"

#define KB_NONE UINT32_MAX
#define KB_DIMS_MAX 4u
#define KB_CLAIMS_MAX 65535u
#define KB_WHYS_MAX 255u
#define KB_TIME_MAX_PS (INT64_MAX / 4) /* 26 days; sums of a few times cannot overflow */

/* --- the template: what many ops share -------------------------------------------------------- */

/* A strided view of a memory. dims 0 is a single element; unused extents and strides are 0. */
typedef struct kb_operand {
    uint32_t memory; /* id of a memory */
    uint8_t access;  /* KB_ACCESS_… */
    uint8_t dtype;   /* KB_DTYPE_… */
    uint8_t dims;    /* ≤ KB_DIMS_MAX */
    uint8_t zero;
    uint64_t shape[KB_DIMS_MAX]; /* elements along each axis, outermost first */
    int64_t stride[KB_DIMS_MAX]; /* elements from one to the next along each axis */
} kb_operand;

/* Whom an op claims. Claims of KB_SET_ONE have the claimed op's index beside them in the op. */
typedef struct kb_claim {
    uint32_t rank; /* of the claimed op */
    uint8_t role;  /* KB_ROLE_…: why, and at which point of the claimer it ends */
    uint8_t point; /* KB_POINT_SENT or _DONE: the point of the claimed op that was observed */
    uint8_t set;   /* KB_SET_… */
    uint8_t zero;
} kb_claim;

/* Where time goes. The picoseconds, the resource's id and the blamed op stand in the op. */
typedef struct kb_why {
    uint16_t cause;   /* KB_CAUSE_…; the table of causes names it */
    uint8_t resource; /* KB_RESOURCE_… */
    uint8_t blames;   /* 1: another op is to blame, and named */
} kb_why;

#define KB_FLAG_ACCUMULATE 1u /* gemm: adds to what `out` holds */
#define KB_FLAG_TRANSPOSE_A 2u
#define KB_FLAG_TRANSPOSE_B 4u
#define KB_FLAG_ROUND 8u /* gemm: the last of its K loop, rounds from f32 to out's dtype */

typedef struct kb_template {
    uint16_t kind;   /* KB_OP_… */
    uint8_t blocks;  /* KB_BLOCKS_… */
    uint8_t reached; /* KB_POINT_…: the last point that is known; DONE but for pending ops */
    uint32_t stream; /* id of the stream that issued it */
    uint32_t engine; /* id of the engine that serves it */
    uint32_t queue;  /* id of its queue */
    uint32_t route;  /* id of the links that its data take */
    uint32_t group;  /* id of the group of a barrier or launch */
    uint32_t func;   /* KB_FUNC_… of a math op, else 0 */
    uint32_t flags;  /* KB_FLAG_… */
    uint32_t step;   /* string id of its step's label, or KB_NONE */
    uint32_t kernel; /* string id of its kernel or algorithm */
    uint32_t file;   /* string id of its source's base name; left out of digests */
    uint32_t line;   /* in that file, or 0; left out of digests */
    uint32_t operand_count;
    uint32_t claim_count;
    uint32_t why_count;
    uint32_t immediate_count;
    const kb_operand *operands;
    const kb_claim *claims;
    const kb_why *whys;
    const uint64_t *immediates; /* bit patterns, widened; f64 bits for floats, two's complement else */
} kb_template;

/* --- the op: what differs --------------------------------------------------------------------- */

/* A why-item's numbers. Items of an op that reached done sum to done - issue exactly. */
typedef struct kb_blame {
    int64_t ps;
    uint32_t resource; /* id of its link, engine …, or KB_NONE */
    uint32_t rank;     /* of the blamed op, where the template says that it blames; else 0 */
    uint64_t op;
} kb_blame;

typedef struct kb_op {
    const kb_template *what;
    uint64_t index; /* in its rank, from 0 without gaps: whoever writes counts, the reader tells */
    /* Points beyond what->reached hold the time of the last one known. */
    int64_t issue_ps, start_ps, sent_ps, done_ps;
    uint64_t step;           /* within its label: the s of tl_step(c, "reduce-scatter", s) */
    uint64_t sequence;       /* of its queue's slot */
    uint64_t id;             /* what the kind says: launch, barrier, allocation, composite … */
    uint64_t tile;           /* within its composite */
    uint64_t collective;     /* 1 + id of the collective that it works for, or 0 */
    uint64_t value;          /* assume: what the peek saw; else 0 */
    const uint64_t *offsets; /* bytes, [what->operand_count] */
    const uint64_t *claimed; /* op indices, [what->claim_count]; 0 where the claim names a set */
    const kb_blame *blames;  /* [what->why_count] */
    const uint8_t *payload;  /* host_write: the bytes themselves */
    uint64_t payload_size;   /* ≤ KB_PAYLOAD_MAX; longer writes are several ops */
} kb_op;

#define KB_PAYLOAD_MAX ((uint64_t)1 << 20)

/* --- small questions -------------------------------------------------------------------------- */

uint64_t kb_operand_elements(const kb_operand *operand);
/* Lowest and one past the highest byte touched, relative to the offset. False where it overflows. */
bool kb_operand_extent(const kb_operand *operand, int64_t *ret_low, int64_t *ret_high);
/* A contiguous vector. */
kb_operand kb_operand_vector(uint32_t memory, uint8_t access, uint8_t dtype, uint64_t elements);

/* --- canonical bytes, as docs/trace-format.md defines them ------------------------------------ */

typedef struct kb_digest {
    uint8_t bytes[16]; /* XXH3-128, canonical (big-endian) form */
} kb_digest;

kb_digest kb_digest_of(const void *bytes, size_t size);
bool kb_digest_equal(const kb_digest *a, const kb_digest *b);
/* 32 hexadecimal characters and an end. */
const char *kb_digest_text(const kb_digest *digest, char buffer[33]);

#define KB_DIGEST_BLOCK 16384u /* ops a block */

#endif
