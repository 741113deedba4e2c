/* SPDX-License-Identifier: Apache-2.0 */
/* Host programs and their launches: recorded rank by rank, and held against those of rank 0. */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "record/launch.h"

/* --- calls ----------------------------------------------------------------------------------- */

const char *kbs_call_kind(const kbs_call *call) {
    return call->kernel != NULL ? "kernel" : kb_word_name(KB_VOC_COLL, call->kind);
}

static void differs(tl_stream *host, const kbs_call *call, const kbs_call *first) {
    kbs_mistake_of(host, KBS_CHECK_CALLS, call->where,
                   "launch %" PRIu64
                   " of this rank is %s %s, and rank 0's is %s %s (%s:%u): all ranks launch the same "
                   "in the same order",
                   host->launches, kbs_call_kind(call), call->name, kbs_call_kind(first), first->name,
                   kbs_base_name(first->where.file), first->where.line);
}

static kbs_call *add_call(kbs_program *program, const kbs_call *call) {
    void *calls = program->calls, *parts, *shares;
    program->status = kb_grow(program->alloc, sizeof(kbs_call), program->call_count + 1,
                              &program->call_capacity, &calls, &program->trail);
    if (program->status != KB_OK)
        return NULL;
    program->calls = calls;
    kbs_call *added = &program->calls[program->call_count];
    *added = *call;
    program->status =
        kb_arena_text(&program->arena, call->name, strlen(call->name), &added->name, &program->trail);
    if (program->status == KB_OK && call->kernel == NULL) {
        const size_t members = program->defs.groups[call->group].rank_count * program->rank_pes;
        program->status = kb_arena_new(&program->arena, members * sizeof(kb_part), &parts, &program->trail);
        added->parts = program->status == KB_OK ? parts : NULL;
        if (program->status == KB_OK)
            program->status =
                kb_arena_new(&program->arena, program->rank_pes * sizeof(uint64_t), &shares, &program->trail);
        added->shares = program->status == KB_OK ? shares : NULL;
        added->collective = (uint32_t)program->collective_count;
    }
    if (program->status != KB_OK)
        return NULL;
    program->call_count++;
    program->collective_count += call->kernel == NULL ? call->collectives : 0;
    program->launch_count++;
    return added;
}

static void differs_in_group(tl_stream *host, const kbs_call *call, const kbs_call *first) {
    const kb_defs *defs = &host->program->defs;
    kbs_mistake_of(host, KBS_CHECK_CALLS, call->where,
                   "launch %" PRIu64 " of this rank is of %s on group %s, and rank 0's on group %s (%s:%u)",
                   host->launches, call->name, defs->groups[call->group].name,
                   defs->groups[first->group].name, kbs_base_name(first->where.file), first->where.line);
}

kbs_call *kbs_call_match(tl_stream *host, const kbs_call *call) {
    kbs_program *program = host->program;
    if (!kbs_is_ok(host))
        return NULL;
    if (host->rank == 0)
        return add_call(program, call);
    if (host->launches == program->call_count) {
        kbs_mistake_of(host, KBS_CHECK_CALLS, call->where,
                       "this rank launches %s %s, and rank 0 has made all of its %zu launches by then",
                       kbs_call_kind(call), call->name, program->call_count);
        return NULL;
    }
    kbs_call *first = &program->calls[host->launches];
    if (first->kernel != call->kernel || first->kind != call->kind || strcmp(first->name, call->name) != 0) {
        differs(host, call, first);
        return NULL;
    }
    if (first->group != call->group) {
        differs_in_group(host, call, first);
        return NULL;
    }
    return first;
}

/* --- launches -------------------------------------------------------------------------------- */

void kbs_call_launch(tl_stream *host, const kbs_call *call, bool is_async) {
    kbs_program *program = host->program;
    kbs_command command = {.id = host->launches};
    kbs_common common;
    program->status = kb_defs_intern(&program->defs, call->name, &host->kernel, &program->trail);
    if (program->status != KB_OK)
        return;
    kbs_common_init(host, &common, KB_OP_LAUNCH, is_async ? KB_BLOCKS_NO : KB_BLOCKS_DONE, call->where);
    common.group = call->group;
    common.numbered = is_async;
    kbs_append_command(host, &common, &command);
    host->kernel = KB_NONE;
    host->overlaps = host->overlaps || is_async;
}

/* At the head of what a PE does for a launch. */
static void mark(tl_stream *host, tl_stream *stream) {
    kbs_command command = {.id = host->launches};
    kbs_common common;
    memset(&common, 0, offsetof(kbs_common, operands));
    common.kind = KBS_BEGIN_LAUNCH;
    kbs_append_command(stream, &common, &command);
    stream->launches++;
}

tl_stream *kbs_call_begin(tl_stream *host, const kbs_call *call, uint32_t pe) {
    kbs_program *program = host->program;
    tl_stream *stream = &program->streams[host->pe + pe];
    if (!kbs_is_ok(host))
        return NULL;
    program->status = kb_defs_intern(&program->defs, call->name, &stream->kernel, &program->trail);
    if (program->status != KB_OK)
        return NULL;
    stream->kernel_name = call->name;
    stream->step = KB_NONE;
    stream->step_number = 0;
    stream->collective = 0;
    stream->group = KB_NONE;
    stream->reduce = 0;
    mark(host, stream);
    program->now = stream;
    kbs_kernel_begin(stream, call->where);
    return stream;
}

void kbs_call_end(tl_stream *host, tl_stream *stream, tl_where where) {
    kbs_kernel_end(stream, where);
    host->program->now = host;
}

bool kbs_is_host(tl_stream *stream, const char *what, tl_where where) {
    if (!stream->is_host)
        kbs_mistake(stream, where, "%s is for host programs, and this is a kernel", what);
    return stream->is_host && kbs_is_ok(stream);
}

bool kbs_check_group(tl_stream *host, uint32_t group, const char *what, tl_where where) {
    if (kbs_is_ok(host) && group >= host->program->defs.group_count)
        kbs_mistake(host, where, "%s on no group: it did not come from kb_group_of", what);
    return kbs_is_ok(host);
}

/* False after a mistake. */
static bool check_launch(tl_stream *host, const kbs_call *call, const void *args, size_t size_bytes) {
    if (call->kernel == NULL || (args == NULL && size_bytes > 0))
        kbs_mistake(host, call->where,
                    call->kernel == NULL ? "a launch of no kernel: the function is NULL"
                                         : "a launch of %s with %zu bytes of arguments at NULL",
                    call->name, size_bytes);
    return kbs_check_group(host, call->group, "a launch", call->where);
}

/* What the rank's PEs do for the call. */
static void run_kernel(tl_stream *host, const kbs_call *call, bool is_async, const void *args,
                       size_t size_bytes) {
    kbs_program *program = host->program;
    void *copy = NULL;
    if (size_bytes > 0)
        program->status = kb_arena_copy(&program->arena, args, size_bytes, &copy, &program->trail);
    if (kbs_is_ok(host))
        kbs_call_launch(host, call, is_async);
    for (uint32_t pe = 0; pe < program->rank_pes; pe++) {
        tl_stream *stream = kbs_call_begin(host, call, pe);
        if (stream == NULL)
            return;
        tl_kernel k = {stream, host->rank, program->ranks, pe, program->rank_pes, copy, size_bytes};
        call->kernel(&k);
        kbs_call_end(host, stream, call->where);
    }
    host->launches++;
}

tl_token kb_launch_at(tl_stream *host, const tl_group *group, bool is_async, const char *name,
                      tl_kernel_fn kernel, const void *args, size_t size_bytes, tl_where where) {
    const kbs_program *program = host->program;
    const tl_token none = {0, 0, host->rank};
    kbs_call made = {
        .name = name, .kernel = kernel, .where = where, .group = group != NULL ? group->id : program->group};
    if (!kbs_is_host(host, "kb_launch", where) || !check_launch(host, &made, args, size_bytes))
        return none;
    const kbs_call *call = kbs_call_match(host, &made);
    if (call == NULL)
        return none;
    if (!kbs_group_has(&program->defs.groups[made.group], host->rank)) {
        host->launches++; /* which passes it by */
        return none;
    }
    made.name = call->name;
    run_kernel(host, &made, is_async, args, size_bytes);
    return is_async ? kbs_token_new(host, 1, where) : none;
}

/* --- host programs --------------------------------------------------------------------------- */

static kb_status record_host(kbs_program *program, uint32_t rank, const char *name, kb_host_fn host,
                             void *context) {
    tl_stream *stream = &program->hosts[rank];
    kb_host h = {stream, rank, program->ranks, program->rank_pes};
    stream->kernel_name = name;
    program->now = stream;
    host(&h, context);
    program->now = NULL;
    if (program->status == KB_OK && stream->live_count > 0)
        kbs_mistake_of(stream, KBS_CHECK_TOKENS, stream->live[0].where, "nobody waits for this launch");
    if (program->status == KB_OK && stream->launches < program->call_count) {
        const kbs_call *call = &program->calls[stream->launches];
        kbs_mistake_of(stream, KBS_CHECK_CALLS, call->where,
                       "rank 0 launches %s %s here, its launch %" PRIu64
                       ", and this rank has made all of its own",
                       kbs_call_kind(call), call->name, stream->launches);
    }
    return program->status;
}

kb_status kbs_program_host(kbs_program *program, const char *name, kb_host_fn host, void *context,
                           kb_trail *trail) {
    kb_status status = KB_OK;
    if (host == NULL)
        return kb_fail(trail, KB_E_PROGRAM, "host program %s is no function: it is NULL", name);
    for (uint32_t rank = 0; rank < program->ranks && status == KB_OK; rank++) {
        if (program->stop != NULL && *program->stop != 0)
            return kb_fail(trail, KB_E_INTERRUPTED,
                           "stopped while recording rank %u of %u: there is no trace yet", rank,
                           program->ranks);
        status = record_host(program, rank, name, host, context);
    }
    return kbs_program_status(program, trail);
}

kb_status kbs_program_status(const kbs_program *program, kb_trail *trail) {
    if (program->status != KB_OK && trail != NULL)
        *trail = program->trail;
    return program->status;
}
