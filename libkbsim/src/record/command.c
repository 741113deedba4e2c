/* SPDX-License-Identifier: Apache-2.0 */
/* Commands as bytes; see command.h. Knows no kind of op. */
#include "record/command.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "record/pack.h"
#include "record/varint.h"

/* At most one varint for the shape and one for each kind of difference, and a byte that says which. */
enum { MOST_COMMAND_BYTES = (KBS_OPERANDS + 5) * KBS_VARINT_BYTES + 1 };

/*
 * A stream's first block is small and stays as it is: many streams, hosts' above all, have no other. All
 * others are written in one and the same place, and kept packed.
 */
enum { FIRST_BYTES = 480, BLOCK_BYTES = KBS_PACK_BYTES };

struct kbs_block {
    kbs_block *next;
    uint32_t size; /* of the commands */
    bool packed;
    uint8_t bytes[];
};

/* What differs from the guess; a command's second number. */
enum {
    NEW_STEP = 1,
    NEW_ID = 2,
    NEW_VALUE = 4,
    NEW_OFFSET = 8,
    NEW_DISTANCE = NEW_OFFSET << KBS_OPERANDS,
};
_Static_assert(NEW_DISTANCE < 256, "one byte says what differs");

void kbs_commands_init(kbs_commands *commands, kb_arena *arena) {
    memset(commands, 0, sizeof *commands);
    commands->arena = arena;
}

void kbs_commands_fini(kbs_commands *commands) {
    if (commands->arena == NULL)
        return;
    const kb_alloc *alloc = commands->arena->alloc;
    kb_delete(alloc, commands->shapes, commands->shape_capacity * sizeof(kbs_shape *));
    kb_delete(alloc, commands->slots, commands->slot_count * sizeof(uint32_t));
}

/* --- shapes ---------------------------------------------------------------------------------- */

/* Bytes of a shape that are compared: the count of operands is among them. */
static size_t size_of(const kbs_common *common) {
    return offsetof(kbs_common, operands) + common->operand_count * sizeof(kb_operand);
}

static uint64_t hash_of(const kbs_common *common) {
    const unsigned char *bytes = (const unsigned char *)common;
    const size_t size = size_of(common);
    uint64_t hash = size;
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29U;
    }
    return hash;
}
_Static_assert(offsetof(kbs_common, operands) % 8 == 0 && sizeof(kb_operand) % 8 == 0,
               "whole words are hashed and compared");

/* A fixed count of words, without a branch: nearly always all are equal. */
static inline bool are_words_equal(const void *a, const void *b, size_t words) {
    uint64_t different = 0;
    for (size_t i = 0; i < words; i++) {
        uint64_t one, other;
        memcpy(&one, (const char *)a + i * 8, sizeof one);
        memcpy(&other, (const char *)b + i * 8, sizeof other);
        different |= one ^ other;
    }
    return different == 0;
}

/* Most are vectors, and have no other axes to compare. */
static inline bool is_same_operand(const kb_operand *a, const kb_operand *b) {
    uint64_t one, other; /* all before the shape */
    memcpy(&one, a, sizeof one);
    memcpy(&other, b, sizeof other);
    if (((one ^ other) | (a->shape[0] ^ b->shape[0]) | (uint64_t)(a->stride[0] ^ b->stride[0])) != 0)
        return false;
    return a->dims <= 1 || are_words_equal(a, b, sizeof *a / 8);
}
_Static_assert(offsetof(kb_operand, shape) == 8, "a word is all before the shape");

static inline bool is_same(const kbs_common *a, const kbs_common *b) {
    if (!are_words_equal(a, b, offsetof(kbs_common, operands) / 8))
        return false;
    for (unsigned i = 0; i < a->operand_count; i++)
        if (!is_same_operand(&a->operands[i], &b->operands[i]))
            return false;
    return true;
}

static size_t slot_of(const kbs_commands *commands, const kbs_common *common) {
    size_t slot = (size_t)hash_of(common) & (commands->slot_count - 1);
    while (commands->slots[slot] != 0 &&
           !is_same(common, &commands->shapes[commands->slots[slot] - 1]->common))
        slot = (slot + 1) & (commands->slot_count - 1);
    return slot;
}

static kb_status grow_slots(kbs_commands *commands, kb_trail *trail) {
    const kb_alloc *alloc = commands->arena->alloc;
    const size_t count = commands->slot_count > 0 ? commands->slot_count * 2 : 32;
    void *slots;
    KB_TRY(kb_new_zeroed(alloc, count * sizeof(uint32_t), &slots, trail));
    kb_delete(alloc, commands->slots, commands->slot_count * sizeof(uint32_t));
    commands->slots = slots;
    commands->slot_count = count;
    for (uint32_t id = 0; id < commands->shape_count; id++)
        commands->slots[slot_of(commands, &commands->shapes[id]->common)] = id + 1;
    return KB_OK;
}

static kb_status add_shape(kbs_commands *commands, const kbs_common *common, kb_trail *trail) {
    void *shapes = commands->shapes, *memory;
    KB_TRY(kb_grow(commands->arena->alloc, sizeof(kbs_shape *), commands->shape_count + 1,
                   &commands->shape_capacity, &shapes, trail));
    commands->shapes = shapes;
    KB_TRY(kb_arena_new_in_lines(commands->arena, sizeof(kbs_kept_shape), &memory, trail));
    kbs_kept_shape *kept = memory;
    memcpy(&kept->shape.common, common, size_of(common));
    kept->shape.id = (uint32_t)commands->shape_count;
    kept->followers[0] = kept->followers[1] = kept;
    commands->shapes[kept->shape.id] = &kept->shape;
    commands->shape_count++;
    return KB_OK;
}

/* Finds or adds the shape of a command that is not the expected one: next time, this one is. */
static kb_status find_shape(kbs_commands *commands, const kbs_common *common, kbs_kept_shape **ret,
                            kb_trail *trail) {
    kbs_kept_shape *latest = commands->latest, *found;
    if (latest != NULL && is_same(common, &latest->followers[1]->shape.common)) {
        found = latest->followers[1];
    } else {
        if ((commands->shape_count + 1) * 2 > commands->slot_count)
            KB_TRY(grow_slots(commands, trail));
        const size_t slot = slot_of(commands, common);
        if (commands->slots[slot] == 0) {
            KB_TRY(add_shape(commands, common, trail));
            commands->slots[slot] = (uint32_t)commands->shape_count;
        }
        found = (kbs_kept_shape *)commands->shapes[commands->slots[slot] - 1];
    }
    if (latest != NULL) {
        latest->followers[1] = latest->followers[0];
        latest->followers[0] = found;
    }
    *ret = found;
    return KB_OK;
}
_Static_assert(offsetof(kbs_kept_shape, shape) == 0, "a shape's address is that of what is kept with it");

/* --- writing --------------------------------------------------------------------------------- */

static kb_status new_block(kbs_commands *commands, size_t size, kbs_block **ret, kb_trail *trail) {
    void *memory;
    KB_TRY(kb_arena_new(commands->arena, sizeof(kbs_block) + size, &memory, trail));
    *ret = memory;
    return KB_OK;
}

static void link_block(kbs_commands *commands, kbs_block *block) {
    if (commands->last == NULL)
        commands->first = block;
    else
        commands->last->next = block;
    commands->last = block;
}

static kb_status keep_packed(kbs_commands *commands, const kbs_block *open, kb_trail *trail) {
    uint8_t packed[KBS_PACKED_BYTES];
    const size_t size = kbs_pack(open->bytes, open->size, packed);
    kbs_block *block;
    KB_TRY(new_block(commands, size, &block, trail));
    block->size = open->size;
    block->packed = true;
    memcpy(block->bytes, packed, size);
    link_block(commands, block);
    return KB_OK;
}

/* The open block is full, or there is none. */
static kb_status add_block(kbs_commands *commands, kb_trail *trail) {
    kbs_block *open = commands->open;
    if (commands->most > 0 && commands->count >= commands->most)
        return kb_fail(trail, KB_E_LIMIT,
                       "more than %" PRIu64 " commands of one stream: does a loop record without end?",
                       commands->most);
    const size_t size = open == NULL ? FIRST_BYTES : BLOCK_BYTES;
    if (open != NULL)
        open->size = (uint32_t)(commands->at - open->bytes);
    if (open != NULL && commands->last != NULL)
        KB_TRY(keep_packed(commands, open, trail));
    else
        KB_TRY(new_block(commands, size, &commands->open, trail));
    if (open != NULL && commands->last == NULL)
        link_block(commands, open);
    commands->at = commands->open->bytes;
    commands->full = commands->at + size - MOST_COMMAND_BYTES + 1;
    return KB_OK;
}

/*
 * Writes the differences from the guess, and makes the guess what was: the next offset is expected as far
 * from this one as this one is from the last. Returns what was new.
 */
static inline unsigned put_news(kbs_commands *commands, const kbs_command *command, unsigned operands,
                                uint64_t distance, kbs_guess *guess, uint8_t **inout_at) {
    unsigned news = 0;
    uint8_t *at = *inout_at;
    if (command->step != commands->step) {
        news |= NEW_STEP;
        at = kbs_put_signed(at, command->step - commands->step);
        commands->step = command->step;
    }
    const uint64_t further = command->id - guess->id;
    guess->id = command->id;
    if (further != guess->id_stride) {
        news |= NEW_ID;
        at = kbs_put_signed(at, further);
        guess->id_stride = further;
    }
    if (command->value != guess->value) {
        news |= NEW_VALUE;
        at = kbs_put_varint(at, command->value);
        guess->value = command->value;
    }
    for (unsigned i = 0; i < operands; i++) {
        const uint64_t stride = command->offsets[i] - guess->operands[i].offset;
        guess->operands[i].offset = command->offsets[i];
        if (stride != guess->operands[i].stride) {
            news |= (unsigned)NEW_OFFSET << i;
            at = kbs_put_signed(at, stride);
            guess->operands[i].stride = stride;
        }
    }
    if (distance != guess->distance) {
        news |= NEW_DISTANCE;
        at = kbs_put_varint(at, distance);
        guess->distance = distance;
    }
    *inout_at = at;
    return news;
}

static inline void put(kbs_commands *commands, kbs_kept_shape *kept, const kbs_common *common,
                       const kbs_command *command) {
    const uint64_t distance = common->awaited > 0 ? commands->newest - command->awaited : 0;
    uint8_t *at = kbs_put_varint(commands->at, kept->shape.id), *const news = at++;
    *news = (uint8_t)put_news(commands, command, common->operand_count, distance, &kept->guess, &at);
    commands->at = at;
    commands->latest = kept;
    commands->newest += common->numbered;
    commands->count++;
}

/* One that is not as expected, or for which there is no room. */
static __attribute__((noinline)) kb_status add_other(kbs_commands *commands, const kbs_common *common,
                                                     const kbs_command *command, kb_trail *trail) {
    kbs_kept_shape *kept = commands->latest != NULL ? commands->latest->followers[0] : NULL;
    if (kept == NULL || !is_same(common, &kept->shape.common))
        KB_TRY(find_shape(commands, common, &kept, trail));
    if (commands->at >= commands->full)
        KB_TRY(add_block(commands, trail));
    put(commands, kept, common, command);
    return KB_OK;
}

/* Loops repeat themselves, and end: the two shapes that followed lately are looked at first. */
kb_status kbs_commands_add(kbs_commands *commands, const kbs_common *common, const kbs_command *command,
                           kb_trail *trail) {
    if (commands->at >= commands->full) /* so it is before the first command */
        return add_other(commands, common, command, trail);
    kbs_kept_shape *kept = commands->latest->followers[0];
    if (!is_same(common, &kept->shape.common))
        return add_other(commands, common, command, trail);
    put(commands, kept, common, command);
    return KB_OK;
}

/* --- reading --------------------------------------------------------------------------------- */

static kb_status make_room(kbs_place_in_blocks *in, const kbs_commands *commands, kb_arena *arena,
                           kb_trail *trail) {
    void *room = NULL;
    if (commands->first != commands->last)
        KB_TRY(kb_arena_new(arena, BLOCK_BYTES, &room, trail));
    in->room = room;
    return KB_OK;
}

static void rewind_blocks(kbs_place_in_blocks *in, const kbs_commands *commands) {
    in->next = commands->first;
    in->open = commands->open;
    in->at = in->end = NULL;
}

/* The open block comes last, and has no end: its reader knows how many commands there are. */
static __attribute__((noinline)) void next_block(kbs_place_in_blocks *in) {
    const kbs_block *block = in->next;
    if (block == NULL) {
        in->at = in->open->bytes;
        in->end = NULL;
        return;
    }
    in->next = block->next;
    in->at = block->bytes;
    if (block->packed) {
        kbs_unpack(block->bytes, block->size, in->room);
        in->at = in->room;
    }
    in->end = in->at + block->size;
}

kb_status kbs_reading_init(kbs_reading *reading, const kbs_commands *commands, kb_arena *arena,
                           kb_trail *trail) {
    void *guesses;
    KB_TRY(kb_arena_new_in_lines(arena, commands->shape_count * sizeof(kbs_guess), &guesses, trail));
    *reading = (kbs_reading){.shapes = commands->shapes, .left = commands->count, .guesses = guesses};
    KB_TRY(make_room(&reading->in, commands, arena, trail));
    rewind_blocks(&reading->in, commands);
    return KB_OK;
}

/* What put_news() wrote, put together with the guess. */
static inline const uint8_t *get_news(kbs_reading *reading, const uint8_t *at, unsigned news,
                                      unsigned operands, kbs_guess *guess, kbs_command *ret) {
    if (news & NEW_STEP) {
        uint64_t difference;
        at = kbs_get_signed(at, &difference);
        reading->step += difference;
    }
    if (news & NEW_ID)
        at = kbs_get_signed(at, &guess->id_stride);
    if (news & NEW_VALUE)
        at = kbs_get_varint(at, &guess->value);
    for (unsigned i = 0; i < operands; i++) {
        if (news & (unsigned)NEW_OFFSET << i)
            at = kbs_get_signed(at, &guess->operands[i].stride);
        ret->offsets[i] = guess->operands[i].offset += guess->operands[i].stride;
    }
    if (news & NEW_DISTANCE)
        at = kbs_get_varint(at, &guess->distance);
    ret->step = reading->step;
    ret->id = guess->id += guess->id_stride;
    ret->value = guess->value;
    ret->awaited = reading->newest - guess->distance;
    return at;
}

bool kbs_reading_next(kbs_reading *reading, kbs_command *ret) {
    if (reading->left == 0)
        return false;
    reading->left--;
    kbs_place_in_blocks *in = &reading->in;
    if (in->at == in->end)
        next_block(in);
    uint64_t id;
    const uint8_t *at = kbs_get_varint(in->at, &id);
    const unsigned news = *at++;
    kbs_shape *shape = reading->shapes[id];
    in->at = get_news(reading, at, news, shape->common.operand_count, &reading->guesses[id], ret);
    reading->newest += shape->common.numbered;
    ret->shape = shape;
    return true;
}

/* --- skimming -------------------------------------------------------------------------------- */

kb_status kbs_skim_init(kbs_skim *skim, const kbs_commands *commands, const bool *wanted, kb_arena *arena,
                        kb_trail *trail) {
    void *memory;
    KB_TRY(kb_arena_new(arena, commands->shape_count * sizeof(kbs_brief), &memory, trail));
    *skim = (kbs_skim){.briefs = memory, .commands = commands};
    for (size_t i = 0; i < commands->shape_count; i++) {
        const kbs_common *common = &commands->shapes[i]->common;
        skim->briefs[i] = (kbs_brief){.common = common,
                                      .is_wanted = wanted[common->kind],
                                      .numbered = common->numbered,
                                      .operands = (uint8_t)common->operand_count};
    }
    KB_TRY(make_room(&skim->in, commands, arena, trail));
    kbs_skim_rewind(skim);
    return KB_OK;
}

void kbs_skim_rewind(kbs_skim *skim) {
    for (size_t i = 0; i < skim->commands->shape_count; i++)
        skim->briefs[i].id = skim->briefs[i].id_stride = skim->briefs[i].distance = 0;
    rewind_blocks(&skim->in, skim->commands);
    skim->left = skim->commands->count;
    skim->newest = 0;
}

static const uint8_t *skip_varint(const uint8_t *at) {
    while (*at++ & 0x80U)
        continue;
    return at;
}

/* As get_news(), of what is wanted alone. */
static const uint8_t *skim_news(const uint8_t *at, unsigned news, kbs_brief *brief) {
    if (news & NEW_STEP)
        at = skip_varint(at);
    if (news & NEW_ID)
        at = kbs_get_signed(at, &brief->id_stride);
    if (news & NEW_VALUE)
        at = skip_varint(at);
    for (unsigned i = 0; i < brief->operands; i++)
        if (news & (unsigned)NEW_OFFSET << i)
            at = skip_varint(at);
    if (news & NEW_DISTANCE)
        at = kbs_get_varint(at, &brief->distance);
    return at;
}

bool kbs_skim_next(kbs_skim *skim, kbs_skimmed *ret) {
    while (skim->left > 0) {
        skim->left--;
        if (skim->in.at == skim->in.end)
            next_block(&skim->in);
        uint64_t shape;
        const uint8_t *at = kbs_get_varint(skim->in.at, &shape);
        kbs_brief *brief = &skim->briefs[shape];
        const unsigned news = *at++;
        skim->in.at = news == 0 ? at : skim_news(at, news, brief);
        skim->newest += brief->numbered;
        brief->id += brief->id_stride;
        if (!brief->is_wanted)
            continue;
        *ret = (kbs_skimmed){brief->common, skim->newest, skim->newest - brief->distance, brief->id};
        return true;
    }
    return false;
}
