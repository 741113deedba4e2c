/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that definitions keep among themselves, one function a table: see defs_check.h. */
#include "words/defs_check.h"

typedef struct checking {
    const kb_defs *defs;
    uint32_t ranks;
    kb_status bad;
    kb_trail *trail;
    const char *table;
    size_t row;
} checking;

static kb_status names(const checking *c, const char *what, uint32_t id, size_t count) {
    if (id < count)
        return KB_OK;
    return kb_fail(c->trail, c->bad, "the definition of %s %zu names %s %u, of which there are %zu", c->table,
                   c->row, what, id, count);
}

static kb_status may_name(const checking *c, const char *what, uint32_t id, size_t count) {
    return id == KB_NONE ? KB_OK : names(c, what, id, count);
}

static kb_status holds(const checking *c, bool sense, const char *why) {
    if (sense)
        return KB_OK;
    return kb_fail(c->trail, c->bad, "the definition of %s %zu has no sense: %s", c->table, c->row, why);
}

static kb_status check_string(const checking *c, const kb_string *row) {
    (void)c, (void)row;
    return KB_OK;
}

static kb_status check_setting(const checking *c, const kb_setting *row) {
    (void)c, (void)row;
    return KB_OK;
}

static kb_status check_cause(const checking *c, const kb_cause_def *row) {
    return holds(c, row->cause <= UINT16_MAX, "causes have numbers up to 65535");
}

static kb_status check_pe(const checking *c, const kb_pe *row) {
    return may_name(c, "rank", row->rank, c->ranks);
}

static kb_status check_stream(const checking *c, const kb_stream *row) {
    KB_TRY(names(c, "rank", row->rank, c->ranks));
    return may_name(c, "PE", row->pe, c->defs->pe_count);
}

static kb_status check_engine(const checking *c, const kb_engine *row) {
    return names(c, "stream", row->stream, c->defs->stream_count);
}

static kb_status check_memory(const checking *c, const kb_memory *row) {
    KB_TRY(names(c, "rank", row->rank, c->ranks));
    return may_name(c, "PE", row->pe, c->defs->pe_count);
}

static kb_status check_link(const checking *c, const kb_link *row) {
    (void)c, (void)row;
    return KB_OK;
}

static kb_status check_route(const checking *c, const kb_route *row) {
    for (size_t i = 0; i < row->link_count; i++)
        KB_TRY(names(c, "link", row->links[i], c->defs->link_count));
    return KB_OK;
}

static kb_status check_group(const checking *c, const kb_group *row) {
    for (size_t i = 0; i < row->rank_count; i++)
        KB_TRY(names(c, "rank", row->ranks[i], c->ranks));
    return KB_OK;
}

static kb_status check_queue(const checking *c, const kb_queue *row) {
    KB_TRY(names(c, "stream", row->producer, c->defs->stream_count));
    KB_TRY(names(c, "stream", row->consumer, c->defs->stream_count));
    KB_TRY(holds(c, row->slots > 0 && row->slot_bytes > 0, "a ring has slots, and slots have bytes"));
    return names(c, "memory", row->memory, c->defs->memory_count);
}

static kb_status check_tensor(const checking *c, const kb_tensor *row) {
    KB_TRY(may_name(c, "rank", row->rank, c->ranks));
    for (size_t i = 0; i < row->shard_count; i++) {
        const kb_shard *shard = &row->shards[i];
        KB_TRY(names(c, "memory", shard->memory, c->defs->memory_count));
        KB_TRY(holds(c,
                     shard->origin_count == row->shape_count && shard->shape_count == row->shape_count &&
                         shard->stride_count == row->shape_count,
                     "a shard has other axes than the whole"));
    }
    return KB_OK;
}

static kb_status check_initial(const checking *c, const kb_initial *row) {
    uint64_t size = row->dtype <= UINT8_MAX ? kb_dtype_size((uint8_t)row->dtype) : 0;
    KB_TRY(names(c, "memory", row->memory, c->defs->memory_count));
    KB_TRY(holds(c, size > 0 && row->elements <= UINT64_MAX / 8, "its elements have no size"));
    return holds(c, row->recipe != KB_RECIPE_BYTES || row->bytes_count == row->elements * size,
                 "its bytes are not those of its elements");
}

static kb_status check_collective(const checking *c, const kb_collective *row) {
    KB_TRY(names(c, "group", row->group, c->defs->group_count));
    KB_TRY(may_name(c, "member of its group", row->root, c->defs->groups[row->group].rank_count));
    KB_TRY(may_name(c, "string", row->algorithm, c->defs->string_count));
    for (size_t i = 0; i < row->part_count; i++) {
        const kb_part *part = &row->parts[i];
        KB_TRY(names(c, "rank", part->rank, c->ranks));
        KB_TRY(names(c, "stream", part->stream, c->defs->stream_count));
        KB_TRY(may_name(c, "memory", part->input, c->defs->memory_count));
        KB_TRY(may_name(c, "memory", part->output, c->defs->memory_count));
    }
    return KB_OK;
}

static kb_status check_counter(const checking *c, const kb_counter *row) {
    return names(c, "rank", row->rank, c->ranks);
}

kb_status kb_defs_check(const kb_defs *defs, uint32_t ranks, kb_status bad, kb_trail *trail) {
    checking c = {.defs = defs, .ranks = ranks, .bad = bad, .trail = trail};
#define KB_DEF(name, type, plural)                       \
    c.table = #name;                                     \
    for (c.row = 0; c.row < defs->name##_count; c.row++) \
        KB_TRY(check_##name(&c, &defs->plural[c.row]));
    KB_DEFS(KB_DEF)
#undef KB_DEF
    return KB_OK;
}

kb_status kb_template_check_ids(const kb_template *what, const kb_defs *defs, uint32_t ranks, kb_status bad,
                                kb_trail *trail) {
    const struct {
        const char *name;
        uint32_t id;
        size_t count;
        bool may_miss;
    } ids[] = {
        {"stream", what->stream, defs->stream_count, false},
        {"engine", what->engine, defs->engine_count, true},
        {"queue", what->queue, defs->queue_count, true},
        {"route", what->route, defs->route_count, true},
        {"group", what->group, defs->group_count, true},
        {"step", what->step, defs->string_count, true},
        {"kernel", what->kernel, defs->string_count, true},
        {"file", what->file, defs->string_count, true},
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (ids[i].id >= ids[i].count && !(ids[i].may_miss && ids[i].id == KB_NONE))
            return kb_fail(trail, bad, "a template names %s %u of %zu", ids[i].name, ids[i].id, ids[i].count);
    for (uint32_t i = 0; i < what->operand_count; i++)
        if (what->operands[i].memory >= defs->memory_count)
            return kb_fail(trail, bad, "a template names memory %u of %zu", what->operands[i].memory,
                           defs->memory_count);
    for (uint32_t i = 0; i < what->claim_count; i++)
        if (what->claims[i].rank >= ranks)
            return kb_fail(trail, bad, "a template claims an op of rank %u of %u", what->claims[i].rank,
                           ranks);
    return KB_OK;
}
