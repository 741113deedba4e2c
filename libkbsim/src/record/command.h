/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorded commands: how they look to those who write and read them, and how they are kept.
 *
 * Each command becomes one op of the trace. What many commands of a stream have in common is a shape,
 * kept once; the rest is a few bytes: the shape's number, and of the step, the offsets and the awaited
 * op only what differs from the guess that the last command of the same shape went on as it did
 * before. Commands are written front to back into small blocks, which are packed when they are full
 * (a loop's turns are the same bytes again), and read in the same order.
 */
#ifndef KBSIM_SRC_COMMAND_H
#define KBSIM_SRC_COMMAND_H

#include <stdbool.h>

#include "kbtrace/memory.h"
#include "kbtrace/op.h"

enum { KBS_OPERANDS = 4, KBS_IMMEDIATES = 2 }; /* the most that a recorded command has */

/*
 * A kind that is no op: what follows in a PE's stream, up to the next, is of the launch with the number
 * `id`. It comes first in every PE's stream, takes no time, and only kind and id are said of it.
 */
enum { KBS_BEGIN_LAUNCH = 0 };

/*
 * What of a shape two commands are compared by: all bytes up to the first operand, and those of the
 * operands that it has. Operands are strided views, of up to KB_DIMS_MAX dimensions.
 */
typedef struct kbs_common {
    uint16_t kind;  /* KB_OP_… or KBS_BEGIN_LAUNCH */
    uint8_t blocks; /* KB_BLOCKS_… */
    uint8_t point;  /* wait: KB_POINT_… of what it awaits */
    bool joined;    /* goes with the command before it: no dispatch of its own */
    bool continues; /* a message, which has its place in its queue's line already */
    bool numbered;  /* a wait may name it: it takes the stream's next number */
    bool distant;   /* a copy whose source is a tensor outside of the TCM */
    uint16_t operand_count;
    uint32_t awaited;    /* wait: how many numbered ops */
    uint32_t queue;      /* id in the trace, or KB_NONE */
    uint32_t collective; /* 1 + its id, or 0 */
    uint32_t route;      /* of a DMA, a host's copy: id of the fabric's route, else KB_NONE */
    uint32_t group;      /* launch, barrier: id, else KB_NONE */
    /* Playing an op looks at what stands before: a line of the cache with the head of the shape. */
    uint32_t func; /* KB_FUNC_… or 0 */
    uint32_t step, kernel, file, line;
    uint32_t flags; /* KB_FLAG_… of a gemm, else 0 */
    uint32_t immediate_count;
    uint64_t immediates[KBS_IMMEDIATES]; /* as in kb_template; unused ones 0 */
    kb_operand operands[KBS_OPERANDS];
} kbs_common;

typedef struct kbs_shape {
    /* The templates that its ops came to have; see run/outbox.h. */
    _Alignas(KB_CACHE_LINE) struct kbs_variant *variants;
    int64_t service_ps; /* what its engine takes for it; 0: nobody has asked */
    uint32_t id;        /* in its stream */
    kbs_common common;  /* its operands last, where playing an op does not look */
} kbs_shape;

typedef struct kbs_command {
    kbs_shape *shape;
    uint64_t step;                  /* number within its label */
    uint64_t offsets[KBS_OPERANDS]; /* bytes */
    uint64_t awaited;               /* wait: the first op's number */
    uint64_t id;                    /* barrier, launch, alloc, free: the op's id; else 0 */
    uint64_t value;                 /* assume: what was read; host_write: index of its payload; else 0 */
} kbs_command;

/* --- kept ------------------------------------------------------------------------------------ */

typedef struct kbs_block kbs_block;

/* How the commands of a shape went on so far: in a line of the cache where they have two operands or less. */
typedef struct kbs_guess {
    _Alignas(KB_CACHE_LINE) uint64_t id;
    uint64_t id_stride, value;
    uint64_t distance; /* wait: back from the newest number */
    struct {
        uint64_t offset, stride;
    } operands[KBS_OPERANDS];
} kbs_guess;

/* A shape, and what helps to write the next command of it. */
typedef struct kbs_kept_shape {
    kbs_shape shape;
    kbs_guess guess;
    struct kbs_kept_shape *followers[2]; /* the shapes that came after this one lately, the last one first */
} kbs_kept_shape;

typedef struct kbs_commands {
    kb_arena *arena;
    kbs_shape **shapes; /* by id; each is the first member of a kbs_kept_shape */
    size_t shape_count, shape_capacity;
    uint32_t *slots; /* hash of the shapes: 1 + id */
    size_t slot_count;
    kbs_block *first, *last; /* full ones */
    kbs_block *open;         /* behind them */
    uint8_t *at;             /* where the next command goes, in the open block, */
    uint8_t *full;           /* which has room for one before this place */
    uint64_t step;
    uint64_t newest; /* number of the newest numbered command; they count from 1 */
    uint64_t count;
    uint64_t most;          /* of which there may be about so many, to a block; 0: any number */
    kbs_kept_shape *latest; /* shape of the last command */
} kbs_commands;

void kbs_commands_init(kbs_commands *commands, kb_arena *arena);
void kbs_commands_fini(kbs_commands *commands);

/* Unused members of `common` must be 0, by memset; its unused operands are not looked at. */
kb_status kbs_commands_add(kbs_commands *commands, const kbs_common *common, const kbs_command *command,
                           kb_trail *trail) KB_MUST_USE;

/* Where somebody reads: block after block. */
typedef struct kbs_place_in_blocks {
    const kbs_block *next, *open;
    uint8_t *room; /* for the commands of a packed block */
    const uint8_t *at, *end;
} kbs_place_in_blocks;

/* Reads commands back; several may read at a time, none while they are still recorded. */
typedef struct kbs_reading {
    kbs_shape **shapes;
    kbs_place_in_blocks in;
    uint64_t left;
    kbs_guess *guesses;
    uint64_t step, newest;
} kbs_reading;

kb_status kbs_reading_init(kbs_reading *reading, const kbs_commands *commands, kb_arena *arena,
                           kb_trail *trail) KB_MUST_USE;
/* False after the last. */
bool kbs_reading_next(kbs_reading *reading, kbs_command *ret);

/* --- skimming -------------------------------------------------------------------------------- */

/* Of a shape, what skimming needs: close together, since one stream's are looked at after another's. */
typedef struct kbs_brief {
    const kbs_common *common;
    bool is_wanted, numbered;
    uint8_t operands;
    uint64_t id, id_stride, distance; /* as in kbs_guess */
} kbs_brief;

/* A command as skimming finds it. */
typedef struct kbs_skimmed {
    const kbs_common *common;
    uint64_t number; /* the stream's newest, this one's if it has one */
    uint64_t awaited, id;
} kbs_skimmed;

/* Reads the commands of some kinds alone, without steps, offsets and values. */
typedef struct kbs_skim {
    kbs_brief *briefs; /* by shape */
    const kbs_commands *commands;
    kbs_place_in_blocks in;
    uint64_t left, newest;
} kbs_skim;

/* `wanted` by KB_OP_…, KBS_BEGIN_LAUNCH among them. */
kb_status kbs_skim_init(kbs_skim *skim, const kbs_commands *commands, const bool *wanted, kb_arena *arena,
                        kb_trail *trail) KB_MUST_USE;
/* Begins again. */
void kbs_skim_rewind(kbs_skim *skim);
/* False after the last. skim->left is how many commands come behind it, wanted or not. */
bool kbs_skim_next(kbs_skim *skim, kbs_skimmed *ret);

#endif
