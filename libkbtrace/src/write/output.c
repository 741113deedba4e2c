/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a trace that is being written: see output.h. */
#include "write/output.h"

#include <assert.h>
#include <string.h>

static kb_status copy_text(const kb_alloc *alloc, const char *text, const char *suffix, char **ret,
                           kb_trail *trail) {
    size_t length = strlen(text), more = strlen(suffix);
    void *block;
    KB_TRY(kb_new(alloc, length + more + 1, &block, trail));
    memcpy(block, text, length);
    memcpy((char *)block + length, suffix, more + 1);
    *ret = block;
    return KB_OK;
}

static void delete_text(const kb_alloc *alloc, char *text) {
    if (text != NULL)
        kb_delete(alloc, text, strlen(text) + 1);
}

kb_status kb_output_init(kb_output *output, const kb_alloc *alloc, const kb_fs *fs, const char *path,
                         bool keep_open, kb_trail *trail) {
    kb_file_type type = KB_FILE_OTHER;
    uint64_t size;
    *output = (kb_output){.alloc = alloc, .fs = fs, .keep_open = keep_open};
    kb_buffer_init(&output->seek, alloc);
    if (strcmp(path, "-") != 0)
        KB_TRY(kb_fs_stat(fs, path, &type, &size, trail));
    if (type == KB_FILE_FOLDER)
        return kb_fail(trail, KB_E_ARGUMENT, "%s is a folder: write %s/ for one file a rank, or name a file",
                       path, path);
    KB_TRY(copy_text(alloc, path, "", &output->path, trail));
    if (type == KB_FILE_OTHER) {
        output->keep_open = true;
        return KB_OK;
    }
    kb_status status = copy_text(alloc, path, KB_PARTIAL_SUFFIX, &output->partial, trail);
    if (status != KB_OK) {
        delete_text(alloc, output->path);
        output->path = NULL;
    }
    return status;
}

void kb_output_fini(kb_output *output) {
    if (output->open)
        kb_file_abandon(&output->file);
    if (output->partial != NULL && output->made)
        kb_fs_unlink(output->fs, output->partial);
    delete_text(output->alloc, output->path);
    delete_text(output->alloc, output->partial);
    kb_buffer_fini(&output->seek);
    output->path = output->partial = NULL;
    output->open = false;
}

static kb_status shut(kb_output *output, kb_trail *trail) {
    output->open = false;
    return kb_file_close(&output->file, trail);
}

static kb_status reach(kb_output *output, kb_trail *trail) {
    if (output->open)
        return KB_OK;
    KB_TRY(kb_file_open(&output->file, output->fs, output->partial ? output->partial : output->path,
                        KB_OPEN_APPEND, trail));
    output->open = true;
    return KB_OK;
}

/* What stands there is left of a run that was killed, or belongs to one that still writes: then hands off. */
static kb_status clear_partial(kb_output *output, kb_trail *trail) {
    kb_file_type type;
    uint64_t size;
    KB_TRY(kb_fs_stat(output->fs, output->partial, &type, &size, trail));
    if (type != KB_FILE_REGULAR)
        return KB_OK;
    kb_file left;
    const kb_status status = kb_file_open(&left, output->fs, output->partial, KB_OPEN_APPEND, trail);
    if (status != KB_OK)
        return kb_while(trail, status,
                        "beginning %s (busy: another run writes it, give one of them another name)",
                        output->path);
    kb_file_abandon(&left);
    kb_fs_unlink(output->fs, output->partial);
    return KB_OK;
}

kb_status kb_output_begin(kb_output *output, kb_trail *trail) {
    if (output->partial == NULL) {
        KB_TRY(kb_file_open(&output->file, output->fs, output->path, KB_OPEN_WRITE, trail));
    } else {
        KB_TRY(clear_partial(output, trail));
        KB_TRY(kb_file_open(&output->file, output->fs, output->partial, KB_OPEN_CREATE, trail));
        output->made = true;
    }
    output->open = true;
    return output->keep_open ? KB_OK : shut(output, trail);
}

kb_status kb_output_frame(kb_output *output, const kb_buffer *packed, uint32_t packed_size, uint32_t raw_size,
                          kb_trail *trail) {
    uint8_t entries[2 * KB_SEEK_ENTRY_SIZE];
    KB_TRY(reach(output, trail));
    KB_TRY(kb_file_write(&output->file, packed->bytes, packed->size, trail));
    kb_le32_put(entries, KB_HEAD_SIZE);
    kb_le32_put(entries + 4, 0);
    kb_le32_put(entries + 8, packed_size);
    kb_le32_put(entries + 12, raw_size);
    KB_TRY(kb_buffer_append(&output->seek, entries, sizeof entries, trail));
    output->frames++;
    output->size_bytes += packed->size;
    return output->keep_open ? KB_OK : shut(output, trail);
}

kb_status kb_output_end(kb_output *output, kb_trail *trail) {
    uint8_t header[KB_SEEK_HEADER_SIZE], footer[KB_SEEK_FOOTER_SIZE] = {0};
    size_t size = output->seek.size + KB_SEEK_FOOTER_SIZE;
    kb_le32_put(header, KB_SKIPPABLE_SEEK);
    kb_le32_put(header + 4, (uint32_t)size);
    kb_le32_put(footer, 2 * output->frames);
    kb_le32_put(footer + 5, KB_SEEK_MAGIC);
    KB_TRY(reach(output, trail));
    KB_TRY(kb_file_write(&output->file, header, sizeof header, trail));
    KB_TRY(kb_file_write(&output->file, output->seek.bytes, output->seek.size, trail));
    KB_TRY(kb_file_write(&output->file, footer, sizeof footer, trail));
    output->size_bytes += sizeof header + size;
    return shut(output, trail);
}

kb_status kb_output_commit(kb_output *output, kb_trail *trail) {
    assert(!output->open);
    if (output->partial == NULL)
        return KB_OK;
    KB_TRY(kb_fs_rename(output->fs, output->partial, output->path, trail));
    delete_text(output->alloc, output->partial);
    output->partial = NULL;
    return KB_OK;
}
