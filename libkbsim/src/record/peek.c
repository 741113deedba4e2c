/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at what the host supplied, while recording: the one door to contents. */
#include <inttypes.h>
#include <string.h>

#include "record/number.h"
#include "record/view.h"

/* The tensor of this rank that an element lies in; NULL where there is none. */
static const kbs_tensor *tensor_at(const kbs_program *program, uint32_t memory, uint64_t offset_bytes) {
    const kbs_tensor *found = NULL;
    for (size_t i = 0; i < program->tensor_count; i++) {
        const kbs_tensor *tensor = &program->tensors[i];
        if (tensor->memory == memory && offset_bytes >= tensor->offset_bytes &&
            offset_bytes < tensor->offset_bytes + tensor->size_bytes)
            found = tensor; /* the latest one there */
    }
    return found;
}

/* Where an element of a view lies. */
static uint64_t offset_of(const tl_view *view, uint64_t index) {
    uint64_t offset = view->offset_bytes;
    for (uint32_t axis = view->dims; axis-- > 0;) {
        offset += index % view->shape[axis] * (uint64_t)view->stride[axis] * kb_dtype_size(view->dtype);
        index /= view->shape[axis];
    }
    return offset;
}

static bool is_known(tl_stream *stream, const kbs_tensor *tensor, tl_where where) {
    if (tensor == NULL) {
        kbs_mistake(
            stream, where,
            "tl_peek: this lies in no tensor; only what a host filled with bytes or by a recipe can be "
            "read while recording");
        return false;
    }
    if (tensor->is_freed)
        kbs_mistake(stream, where, "tl_peek: tensor %s was freed", tensor->name);
    else if (tensor->known == KBS_KNOWN_NOT)
        kbs_mistake(stream, where, "tl_peek: tensor %s is undefined", tensor->name);
    else if (tensor->known == KBS_KNOWN_WRITTEN)
        kbs_mistake(
            stream, where,
            "tl_peek: tensor %s is written at %s:%u, and what is computed or moved cannot be read while "
            "recording",
            tensor->name, kbs_base_name(tensor->written.file), tensor->written.line);
    return kbs_is_ok(stream);
}

/* The element's own bits: of a NaN, a value would not tell them. */
static uint64_t bits_at(const kbs_tensor *tensor, uint32_t dtype, uint64_t offset_bytes) {
    const uint32_t size = kb_dtype_size(dtype);
    uint64_t place = offset_bytes - tensor->offset_bytes;
    if (tensor->run != 0 && tensor->known == KBS_KNOWN_INITIAL)
        place =
            (place / size / tensor->run * tensor->apart + place / size % tensor->run) * size + place % size;
    const uint8_t *bytes = tensor->known == KBS_KNOWN_BYTES ? tensor->bytes : tensor->initial.bytes;
    uint64_t bits = 0;
    if (tensor->known == KBS_KNOWN_INITIAL && tensor->initial.recipe != KB_RECIPE_BYTES)
        return kbs_bits_of(dtype, kbs_initial_value(&tensor->initial, place / size));
    for (uint32_t i = 0; i < size; i++)
        bits |= (uint64_t)bytes[place + i] << 8 * i;
    return bits;
}

double tl_peek_at(tl_stream *stream, tl_view view, uint64_t index, tl_where where) {
    const kbs_program *program = stream->program;
    if (!kbs_is_kernel(stream, where))
        return 0;
    const kbs_lies lies = kbs_view_check(stream, &view, "source", where);
    if (lies == KBS_LIES_NOWHERE)
        return 0;
    if (lies == KBS_LIES_MESSAGE || view.scope != 0) {
        kbs_mistake(
            stream, where,
            "tl_peek: messages and scratch are computed or moved, and cannot be read while recording");
        return 0;
    }
    if (index >= view.elements) {
        kbs_mistake(stream, where, "tl_peek: element %" PRIu64 " lies outside a view of %" PRIu64, index,
                    view.elements);
        return 0;
    }
    if (program->defs.memories[view.memory].rank != stream->rank) {
        kbs_mistake(stream, where, "tl_peek: this tensor belongs to rank %u, and only its own can look",
                    program->defs.memories[view.memory].rank);
        return 0;
    }
    const uint64_t offset = offset_of(&view, index);
    const kbs_tensor *tensor = tensor_at(program, view.memory, offset);
    if (!is_known(stream, tensor, where))
        return 0;
    if (view.dtype != tensor->initial.dtype || view.dtype > KB_DTYPE_I32) {
        kbs_mistake(stream, where, "tl_peek: tensor %s holds %s, and not numbers of %s", tensor->name,
                    kb_word_name(KB_VOC_DTYPE, tensor->initial.dtype),
                    kb_word_name(KB_VOC_DTYPE, view.dtype));
        return 0;
    }
    const uint64_t bits = bits_at(tensor, view.dtype, offset);
    kbs_common common;
    kbs_common_init(stream, &common, KB_OP_ASSUME, KB_BLOCKS_DONE, where);
    common.operand_count = 1;
    common.operands[0] =
        (kb_operand){.memory = view.memory, .access = KB_ACCESS_READ, .dtype = (uint8_t)view.dtype};
    kbs_command command = {.value = bits};
    command.offsets[0] = offset;
    kbs_append_command(stream, &common, &command);
    return kbs_value_of(view.dtype, bits);
}
