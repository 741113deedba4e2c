/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of definitions that only grow: see defs.h. Rows are copied as schema.c describes them. */
#include "kbtrace/defs.h"

#include <assert.h>
#include <string.h>

#include "words/defs_rows.h"

void kb_defs_init(kb_defs *defs, const kb_alloc *alloc, size_t limit_size) {
    *defs = (kb_defs){.string_slots = NULL};
    kb_arena_init(&defs->arena, alloc, limit_size);
}

void kb_defs_fini(kb_defs *defs) {
    const kb_alloc *alloc = defs->arena.alloc;
#define KB_DEF(name, type, plural) kb_delete(alloc, defs->plural, defs->name##_capacity * sizeof(type));
    KB_DEFS(KB_DEF)
#undef KB_DEF
    kb_delete(alloc, defs->string_slots, defs->string_slot_count * sizeof *defs->string_slots);
    kb_arena_fini(&defs->arena);
    *defs = (kb_defs){.string_slots = NULL};
}

/* --- rows of any table ------------------------------------------------------------------------ */

kb_rows kb_defs_rows(kb_defs *defs, enum kb_table table) {
    switch (table) {
#define KB_DEF(name, type, plural) \
    case KB_TABLE_##name:          \
        return (kb_rows){(void **)&defs->plural, &defs->name##_count, &defs->name##_capacity, sizeof(type)};
        KB_DEFS(KB_DEF)
#undef KB_DEF
    case KB_TABLE_COUNT: break;
    }
    assert(false && "a table of KB_DEFS");
    return (kb_rows){NULL, NULL, NULL, 0};
}

kb_view kb_defs_view(const kb_defs *defs, enum kb_table table) {
    switch (table) {
#define KB_DEF(name, type, plural) \
    case KB_TABLE_##name: return (kb_view){(const uint8_t *)defs->plural, defs->name##_count, sizeof(type)};
        KB_DEFS(KB_DEF)
#undef KB_DEF
    case KB_TABLE_COUNT: break;
    }
    assert(false && "a table of KB_DEFS");
    return (kb_view){NULL, 0, 0};
}

kb_status kb_defs_new_row(kb_defs *defs, enum kb_table table, void **ret_row, kb_trail *trail) {
    kb_rows rows = kb_defs_rows(defs, table);
    size_t count = *rows.count;
    if (count >= KB_NONE - 1)
        return kb_fail(trail, KB_E_LIMIT, "more than %u rows in a table of definitions", KB_NONE - 1);
    size_t limit = defs->arena.limit_size;
    if (limit != 0 && count + 1 > *rows.capacity && (count + 1) * rows.row_size > limit / 2)
        return kb_fail(trail, KB_E_LIMIT, "%zu rows of %s exceed the memory for definitions (%zu bytes)",
                       count + 1, kb_definition_messages[table]->name, limit);
    KB_TRY(kb_grow(defs->arena.alloc, rows.row_size, count + 1, rows.capacity, rows.items, trail));
    *ret_row = (uint8_t *)*rows.items + count * rows.row_size;
    return KB_OK;
}

static kb_status add_row(kb_defs *defs, enum kb_table table, const void *row, uint32_t *ret_id,
                         kb_trail *trail) {
    void *copy = NULL;
    KB_TRY(kb_defs_new_row(defs, table, &copy, trail));
    KB_TRY(kb_message_copy(kb_definition_messages[table], row, &defs->arena, copy, trail));
    *ret_id = (uint32_t)(*kb_defs_rows(defs, table).count)++;
    return KB_OK;
}

#define KB_DEF(name, type, plural)                                                                    \
    kb_status kb_defs_add_##name(kb_defs *defs, const type *row, uint32_t *ret_id, kb_trail *trail) { \
        return add_row(defs, KB_TABLE_##name, row, ret_id, trail);                                    \
    }
KB_DEFS(KB_DEF)
#undef KB_DEF

/* --- strings ---------------------------------------------------------------------------------- */

static uint64_t hash_text(const char *text) {
    uint64_t hash = 1469598103934665603u; /* FNV-1a, by its authors */
    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * 1099511628211u;
    return hash;
}

static uint32_t *find_slot(const kb_defs *defs, const char *text) {
    size_t mask = defs->string_slot_count - 1, i = hash_text(text) & mask;
    while (defs->string_slots[i] != KB_NONE && strcmp(defs->strings[defs->string_slots[i]].text, text) != 0)
        i = (i + 1) & mask;
    return &defs->string_slots[i];
}

/* At most half full, and right after rows were added by other ways. */
static kb_status rebuild_slots(kb_defs *defs, kb_trail *trail) {
    size_t wanted = 16;
    while (wanted < 4 * (defs->string_count + 1))
        wanted *= 2;
    void *slots;
    KB_TRY(kb_new(defs->arena.alloc, wanted * sizeof *defs->string_slots, &slots, trail));
    kb_delete(defs->arena.alloc, defs->string_slots, defs->string_slot_count * sizeof *defs->string_slots);
    memset(slots, 0xff, wanted * sizeof *defs->string_slots);
    defs->string_slots = slots;
    defs->string_slot_count = wanted;
    for (uint32_t id = 0; id < defs->string_count; id++) {
        uint32_t *slot = find_slot(defs, defs->strings[id].text);
        if (*slot == KB_NONE)
            *slot = id;
    }
    return KB_OK;
}

kb_status kb_defs_intern(kb_defs *defs, const char *text, uint32_t *ret_id, kb_trail *trail) {
    if (2 * (defs->string_count + 1) > defs->string_slot_count)
        KB_TRY(rebuild_slots(defs, trail));
    uint32_t *slot = find_slot(defs, text);
    if (*slot == KB_NONE) {
        kb_string row = {text};
        uint32_t id;
        KB_TRY(kb_defs_add_string(defs, &row, &id, trail));
        *slot = id;
    }
    *ret_id = *slot;
    return KB_OK;
}

const char *kb_defs_text(const kb_defs *defs, uint32_t string) {
    return string < defs->string_count ? defs->strings[string].text : "";
}

kb_status kb_defs_add_causes(kb_defs *defs, kb_trail *trail) {
    static const kb_cause_def rows[] = {
#define KB_CAUSE(NAME, name, wire, help) {wire, #name, help},
#include "kbtrace/causes.def"
#undef KB_CAUSE
    };
    uint32_t id;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        KB_TRY(kb_defs_add_cause(defs, &rows[i], &id, trail));
    return KB_OK;
}
