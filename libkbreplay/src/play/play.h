/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Playing: ops run where they touch memory, by one thread or by several, with the same bytes.
 *
 * The walk decides one order of all ops. Each memory has an owner, its rank; an op has as owners the
 * ranks of the memories that it touches, its own rank, and the collective that it enters or leaves. An
 * op runs as soon as, of each of its owners, every op before it in that order has run. So each memory
 * sees its ops in the order of the walk, whatever the threads, and so does each collective: nothing
 * that is computed or found depends on threads, not even in a trace with races.
 *
 * With one thread an op runs where it is handed in. With more, one that brings little work and whose
 * owners have nothing before it runs there, too: handing it over would cost more. The others are laid
 * out in a window and stand in the lines of their owners (state.h), and whoever runs one takes on what
 * it lets go. When the window is full the walk's thread runs ops itself. It cannot stand still: the
 * first op that has not run is at the head of all its lines.
 */
#ifndef KBREPLAY_SRC_PLAY_H
#define KBREPLAY_SRC_PLAY_H

#include "check/running.h"

typedef struct kbr_play kbr_play;

/* Bytes of operands with which handing an op over costs about as much as running it. */
#define KBR_LITTLE_SIZE 2048u

/*
 * The checks of bytes are called for each op before it runs; `run` and its pass, the walk's, outlive the
 * play. Where the system refuses threads there are fewer.
 */
kb_status kbr_play_create(const kbr_running *run, unsigned threads, kbr_play **ret_play,
                          kb_trail *trail) KB_MUST_USE;
/* After kbr_play_finish(), or where nobody needs what was handed in. */
void kbr_play_destroy(kbr_play *play);

/*
 * The next op in the order of the walk: it has run when kbr_play_finish() says so, or before. A failure
 * is that of the first op in this order that failed; nothing after it counts.
 */
kb_status kbr_play_op(kbr_play *play, uint32_t rank, const kb_op *op, kb_trail *trail) KB_MUST_USE;
/* One that began, and never was done. */
kb_status kbr_play_abandon(kbr_play *play, uint32_t rank, const kb_op *op, kb_trail *trail) KB_MUST_USE;
/* Waits until all has run that was handed in: memory is then as the walk says, and quiet. */
kb_status kbr_play_finish(kbr_play *play, kb_trail *trail) KB_MUST_USE;
/* Adds what the threads found to the pass; once, after kbr_play_finish(). */
void kbr_play_tell(kbr_play *play);

#endif
