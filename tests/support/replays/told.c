/* SPDX-License-Identifier: Apache-2.0 */
/* Replaying, and writing down what came of it; see told.h. */
#include "support/replays/told.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "replay_state.h"
#include "support/replays/messages.h"

static void tell_finding(FILE *out, const kb_defs *defs, const kbr_finding *it) {
    fprintf(out,
            "%s %s [%s] %s: rank %" PRIu32 " pe %" PRIu32 " tensor %" PRIu32 "[%" PRIu64 "] at %" PRId64
            " x%" PRIu64 " key %" PRIu64 " follows %d\n",
            it->check, it->rule, it->where, it->message, it->rank, it->pe, it->tensor, it->element,
            it->time_ps, it->count, it->key, it->follows);
    for (uint32_t i = 0; i < it->op_count; i++) {
        char text[256];
        fprintf(out, "  %s\n", kbr_mention_text(defs, &it->ops[i], KB_NONE, text, sizeof text));
    }
}

static void tell_result(FILE *out, const kb_defs *defs, const kbr_result *it) {
    char digest[33];
    fprintf(out, "ops %" PRIu64 " unfinished %" PRIu64 " collectives %" PRIu64 " compared %" PRIu64 "\n",
            it->ops, it->unfinished, it->collectives, it->compared);
    fprintf(out, "memory %s error %a bound %a overflow %" PRIu64 "\n",
            kb_digest_text(&it->memory_digest, digest), it->worst_error, it->bound, it->finding_overflow);
    for (size_t i = 0; i < it->finding_count; i++)
        tell_finding(out, defs, &it->findings[i]);
    for (size_t i = 0; i < it->unchecked_count; i++)
        fprintf(out, "unchecked %s\n", it->unchecked[i]);
}

/* Between the two, memory is what the messages left in the ranks'. */
static kb_status run_over_messages(kbr_replay *replay, kb_reader *reader, kb_trail *trail) {
    messages over;
    kb_status status = messages_init(&over, reader, replay->options.max_memory, trail);
    if (status == KB_OK) {
        replay->exchange = &over.exchange;
        status = kbr_replay_run(replay, trail);
    }
    if (status == KB_OK)
        status = messages_collect(&over, replay->memories, trail);
    if (status == KB_OK)
        status = kbr_memories_digest(replay->memories, &replay->result.memory_digest, trail);
    messages_fini(&over);
    return status;
}

char *told_by(kb_reader *reader, const told_how *how) {
    char *text = NULL, words[1024];
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        abort();
    kbr_replay *replay = NULL;
    kb_trail trail;
    kb_trail_init(&trail);
    kb_status status = kbr_replay_create(reader, &how->options, &replay, &trail);
    if (status == KB_OK) {
        replay->little_size = how->little_size;
        status = how->messages ? run_over_messages(replay, reader, &trail) : kbr_replay_run(replay, &trail);
    }
    if (status == KB_OK)
        tell_result(out, kb_reader_defs(reader), kbr_replay_result(replay));
    else
        fprintf(out, "%s: %s\n", kb_status_name(status), kb_trail_text(&trail, words, sizeof words));
    kbr_replay_destroy(replay);
    fclose(out);
    return text;
}
