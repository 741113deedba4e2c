/* SPDX-License-Identifier: Apache-2.0 */
/* assume reads the one element that a peek saw while recording; memory stays as it is. */
#include <inttypes.h>
#include <stdio.h>

#include "op/access.h"
#include "op/op.h"

static bool fits(const kb_op *op, char words[KBR_MISFIT_CHARS]) {
    uint64_t elements = kb_operand_elements(&op->what->operands[0]);
    if (elements != 1)
        snprintf(words, KBR_MISFIT_CHARS, "it is about one element, and its operand has %" PRIu64, elements);
    return elements == 1;
}

const kbr_op_impl kbr_op_assume = {.flow = KBR_FLOW_USE, .fits = fits};
