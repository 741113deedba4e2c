/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assumption: what a program had read when it was recorded is what memory holds when it would read it.
 *
 * The commands of a program may depend on contents that its host supplied. Where memory holds something
 * else by then, the whole rest of the trace is that of another program.
 */
#include <inttypes.h>
#include <stdio.h>

#include "check/check.h"
#include "number/number.h"
#include "op/access.h"
#include "op/op.h"

static kb_status open_assumption(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    (void)pass, (void)trail;
    *ret_state = NULL;
    return KB_OK;
}

static void close_assumption(void *state, const kb_alloc *alloc) {
    (void)state, (void)alloc;
}

static uint64_t bits_of(const uint8_t *bytes, uint32_t size) {
    uint64_t bits = 0;
    for (uint32_t i = 0; i < size; i++)
        bits |= (uint64_t)bytes[i] << 8 * i;
    return bits;
}

/* As a number where the dtype has any: "3 (0x4200)". */
static const char *say_bits(uint32_t dtype, uint64_t bits, char *buffer, size_t buffer_size) {
    const kbr_dtype *of = kbr_dtype_of(dtype);
    uint8_t bytes[8];
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(bits >> 8 * i);
    if (of != NULL)
        snprintf(buffer, buffer_size, "%.9g (0x%" PRIx64 ")", of->load(bytes), bits);
    else
        snprintf(buffer, buffer_size, "0x%" PRIx64, bits);
    return buffer;
}

static kb_status touch_assumption(void *state, kbr_pass *pass, uint32_t rank, const kb_op *op,
                                  kb_trail *trail) {
    (void)state;
    if (op->what->kind != KB_OP_ASSUME)
        return KB_OK;
    const kb_operand *what = &op->what->operands[0];
    uint32_t size = kb_dtype_size(what->dtype);
    uint8_t bytes[8];
    bool undefined;
    uint64_t at;
    KB_TRY(kbr_find_undefined(pass, what, op->offsets[0], &undefined, &at, trail));
    KB_TRY(kbr_gather(pass, what, op->offsets[0], bytes, NULL, trail));
    uint64_t held = bits_of(bytes, size);
    if (undefined || held == op->value) /* undefined: `init` says so */
        return KB_OK;
    char seen[64], now[64];
    kbr_finding finding = kbr_finding_about(pass->defs, "assumption", "contents", rank, op);
    finding.key = op->what->kernel;
    kbr_finding_place(&finding, pass->defs, what->memory, op->offsets[0], size);
    kbr_finding_say(&finding, "the program was recorded with %s there, and memory holds %s",
                    say_bits(what->dtype, op->value, seen, sizeof seen),
                    say_bits(what->dtype, held, now, sizeof now));
    if (!kbr_regions_element(pass->regions, what->memory, op->offsets[0], &finding.tensor, &finding.element))
        finding.tensor = KB_NONE;
    kbr_findings_add(pass->findings, &finding);
    return KB_OK;
}

const kbr_check kbr_check_assumption = {
    .open = open_assumption, .touch = touch_assumption, .close = close_assumption};
