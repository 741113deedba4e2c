/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where recording is, for those who watch it from outside: kbs_recording_look of kbsim/run.h. A signal
 * handler may be asking, at any instruction: nothing is allocated or written here, and nothing followed but
 * what recording keeps valid until it is over; a command's shape lies in an arena that only grows.
 */
#include "kbsim/run.h"
#include "record/stream.h"

/* The line of its last command; 0 of none, and of the marks around what users' code records. */
static uint32_t line_of(const tl_stream *stream) {
    const kbs_kept_shape *latest = stream->commands.latest;
    if (latest == NULL || stream->file == NULL || latest->shape.common.kind == KBS_BEGIN_LAUNCH ||
        latest->shape.common.kind == KB_OP_COLL_BEGIN)
        return 0;
    return latest->shape.common.line;
}

bool kbs_recording_look(const kbs_recording *recording, kbs_recording_place *ret) {
    const kbs_program *program = recording->program;
    if (program == NULL || program->now == NULL)
        return false;
    const tl_stream *now = program->now;
    const uint64_t counts[] = {now->commands.count, program->tensor_count, program->queue_count,
                               program->call_count, program->defs.group_count};
    ret->what = now->is_host ? "host program" : now->collective != 0 ? "algorithm" : "kernel";
    ret->name = now->kernel_name;
    ret->rank = now->rank;
    ret->line = line_of(now);
    ret->file = ret->line > 0 ? kbs_base_name(now->file) : NULL;
    ret->progress = now->rank;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        ret->progress = ret->progress * 1000003 + counts[i];
    ret->trail = program->status != KB_OK ? &program->trail : NULL;
    return true;
}
