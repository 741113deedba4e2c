/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters that benches have in common; see read.h. */
#include "bench/read.h"

#include <inttypes.h>
#include <string.h>

#include "kbtrace/nearest.h"
#include "machine/number.h"

kb_status kbs_read_dtype(const char *text, uint32_t *ret, kb_trail *trail) {
    static const uint32_t known[] = {KB_DTYPE_F16, KB_DTYPE_BF16, KB_DTYPE_F32, KB_DTYPE_I8, KB_DTYPE_I32};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(text, kb_word_name(KB_VOC_DTYPE, known[i])) == 0) {
            *ret = known[i];
            return KB_OK;
        }
    return kb_fail(trail, KB_E_ARGUMENT, "dtype: '%s' is not one of f16, bf16, f32, i8, i32", text);
}

kb_status kbs_read_reduce(const char *text, uint32_t *ret, kb_trail *trail) {
    const uint32_t value = kb_word_value(KB_VOC_REDUCE, text);
    if (value == 0 || value == KB_REDUCE_NONE)
        return kb_fail(trail, KB_E_ARGUMENT, "op: '%s' is not one of sum, min, max, prod", text);
    *ret = value;
    return KB_OK;
}

kb_status kbs_read_elements(const kbs_bench_values *values, uint32_t elems, uint32_t bytes, uint32_t dtype,
                            uint64_t *ret, kb_trail *trail) {
    const uint32_t size = kb_dtype_size(dtype);
    uint64_t number;
    if (!values->given[bytes]) {
        if (!kbs_parse_bytes(values->text[elems], &number))
            return kb_fail(trail, KB_E_ARGUMENT, "elems: '%s' is not a whole number", values->text[elems]);
        if (number > UINT64_MAX / size)
            return kb_fail(trail, KB_E_ARGUMENT, "elems: %" PRIu64 " elements exceed any memory", number);
        *ret = number;
        return KB_OK;
    }
    if (values->given[elems])
        return kb_fail(trail, KB_E_ARGUMENT, "elems and bytes say the same thing: give one of them");
    if (!kbs_parse_bytes(values->text[bytes], &number))
        return kb_fail(trail, KB_E_ARGUMENT, "bytes: '%s' is not a size such as 4096 or 64KiB",
                       values->text[bytes]);
    if (number % size != 0)
        return kb_fail(trail, KB_E_ARGUMENT, "bytes: %" PRIu64 " is no multiple of the %u bytes of %s",
                       number, size, kb_word_name(KB_VOC_DTYPE, dtype));
    *ret = number / size;
    return KB_OK;
}

/* Whether the TCM holds the tensor beside scratch and rings; whatever is asked of it, no sum overflows. */
static bool fits_tcm(const kbs_machine *machine, uint64_t size_bytes, uint64_t queues) {
    const uint64_t ring =
        machine->at.ipcq_ring == KBS_RING_TCM ? machine->at.ipcq_slots * machine->at.ipcq_slot_bytes : 0;
    const uint64_t tcm = machine->at.tcm_bytes, scratch = machine->at.scratch_bytes;
    if (scratch > tcm || (ring > 0 && queues > (tcm - scratch) / ring))
        return false;
    return size_bytes <= tcm - scratch - queues * ring;
}

kb_status kbs_read_space(const char *text, uint32_t *ret, kb_trail *trail) {
    static const uint32_t spaces[] = {KB_SPACE_TCM, KB_SPACE_SRAM, KB_SPACE_HBM};
    kb_nearest nearest;
    kb_nearest_init(&nearest, text);
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        const char *name = kb_word_name(KB_VOC_SPACE, spaces[i]);
        if (strcmp(text, name) == 0) {
            *ret = spaces[i];
            return KB_OK;
        }
        kb_nearest_offer(&nearest, name);
    }
    const char *best = kb_nearest_best(&nearest);
    if (best != NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "buffer: '%s' is not one of tcm, sram, hbm (did you mean '%s'?)",
                       text, best);
    return kb_fail(trail, KB_E_ARGUMENT, "buffer: '%s' is not one of tcm, sram, hbm", text);
}

kb_status kbs_read_buffer(const char *text, const kbs_machine *machine, uint64_t size_bytes, uint64_t queues,
                          uint32_t *ret, kb_trail *trail) {
    if (*text != '\0')
        return kbs_read_space(text, ret, trail);
    *ret = fits_tcm(machine, size_bytes, queues) ? KB_SPACE_TCM : KB_SPACE_HBM;
    return KB_OK;
}
