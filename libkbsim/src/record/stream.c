/* SPDX-License-Identifier: Apache-2.0 */
/* Appending commands to a stream, and keeping the first mistake; see stream.h. */
#include "record/stream.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *kbs_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

void kbs_mistake(tl_stream *stream, tl_where where, const char *format, ...) {
    kbs_program *program = stream->program;
    if (program->status != KB_OK)
        return;
    char what[KB_TRAIL_CHARS], pe[KBS_PE_NAME_CHARS];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    program->status =
        kb_fail(&program->trail, KB_E_PROGRAM, "%s:%u: %s %s, rank %u (%s): %s", kbs_base_name(where.file),
                where.line, stream->is_host ? "host program" : "kernel", stream->kernel_name, stream->rank,
                kbs_pe_name(program->machine, stream->rank, pe), what);
}

bool kbs_is_kernel(tl_stream *stream, tl_where where) {
    if (stream->is_host)
        kbs_mistake(stream, where, "this is for kernels, which run on a PE: launch one that does it");
    return kbs_is_ok(stream);
}

void kbs_trouble(tl_stream *stream, tl_where where, kb_status status) {
    kbs_program *program = stream->program;
    char pe[KBS_PE_NAME_CHARS];
    program->status =
        kb_while(&program->trail, status, "recording %s %s, rank %u (%s), at %s:%u",
                 stream->is_host ? "host program" : "kernel", stream->kernel_name, stream->rank,
                 kbs_pe_name(program->machine, stream->rank, pe), kbs_base_name(where.file), where.line);
}

/* The id of a file's base name. A kernel's calls come from one file: compare the pointer first. */
static kb_status file_id(tl_stream *stream, const char *file, uint32_t *ret) {
    if (file != stream->file) {
        KB_TRY(kb_defs_intern(&stream->program->defs, kbs_base_name(file), &stream->file_id,
                              &stream->program->trail));
        stream->file = file;
    }
    *ret = stream->file_id;
    return KB_OK;
}

void kbs_common_init(tl_stream *stream, kbs_common *common, kb_kind kind, uint8_t blocks, tl_where where) {
    memset(common, 0, offsetof(kbs_common, operands));
    common->kind = (uint16_t)kind;
    common->blocks = blocks;
    common->queue = KB_NONE;
    common->group = KB_NONE;
    common->route = KB_NONE;
    common->step = stream->step;
    common->kernel = stream->kernel;
    common->line = where.line;
    common->collective = stream->collective;
    if (!kbs_is_ok(stream))
        return;
    const kb_status status = file_id(stream, where.file, &common->file);
    if (status != KB_OK)
        kbs_trouble(stream, where, status);
}

void kbs_append(tl_stream *stream, const kbs_common *common, const uint64_t *offsets, uint64_t awaited) {
    kbs_command command = {.awaited = awaited};
    for (unsigned i = 0; i < common->operand_count; i++)
        command.offsets[i] = offsets[i];
    kbs_append_command(stream, common, &command);
}

void kbs_append_command(tl_stream *stream, const kbs_common *common, kbs_command *command) {
    kbs_program *program = stream->program;
    if (program->status != KB_OK)
        return;
    command->step = stream->step_number;
    if (common->operand_count > 0 && common->operands[0].access != KB_ACCESS_READ) {
        const kbs_watch *watch = &program->watches[common->operands[0].memory];
        if (watch->low < watch->high && command->offsets[0] < watch->high && common->kind != KB_OP_HOST_WRITE)
            kbs_note_write(program, &common->operands[0], command->offsets[0],
                           (tl_where){stream->file, common->line});
    }
    program->status = kbs_commands_add(&stream->commands, common, command, &program->trail);
}

void tl_step_at(tl_stream *stream, const char *label, uint64_t number) {
    kbs_program *program = stream->program;
    if (program->status != KB_OK)
        return;
    if (stream->step == KB_NONE || strcmp(kb_defs_text(&program->defs, stream->step), label) != 0)
        program->status = kb_defs_intern(&program->defs, label, &stream->step, &program->trail);
    stream->step_number = number;
}
