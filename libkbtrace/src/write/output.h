/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a writer's frames go: one file of a trace, from its temporary to its final name.
 *
 * A regular file grows as NAME.partial and is renamed when it is whole. Pipes, devices and "-" are
 * written directly. Files of a folder are opened for each frame only: there may be thousands.
 */
#ifndef KBTRACE_SRC_OUTPUT_H
#define KBTRACE_SRC_OUTPUT_H

#include "kbtrace/fs.h"
#include "wire/folder.h"
#include "wire/frame.h"

typedef struct kb_output {
    const kb_alloc *alloc;
    const kb_fs *fs;
    char *path, *partial; /* NULL partial: written directly */
    kb_file file;
    bool open, keep_open;
    bool made;           /* the temporary file is there */
    uint64_t size_bytes; /* written so far */
    kb_buffer seek;      /* entries of the seek table */
    uint32_t frames;
} kb_output;

/* keep_open: one of few files, whose handle may stay. Nothing is open or made before the first write. */
kb_status kb_output_init(kb_output *output, const kb_alloc *alloc, const kb_fs *fs, const char *path,
                         bool keep_open, kb_trail *trail) KB_MUST_USE;
/* Removes what is not committed. */
void kb_output_fini(kb_output *output);

/* Makes the temporary file, or opens the pipe. */
kb_status kb_output_begin(kb_output *output, kb_trail *trail) KB_MUST_USE;
/* A frame with its head, as kb_pack made them. */
kb_status kb_output_frame(kb_output *output, const kb_buffer *packed, uint32_t packed_size, uint32_t raw_size,
                          kb_trail *trail) KB_MUST_USE;
/* The seek table, and close. */
kb_status kb_output_end(kb_output *output, kb_trail *trail) KB_MUST_USE;
/* The final name. */
kb_status kb_output_commit(kb_output *output, kb_trail *trail) KB_MUST_USE;

#endif
