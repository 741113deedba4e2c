/* SPDX-License-Identifier: Apache-2.0 */
/* A program's PEs and their memories, streams and engines, by the ids that they have in the trace. */
#include "record/stream.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine/address.h"

/* Engines and memories of a PE, in the order of their ids. */
static const uint32_t engine_kinds[] = {KB_ENGINE_SEQUENCER, KB_ENGINE_DMA, KB_ENGINE_GEMM, KB_ENGINE_MATH,
                                        KB_ENGINE_IPCQ};
static const uint32_t spaces[KBS_PE_MEMORIES] = {KB_SPACE_TCM, KB_SPACE_HBM, KB_SPACE_SRAM};
enum {
    PE_ENGINES = sizeof engine_kinds / sizeof engine_kinds[0],
    PE_MEMORIES = KBS_PE_MEMORIES,
};

/* A host has memory enough for any rank; nothing is simulated of it. */
#define HOST_MEMORY_BYTES ((uint64_t)1 << 40U)

uint32_t kbs_host_stream(const kbs_program *program, uint32_t rank) {
    (void)program;
    return rank;
}

uint32_t kbs_pe_stream(const kbs_program *program, uint32_t pe) {
    return program->ranks + pe;
}

uint32_t kbs_pe_engine(uint32_t pe, uint32_t kind) {
    uint32_t place = 0;
    while (engine_kinds[place] != kind)
        place++;
    return pe * PE_ENGINES + place;
}

uint32_t kbs_host_engine(const kbs_program *program, uint32_t rank) {
    return program->pes * PE_ENGINES + rank;
}

uint32_t kbs_memory_of(const kbs_program *program, uint32_t space, uint32_t pe) {
    (void)program;
    uint32_t place = 0;
    while (spaces[place] != space)
        place++;
    return pe * PE_MEMORIES + place;
}

uint32_t kbs_host_memory(const kbs_program *program, uint32_t rank) {
    return program->pes * PE_MEMORIES + rank;
}

/* --- definitions ----------------------------------------------------------------------------- */

static kb_status define_memories(kbs_program *program, kb_trail *trail) {
    static const char *const names[PE_MEMORIES] = {"tcm", "hbm", "sram"};
    uint32_t id;
    char pe_name[KBS_PE_NAME_CHARS], name[KBS_PE_NAME_CHARS + 8];
    for (uint32_t pe = 0; pe < program->pes; pe++) {
        for (uint32_t i = 0; i < PE_MEMORIES; i++) {
            snprintf(name, sizeof name, "%s.%s", kbs_pe_name(program->machine, pe, pe_name), names[i]);
            uint64_t size_bytes;
            const uint64_t base = kbs_address_of(program->machine, spaces[i], pe, &size_bytes);
            const kb_memory row = {spaces[i], kbs_rank_of(program, pe), pe, size_bytes, base, name};
            KB_TRY(kb_defs_add_memory(&program->defs, &row, &id, trail));
            assert(id == kbs_memory_of(program, spaces[i], pe));
        }
    }
    for (uint32_t rank = 0; rank < program->ranks; rank++) {
        snprintf(name, sizeof name, "rank%u.host", rank);
        const kb_memory row = {KB_SPACE_HOST, rank, KB_NONE, HOST_MEMORY_BYTES, 0, name};
        KB_TRY(kb_defs_add_memory(&program->defs, &row, &id, trail));
        assert(id == kbs_host_memory(program, rank));
    }
    return KB_OK;
}

static kb_status define_engines(kbs_program *program, kb_trail *trail) {
    uint32_t id;
    char pe_name[KBS_PE_NAME_CHARS], name[KBS_PE_NAME_CHARS + 16];
    for (uint32_t pe = 0; pe < program->pes; pe++) {
        kbs_pe_name(program->machine, pe, pe_name);
        for (uint32_t i = 0; i < PE_ENGINES; i++) {
            const bool total = engine_kinds[i] == KB_ENGINE_GEMM || engine_kinds[i] == KB_ENGINE_MATH;
            snprintf(name, sizeof name, "%s.%s", pe_name, kb_word_name(KB_VOC_ENGINE, engine_kinds[i]));
            const kb_engine row = {engine_kinds[i], total ? KB_PROMISE_TOTAL : KB_PROMISE_NONE,
                                   kbs_pe_stream(program, pe), total ? 1 : 0, name};
            KB_TRY(kb_defs_add_engine(&program->defs, &row, &id, trail));
            assert(id == kbs_pe_engine(pe, engine_kinds[i]));
        }
    }
    for (uint32_t rank = 0; rank < program->ranks; rank++) {
        snprintf(name, sizeof name, "rank%u.host", rank);
        const kb_engine row = {KB_ENGINE_HOST, KB_PROMISE_NONE, kbs_host_stream(program, rank), 0, name};
        KB_TRY(kb_defs_add_engine(&program->defs, &row, &id, trail));
    }
    return KB_OK;
}

static kb_status define_streams(kbs_program *program, kb_trail *trail) {
    const uint32_t pes = (uint32_t)program->machine->at.cube_pes;
    const uint32_t cubes = (uint32_t)kbs_machine_pes_of_sip(program->machine) / pes;
    uint32_t id;
    char name[KBS_PE_NAME_CHARS];
    for (uint32_t rank = 0; rank < program->ranks; rank++) {
        snprintf(name, sizeof name, "rank%u.host", rank);
        const kb_stream row = {rank, KB_NONE, name};
        KB_TRY(kb_defs_add_stream(&program->defs, &row, &id, trail));
    }
    for (uint32_t pe = 0; pe < program->pes; pe++) {
        const uint32_t rank = kbs_rank_of(program, pe), cube = pe / pes;
        const kb_pe row = {rank, cube / cubes, cube % cubes, pe % pes,
                           kbs_pe_name(program->machine, pe, name)};
        KB_TRY(kb_defs_add_pe(&program->defs, &row, &id, trail));
        const kb_stream stream = {rank, id, name};
        KB_TRY(kb_defs_add_stream(&program->defs, &stream, &id, trail));
        assert(id == kbs_pe_stream(program, pe));
    }
    return KB_OK;
}

static kb_status define_group(kbs_program *program, kb_trail *trail) {
    void *memory;
    KB_TRY(kb_arena_new(&program->arena, program->ranks * sizeof(uint32_t), &memory, trail));
    uint32_t *ranks = memory;
    for (uint32_t rank = 0; rank < program->ranks; rank++)
        ranks[rank] = rank;
    const kb_group row = {"all", ranks, program->ranks};
    return kb_defs_add_group(&program->defs, &row, &program->group, trail);
}

static kb_status init_watches(kbs_program *program, kb_trail *trail) {
    void *memory;
    KB_TRY(kb_arena_new(&program->arena, program->defs.memory_count * sizeof(kbs_watch), &memory, trail));
    program->watches = memory;
    return KB_OK;
}

static kb_status define_all(kbs_program *program, kb_trail *trail) {
    KB_TRY(kb_defs_add_causes(&program->defs, trail));
    KB_TRY(define_streams(program, trail));
    KB_TRY(define_engines(program, trail));
    KB_TRY(define_memories(program, trail));
    KB_TRY(init_watches(program, trail));
    return define_group(program, trail);
}

/* --- life ------------------------------------------------------------------------------------ */

static kb_status init_streams(kbs_program *program, kb_trail *trail) {
    void *memory;
    const size_t count = (size_t)program->pes + program->ranks;
    KB_TRY(kb_arena_new(&program->arena, count * sizeof(tl_stream), &memory, trail));
    program->streams = memory;
    program->hosts = program->streams + program->pes;
    for (uint32_t i = 0; i < count; i++) {
        tl_stream *stream = &program->streams[i];
        stream->program = program;
        stream->is_host = i >= program->pes;
        stream->rank = stream->is_host ? i - program->pes : kbs_rank_of(program, i);
        stream->pe = stream->is_host ? stream->rank * program->rank_pes : i;
        stream->tcm = kbs_memory_of(program, KB_SPACE_TCM, stream->pe);
        stream->tcm_bytes = program->machine->at.tcm_bytes;
        stream->kernel = stream->step = stream->group = KB_NONE;
        stream->kernel_name = "";
        kbs_commands_init(&stream->commands, &program->arena);
    }
    return KB_OK;
}

kb_status kbs_program_create(const kbs_machine *machine, uint32_t ranks, uint32_t rank_pes, uint64_t seed,
                             const kb_alloc *alloc, const kb_log *log, kbs_program **ret, kb_trail *trail) {
    void *memory;
    KB_TRY(kb_new_zeroed(alloc, sizeof(kbs_program), &memory, trail));
    kbs_program *program = memory;
    program->machine = machine;
    program->alloc = alloc != NULL ? alloc : kb_alloc_heap();
    program->log = log;
    program->ranks = ranks;
    program->rank_pes = rank_pes;
    program->pes = ranks * rank_pes;
    program->seed = seed;
    kb_trail_init(&program->trail);
    kb_arena_init(&program->arena, program->alloc, 0);
    kb_defs_init(&program->defs, program->alloc, 0);
    kb_status status = kbs_fabric_init(&program->fabric, machine, &program->arena, trail);
    if (status == KB_OK)
        status = init_streams(program, trail);
    if (status == KB_OK)
        status = define_all(program, trail);
    if (status != KB_OK) {
        kbs_program_destroy(program);
        return status;
    }
    *ret = program;
    return KB_OK;
}

void kbs_program_destroy(kbs_program *program) {
    if (program == NULL)
        return;
    const kb_alloc *alloc = program->alloc;
    for (uint32_t i = 0; program->streams != NULL && i < program->pes + program->ranks; i++) {
        tl_stream *stream = &program->streams[i];
        kb_delete(alloc, stream->live, stream->live_capacity * sizeof(kbs_live));
        kb_delete(alloc, stream->scratch, stream->scratch_capacity * sizeof(kbs_scratch_block));
        kb_delete(alloc, stream->scopes, stream->scope_capacity * sizeof(kbs_scope));
        kb_delete(alloc, stream->barriers, stream->barrier_capacity * sizeof(kbs_barriers));
        kbs_commands_fini(&stream->commands);
    }
    for (size_t i = 0; i < program->queue_count; i++)
        kb_delete(alloc, program->queues[i].open,
                  program->queues[i].open_capacity * sizeof(struct kbs_message));
    kb_delete(alloc, program->queues, program->queue_capacity * sizeof(kbs_queue));
    kb_delete(alloc, program->tensors, program->tensor_capacity * sizeof(kbs_tensor));
    kb_delete(alloc, program->spreads, program->spread_capacity * sizeof(kbs_spread));
    kb_delete(alloc, program->rooms, program->room_capacity * sizeof(kbs_room));
    kb_delete(alloc, program->calls, program->call_capacity * sizeof(kbs_call));
    kb_delete(alloc, program->payloads, program->payload_capacity * sizeof(kbs_payload));
    kb_delete(alloc, program->queue_slots, program->queue_slot_count * sizeof(uint32_t));
    kbs_fabric_fini(&program->fabric);
    kb_defs_fini(&program->defs);
    kb_arena_fini(&program->arena);
    kb_delete(alloc, program, sizeof *program);
}

/* --- memory ---------------------------------------------------------------------------------- */

kb_status kbs_program_take(kbs_program *program, uint32_t pe, uint32_t space, uint64_t size_bytes,
                           const char *what, uint64_t *ret_offset, kb_trail *trail) {
    enum { ALIGNMENT = 64 }; /* so that vectors of any dtype begin on a line of their own */
    static const char *const raised[] = {
        [KB_SPACE_TCM] = "tcm.bytes", [KB_SPACE_HBM] = "hbm.slice_bytes", [KB_SPACE_SRAM] = "sram.bytes"};
    const uint32_t place = kbs_memory_of(program, space, pe) - pe * PE_MEMORIES;
    const uint64_t scratch = space == KB_SPACE_TCM ? program->streams[pe].scratch_peak_bytes : 0;
    const uint64_t whole = program->defs.memories[kbs_memory_of(program, space, pe)].size_bytes - scratch;
    uint64_t *used = &program->streams[pe].used_bytes[place];
    const uint64_t left = whole - *used;
    if (size_bytes > left) {
        char name[KBS_PE_NAME_CHARS], memory[8];
        snprintf(memory, sizeof memory, "%s", kb_word_name(KB_VOC_SPACE, space));
        for (char *at = memory; *at != '\0'; at++)
            *at = (char)toupper((unsigned char)*at);
        return kb_fail(trail, KB_E_PROGRAM,
                       "the %s of rank %u (%s) has no room for %s: %" PRIu64 " bytes asked, %" PRIu64
                       " of %" PRIu64 " left (raise %s, or take less)",
                       memory, kbs_rank_of(program, pe), kbs_pe_name(program->machine, pe, name), what,
                       size_bytes, left, whole, raised[space]);
    }
    *ret_offset = *used;
    const uint64_t end = *used + size_bytes, aligned = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    *used = aligned < whole ? aligned : whole;
    return KB_OK;
}

uint64_t kbs_used_tcm(const tl_stream *stream) {
    return stream->program->streams[stream->pe].used_bytes[0];
}
