/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns into ops: decodes one packet of one rank. It knows nothing of files or frames.
 *
 * This is the reader's hot path. An op costs a form number, an addition for each field that moves
 * by itself, and a varint for each that was mispredicted; what did not change stays where the
 * template's last op left it.
 */
#ifndef KBTRACE_SRC_DECODE_H
#define KBTRACE_SRC_DECODE_H

#include "read/input.h"

/* What a packet's ops may refer to. */
typedef struct kb_decode_scope {
    uint32_t rank, ranks; /* whose ops they are; of the run */
    const kb_defs *defs;
    kb_read_template *const *templates;
    size_t template_count;
} kb_decode_scope;

/* When a stream of the packet could go on. */
typedef struct kb_resumes {
    uint32_t stream;
    int64_t ps;
} kb_resumes;

typedef struct kb_active kb_active;
typedef struct kb_read_form kb_read_form;

typedef struct kb_decoder {
    kb_decode_scope scope;
    kb_buffer bytes;  /* the packet's own copy of its body */
    kb_ops_body body; /* columns advance as ops are taken */
    uint32_t left;    /* ops */
    uint64_t index;   /* of the next op */
    uint64_t payload_at;
    kb_arena arena; /* states of the templates in use, for this packet */
    /* The packet's forms: each has a run of `masks` and a run of `residuals`. */
    kb_read_form *forms;
    uint64_t *masks;
    uint32_t *residuals;
    size_t form_count, form_capacity, mask_count, mask_capacity, residual_count, residual_capacity;
    /* Hashes of the templates in use and of their streams, of one size and at most half full. */
    kb_active **slots;
    kb_resumes **streams;
    size_t slot_count, active_count;
    kb_active *current; /* of the last op */
} kb_decoder;

void kb_decoder_init(kb_decoder *decoder, const kb_alloc *alloc);
void kb_decoder_fini(kb_decoder *decoder);

/* Takes a copy of the body of an Ops packet and makes ready for its first op. */
kb_status kb_decoder_open(kb_decoder *decoder, kb_span body, const kb_decode_scope *scope,
                          kb_trail *trail) KB_MUST_USE;

/*
 * The next op, while decoder->left > 0. It lives until the next op of its template. After the last
 * one all columns must be used up, or the packet is damaged.
 */
kb_status kb_decoder_next(kb_decoder *decoder, const kb_op **ret_op, kb_trail *trail) KB_MUST_USE;

/* The digest of the last op's template. */
kb_status kb_decoder_template_digest(kb_decoder *decoder, const kb_digest **ret_digest,
                                     kb_trail *trail) KB_MUST_USE;

#endif
