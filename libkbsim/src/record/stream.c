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

static void keep_mistake(tl_stream *stream, kbs_check check, tl_where where, const char *format, va_list args)
    KB_PRINTF(4, 0);

static void keep_mistake(tl_stream *stream, kbs_check check, tl_where where, const char *format,
                         va_list args) {
    kbs_program *program = stream->program;
    if (program->status != KB_OK)
        return;
    char what[KB_TRAIL_CHARS], pe[KBS_PE_NAME_CHARS];
    vsnprintf(what, sizeof what, format, args);
    program->mistake = check;
    program->status =
        kb_fail(&program->trail, KB_E_PROGRAM, "%s:%u: %s %s, rank %u (%s): %s", kbs_base_name(where.file),
                where.line, stream->is_host ? "host program" : "kernel", stream->kernel_name, stream->rank,
                kbs_pe_name(program->machine, stream->pe, pe), what);
}

void kbs_mistake(tl_stream *stream, tl_where where, const char *format, ...) {
    va_list args;
    va_start(args, format);
    keep_mistake(stream, KBS_CHECK_PROGRAM, where, format, args);
    va_end(args);
}

void tl_mistake_at(tl_stream *stream, tl_where where, const char *format, ...) {
    va_list args;
    va_start(args, format);
    keep_mistake(stream, KBS_CHECK_PROGRAM, where, format, args);
    va_end(args);
}

void kbs_mistake_of(tl_stream *stream, kbs_check check, tl_where where, const char *format, ...) {
    va_list args;
    va_start(args, format);
    keep_mistake(stream, check, where, format, args);
    va_end(args);
}

void kbs_trouble(tl_stream *stream, tl_where where, kb_status status) {
    kbs_program *program = stream->program;
    char pe[KBS_PE_NAME_CHARS];
    program->status =
        kb_while(&program->trail, status, "recording %s %s, rank %u (%s), at %s:%u",
                 stream->is_host ? "host program" : "kernel", stream->kernel_name, stream->rank,
                 kbs_pe_name(program->machine, stream->pe, pe), kbs_base_name(where.file), where.line);
}

void kbs_enter_file(tl_stream *stream, tl_where where) {
    kbs_program *program = stream->program;
    if (!kbs_is_ok(stream))
        return;
    const kb_status status =
        kb_defs_intern(&program->defs, kbs_base_name(where.file), &stream->file_id, &program->trail);
    if (status != KB_OK)
        kbs_trouble(stream, where, status);
    else
        stream->file = where.file;
}

/* A command that may write where something is known of a tensor. */
static __attribute__((noinline)) void note_write(tl_stream *stream, const kbs_common *common,
                                                 const kbs_command *command) {
    if (common->kind != KB_OP_HOST_WRITE)
        kbs_note_write(stream->program, &common->operands[0], command->offsets[0],
                       (tl_where){stream->file, common->line});
}

static inline bool is_watched(const kbs_program *program, const kbs_common *common,
                              const kbs_command *command) {
    if (common->operand_count == 0 || common->operands[0].access == KB_ACCESS_READ)
        return false;
    const kbs_watch *watch = &program->watches[common->operands[0].memory];
    return watch->low < watch->high && command->offsets[0] < watch->high;
}

void kbs_append_command(tl_stream *stream, const kbs_common *common, kbs_command *command) {
    kbs_program *program = stream->program;
    if (program->status != KB_OK)
        return;
    command->step = stream->step_number;
    if (is_watched(program, common, command))
        note_write(stream, common, command);
    const kb_status status = kbs_commands_add(&stream->commands, common, command, &program->trail);
    if (status == KB_OK)
        return;
    program->status = status;
    if (stream->file != NULL && common->line > 0)
        kbs_trouble(stream, (tl_where){stream->file, common->line}, status);
}

void tl_step_at(tl_stream *stream, const char *label, uint64_t number) {
    kbs_program *program = stream->program;
    if (program->status != KB_OK)
        return;
    if (stream->step == KB_NONE || strcmp(kb_defs_text(&program->defs, stream->step), label) != 0)
        program->status = kb_defs_intern(&program->defs, label, &stream->step, &program->trail);
    stream->step_number = number;
}
