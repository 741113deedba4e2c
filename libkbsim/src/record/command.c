/* SPDX-License-Identifier: Apache-2.0 */
/* Commands as bytes; see command.h. Knows no kind of op. */
#include "record/command.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "record/varint.h"

/* At most one varint for the shape and one for each kind of difference, and a byte that says which. */
enum { BLOCK_BYTES = 992, MOST_COMMAND_BYTES = (KBS_OPERANDS + 5) * KBS_VARINT_BYTES + 1 };

struct kbs_block {
    kbs_block *next;
    size_t size;
    uint8_t bytes[BLOCK_BYTES];
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
    kb_delete(alloc, commands->guesses, commands->guess_capacity * sizeof(kbs_guess));
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
               "hash_of() takes whole words");

static bool is_same(const kbs_common *a, const kbs_common *b) {
    return memcmp(a, b, size_of(a)) == 0;
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
    const kb_alloc *alloc = commands->arena->alloc;
    void *shapes = commands->shapes, *guesses = commands->guesses, *memory;
    KB_TRY(kb_grow(alloc, sizeof(kbs_shape *), commands->shape_count + 1, &commands->shape_capacity, &shapes,
                   trail));
    commands->shapes = shapes;
    KB_TRY(kb_grow(alloc, sizeof(kbs_guess), commands->shape_count + 1, &commands->guess_capacity, &guesses,
                   trail));
    commands->guesses = guesses;
    KB_TRY(kb_arena_new(commands->arena, sizeof(kbs_shape), &memory, trail));
    kbs_shape *shape = memory;
    memcpy(&shape->common, common, size_of(common));
    shape->id = (uint32_t)commands->shape_count;
    commands->shapes[shape->id] = shape;
    memset(&commands->guesses[shape->id], 0, sizeof(kbs_guess));
    commands->shape_count++;
    return KB_OK;
}

/* Loops repeat themselves, and end: the two shapes that followed lately are looked at first. */
static bool is_follower(kbs_commands *commands, const kbs_common *common, uint32_t *ret) {
    if (commands->count == 0)
        return false;
    kbs_guess *guess = &commands->guesses[commands->latest];
    uint32_t id = guess->followers[0];
    if (!is_same(common, &commands->shapes[id]->common)) {
        id = guess->followers[1];
        if (!is_same(common, &commands->shapes[id]->common))
            return false;
        guess->followers[1] = guess->followers[0];
        guess->followers[0] = id;
    }
    commands->latest = *ret = id;
    return true;
}

static kb_status shape_of(kbs_commands *commands, const kbs_common *common, uint32_t *ret, kb_trail *trail) {
    if (is_follower(commands, common, ret))
        return KB_OK;
    if ((commands->shape_count + 1) * 2 > commands->slot_count)
        KB_TRY(grow_slots(commands, trail));
    const size_t slot = slot_of(commands, common);
    if (commands->slots[slot] == 0) {
        KB_TRY(add_shape(commands, common, trail));
        commands->slots[slot] = (uint32_t)commands->shape_count;
    }
    *ret = commands->slots[slot] - 1;
    kbs_guess *guess = &commands->guesses[commands->latest];
    guess->followers[1] = guess->followers[0];
    guess->followers[0] = *ret;
    commands->latest = *ret;
    return KB_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

static kb_status room(kbs_commands *commands, kb_trail *trail) {
    kbs_block *last = commands->last;
    if (last != NULL && last->size + MOST_COMMAND_BYTES <= BLOCK_BYTES)
        return KB_OK;
    void *memory;
    KB_TRY(kb_arena_new(commands->arena, sizeof(kbs_block), &memory, trail));
    if (last == NULL)
        commands->first = memory;
    else
        last->next = memory;
    commands->last = memory;
    return KB_OK;
}

/* The guess becomes what was: the next offset is expected as far from this one as this from the last. */
static void learn(kbs_guess *guess, unsigned operand, uint64_t offset) {
    guess->strides[operand] = offset - guess->offsets[operand];
    guess->offsets[operand] = offset;
}

static void learn_id(kbs_guess *guess, uint64_t id) {
    guess->id_stride = id - guess->id;
    guess->id = id;
}

/* What of a command differs from the guess. */
static unsigned news_of(const kbs_commands *commands, const kbs_common *common, const kbs_command *command,
                        uint64_t distance, const kbs_guess *guess) {
    unsigned news = 0;
    if (command->step != commands->step)
        news |= NEW_STEP;
    if (command->id != guess->id + guess->id_stride)
        news |= NEW_ID;
    if (command->value != guess->value)
        news |= NEW_VALUE;
    for (unsigned i = 0; i < common->operand_count; i++)
        if (command->offsets[i] != guess->offsets[i] + guess->strides[i])
            news |= (unsigned)NEW_OFFSET << i;
    if (distance != guess->distance)
        news |= NEW_DISTANCE;
    return news;
}

kb_status kbs_commands_add(kbs_commands *commands, const kbs_common *common, const kbs_command *command,
                           kb_trail *trail) {
    uint32_t id;
    KB_TRY(shape_of(commands, common, &id, trail));
    KB_TRY(room(commands, trail));
    kbs_guess *guess = &commands->guesses[id];
    const uint64_t distance = common->awaited > 0 ? commands->newest - command->awaited : 0;
    const unsigned news = news_of(commands, common, command, distance, guess);
    uint8_t *at = commands->last->bytes + commands->last->size;
    at = kbs_put_varint(at, id);
    *at++ = (uint8_t)news;
    if (news & NEW_STEP)
        at = kbs_put_signed(at, command->step - commands->step);
    if (news & NEW_ID)
        at = kbs_put_signed(at, command->id - guess->id);
    learn_id(guess, command->id);
    if (news & NEW_VALUE)
        at = kbs_put_varint(at, command->value);
    guess->value = command->value;
    for (unsigned i = 0; i < common->operand_count; i++) {
        if (news & (unsigned)NEW_OFFSET << i)
            at = kbs_put_signed(at, command->offsets[i] - guess->offsets[i]);
        learn(guess, i, command->offsets[i]);
    }
    if (news & NEW_DISTANCE)
        at = kbs_put_varint(at, distance);
    guess->distance = distance;
    commands->step = command->step;
    commands->newest += common->numbered;
    commands->last->size = (size_t)(at - commands->last->bytes);
    commands->count++;
    return KB_OK;
}

/* --- reading --------------------------------------------------------------------------------- */

kb_status kbs_reading_init(kbs_reading *reading, const kbs_commands *commands, kb_arena *arena,
                           kb_trail *trail) {
    void *guesses;
    KB_TRY(kb_arena_new(arena, commands->shape_count * sizeof(kbs_guess), &guesses, trail));
    *reading = (kbs_reading){
        .commands = commands, .block = commands->first, .left = commands->count, .guesses = guesses};
    return KB_OK;
}

bool kbs_reading_next(kbs_reading *reading, kbs_command *ret) {
    if (reading->left == 0)
        return false;
    if (reading->at == reading->block->size) {
        reading->block = reading->block->next;
        reading->at = 0;
    }
    const uint8_t *at = reading->block->bytes + reading->at;
    uint64_t id, distance;
    at = kbs_get_varint(at, &id);
    const unsigned news = *at++;
    kbs_shape *shape = reading->commands->shapes[id];
    kbs_guess *guess = &reading->guesses[id];
    if (news & NEW_STEP) {
        uint64_t difference;
        at = kbs_get_signed(at, &difference);
        reading->step += difference;
    }
    uint64_t further = guess->id_stride;
    if (news & NEW_ID)
        at = kbs_get_signed(at, &further);
    learn_id(guess, guess->id + further);
    if (news & NEW_VALUE)
        at = kbs_get_varint(at, &guess->value);
    for (unsigned i = 0; i < shape->common.operand_count; i++) {
        uint64_t difference = guess->strides[i];
        if (news & (unsigned)NEW_OFFSET << i)
            at = kbs_get_signed(at, &difference);
        ret->offsets[i] = guess->offsets[i] + difference;
        learn(guess, i, ret->offsets[i]);
    }
    distance = guess->distance;
    if (news & NEW_DISTANCE)
        at = kbs_get_varint(at, &distance);
    guess->distance = distance;
    ret->shape = shape;
    ret->step = reading->step;
    ret->id = guess->id;
    ret->value = guess->value;
    ret->awaited = reading->newest - distance;
    reading->newest += shape->common.numbered;
    reading->at = (size_t)(at - reading->block->bytes);
    reading->left--;
    return true;
}
