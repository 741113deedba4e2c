/* SPDX-License-Identifier: Apache-2.0 */
/* What a rank's host does beside launching, as its program records it: contents of tensors, writes, reads. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "record/number.h"
#include "record/tensor.h"

/* A rank's own seed for the draw with that number. */
static uint64_t seed_of(uint64_t seed, uint32_t rank, uint64_t number) {
    /* splitmix64's step and finaliser, once for each: neighbours get unrelated seeds. */
    const uint64_t parts[] = {rank, number};
    uint64_t x = seed;
    for (int i = 0; i < 2; i++) {
        x += (parts[i] + 1) * UINT64_C(0x9E3779B97F4A7C15);
        x = (x ^ x >> 30U) * UINT64_C(0xBF58476D1CE4E5B9);
        x = (x ^ x >> 27U) * UINT64_C(0x94D049BB133111EB);
        x ^= x >> 31U;
    }
    return x;
}

static bool is_host(tl_stream *stream, const char *what, tl_where where) {
    if (!stream->is_host)
        kbs_mistake(stream, where, "%s is for host programs, and this is a kernel", what);
    return stream->is_host && kbs_is_ok(stream);
}

/* --- contents -------------------------------------------------------------------------------- */

static bool holds(uint32_t dtype, double value) {
    const double most = kbs_most_of(dtype);
    if (kbs_is_integer(dtype))
        return value == floor(value) && value >= -most - 1 && value <= most;
    return fabs(value) <= most;
}

/* The numbers of a recipe, held against its dtype; false after a mistake. */
static bool check_recipe(tl_stream *host, const char *name, const kb_contents *c, uint64_t elements,
                         tl_where where) {
    const char *dtype = kb_word_name(KB_VOC_DTYPE, c->dtype);
    if (c->recipe == 0 || c->recipe == KB_RECIPE_ZEROS)
        return true;
    if (c->recipe == KB_RECIPE_BYTES) {
        if (c->bytes == NULL && elements > 0)
            kbs_mistake(host, where, "tensor %s: its bytes are at NULL", name);
        return kbs_is_ok(host);
    }
    if (!kbs_is_float(c->dtype) && !kbs_is_integer(c->dtype)) {
        kbs_mistake(host, where, "tensor %s: only numbers can be made by a recipe, and %s holds none", name,
                    dtype);
        return false;
    }
    const double last = c->recipe == KB_RECIPE_IOTA && elements > 0
                            ? c->low + (double)(elements - 1) * c->high
                        : c->recipe == KB_RECIPE_CONSTANT ? c->low
                                                          : c->high;
    const double wrong = !holds(c->dtype, c->low) ? c->low : last;
    if (!holds(c->dtype, wrong) || (c->recipe == KB_RECIPE_IOTA && !isfinite(c->high))) {
        kbs_mistake(host, where, "tensor %s: %s cannot hold %g", name, dtype, wrong);
        return false;
    }
    if (c->recipe == KB_RECIPE_UNIFORM && !kbs_is_float(c->dtype)) {
        kbs_mistake(host, where, "tensor %s: uniform draws reals, and %s holds integers", name, dtype);
        return false;
    }
    const bool is_drawn = c->recipe == KB_RECIPE_UNIFORM || c->recipe == KB_RECIPE_INTS;
    const bool is_whole =
        c->recipe != KB_RECIPE_INTS || (c->low == floor(c->low) && c->high == floor(c->high) &&
                                        fabs(c->low) <= 0x1p53 && fabs(c->high) <= 0x1p53);
    if (is_drawn && (c->low > c->high || !is_whole)) {
        kbs_mistake(host, where, "tensor %s: nothing can be drawn from %g to %g", name, c->low, c->high);
        return false;
    }
    return true;
}

tl_view kb_tensor_at(tl_stream *host, const char *name, uint32_t space, tl_shape shape,
                     const kb_contents *contents, tl_where where) {
    kbs_program *program = host->program;
    const tl_view none = {.queue = KB_NONE};
    uint64_t elements = 0;
    if (!is_host(host, "making tensors", where))
        return none;
    if (name == NULL || name[0] == '\0') {
        kbs_mistake(host, where, "a tensor without a name");
        return none;
    }
    if (kb_dtype_size(contents->dtype) == 0 || !kbs_shape_elements(&shape, &elements))
        elements = 0; /* which is told below */
    else if (!check_recipe(host, name, contents, elements, where))
        return none;
    kb_initial initial = {.dtype = contents->dtype,
                          .recipe = contents->recipe,
                          .seed = seed_of(program->seed, host->rank, program->tensor_count),
                          .low = contents->low,
                          .high = contents->high};
    if (contents->recipe == KB_RECIPE_BYTES) {
        void *copy = NULL;
        initial.bytes_count = elements * kb_dtype_size(contents->dtype);
        program->status =
            kb_arena_copy(&program->arena, contents->bytes, initial.bytes_count, &copy, &program->trail);
        initial.bytes = copy;
    }
    return kbs_tensor_new(host, name, space, &shape, &initial, where);
}

/* --- writes and reads ------------------------------------------------------------------------ */

/* A tensor of this rank, or a part of one without gaps. */
static bool check_data(tl_stream *host, tl_view *view, const char *what, tl_where where) {
    const kbs_program *program = host->program;
    if (kbs_view_check(host, view, what, where) == KBS_LIES_NOWHERE)
        return false;
    if (view->queue != KB_NONE || view->scope != 0 ||
        program->defs.memories[view->memory].rank != host->rank) {
        kbs_mistake(host, where, "the %s is no tensor of this rank", what);
        return false;
    }
    return kbs_view_straighten(host, view, what, where);
}

static kb_status add_payload(kbs_program *program, const uint8_t *bytes, uint64_t size_bytes) {
    void *payloads = program->payloads, *copy;
    KB_TRY(kb_grow(program->alloc, sizeof(kbs_payload), program->payload_count + 1,
                   &program->payload_capacity, &payloads, &program->trail));
    program->payloads = payloads;
    KB_TRY(kb_arena_copy(&program->arena, bytes, size_bytes, &copy, &program->trail));
    program->payloads[program->payload_count++] = (kbs_payload){copy, size_bytes};
    return KB_OK;
}

static void record_data(tl_stream *host, kb_kind kind, const tl_view *view, uint64_t value, tl_where where) {
    kbs_common common;
    kbs_common_init(host, &common, kind, KB_BLOCKS_DONE, where);
    const uint32_t own = kbs_host_memory(host->program, host->rank);
    const bool writes = kind == KB_OP_HOST_WRITE;
    common.route = kbs_route_between(host, writes ? own : view->memory, writes ? view->memory : own, where);
    common.operand_count = 1;
    kbs_operand_of(&common.operands[0], view, writes ? KB_ACCESS_WRITE : KB_ACCESS_READ);
    kbs_command command = {.value = value};
    command.offsets[0] = view->offset_bytes;
    kbs_append_command(host, &common, &command);
}

static void refuse_bytes(tl_stream *host, const void *bytes, uint64_t size_bytes, uint64_t whole,
                         tl_where where) {
    kbs_mistake(host, where,
                bytes == NULL ? "kb_host_write of %" PRIu64 " bytes at NULL, and the view takes %" PRIu64
                              : "kb_host_write of %" PRIu64 " bytes, and the view takes %" PRIu64,
                size_bytes, whole);
}

static void write_one(tl_stream *host, tl_view view, const void *bytes, uint64_t size_bytes, tl_where where) {
    kbs_program *program = host->program;
    if (!is_host(host, "kb_host_write", where) || !check_data(host, &view, "destination", where))
        return;
    const uint64_t size = kb_dtype_size(view.dtype), whole = view.elements * size;
    if (size_bytes != whole || (bytes == NULL && whole > 0)) {
        refuse_bytes(host, bytes, size_bytes, whole, where);
        return;
    }
    const uint64_t most = KB_PAYLOAD_MAX / size;
    for (uint64_t done = 0; done < view.elements && kbs_is_ok(host); done += most) {
        const uint64_t left = view.elements - done;
        const tl_view part = kbs_view_part(&view, done, left < most ? left : most);
        program->status = add_payload(program, (const uint8_t *)bytes + done * size, part.elements * size);
        if (program->status == KB_OK)
            record_data(host, KB_OP_HOST_WRITE, &part, program->payload_count - 1, where);
    }
    if (kbs_is_ok(host))
        kbs_know_bytes(program, &view, bytes, where);
}

/* To each PE its shares of a tensor that lies over all of the rank. */
static void write_spread(tl_stream *host, const tl_view *view, const void *bytes, uint64_t size_bytes,
                         tl_where where) {
    kbs_program *program = host->program;
    const uint32_t size = kb_dtype_size(view->dtype);
    if (size_bytes != view->elements * size || (bytes == NULL && size_bytes > 0)) {
        refuse_bytes(host, bytes, size_bytes, view->elements * size, where);
        return;
    }
    for (uint32_t pe = 0; pe < program->rank_pes && kbs_is_ok(host); pe++) {
        const tl_view part = tl_part_of_at(host, *view, pe, where);
        void *shares;
        program->status = kb_arena_new(&program->arena, part.elements * size + 1, &shares, &program->trail);
        if (program->status != KB_OK)
            return;
        kbs_spread_gather(&program->spreads[view->message - 1], pe, size, bytes, shares);
        write_one(host, part, shares, part.elements * size, where);
    }
}

void kb_host_write_at(tl_stream *host, tl_view view, const void *bytes, uint64_t size_bytes, tl_where where) {
    if (kbs_view_is_spread(&view) && kbs_is_ok(host))
        write_spread(host, &view, bytes, size_bytes, where);
    else
        write_one(host, view, bytes, size_bytes, where);
}

static void read_one(tl_stream *host, tl_view view, tl_where where) {
    if (is_host(host, "kb_host_read", where) && check_data(host, &view, "source", where) && view.elements > 0)
        record_data(host, KB_OP_HOST_READ, &view, 0, where);
}

void kb_host_read_at(tl_stream *host, tl_view view, tl_where where) {
    const uint32_t pes = kbs_view_is_spread(&view) ? host->program->rank_pes : 1;
    for (uint32_t pe = 0; pe < pes; pe++)
        read_one(host, tl_part_of_at(host, view, pe, where), where);
}
