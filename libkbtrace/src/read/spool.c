/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes into nameless files: see spool.h. */
#include "read/spool.h"

#include <errno.h>

#include "ground/explain.h"
#include "wire/frame.h"

#define SCRATCH_FOLDER "/tmp" /* where a nameless file may grow; POSIX has it everywhere */

/* Of what begins unlike a trace only the beginning: it may have no end, and is refused by that. */
static kb_status copy(kb_file *from, kb_file *to, kb_trail *trail) {
    uint8_t bytes[1 << 16];
    size_t size;
    bool goes_on = true;
    while (goes_on) {
        const bool is_first = to->offset == 0;
        KB_TRY(kb_file_read(from, bytes, sizeof bytes, &size, trail));
        KB_TRY(kb_file_write(to, bytes, size, trail));
        goes_on = size == sizeof bytes && (!is_first || kb_le32(bytes) == KB_SKIPPABLE_HEAD);
    }
    return KB_OK;
}

kb_status kb_spool(kb_file *inout_file, const char *path, bool *ret_spooled, uint64_t *ret_size,
                   kb_trail *trail) {
    const kb_fs *fs = inout_file->fs;
    kb_file_type type;
    uint64_t size;
    int failed;
    do
        failed = fs->fstat(fs->context, inout_file->handle, &type, &size);
    while (failed != 0 && errno == EINTR);
    if (failed != 0)
        return kb_explain(trail, errno, "look at", path);
    if (type == KB_FILE_FOLDER)
        return kb_fail(trail, KB_E_ARGUMENT, "%s is a folder where a file was wanted", path);
    if (type == KB_FILE_REGULAR) {
        *ret_spooled = false;
        *ret_size = size;
        return KB_OK;
    }
    kb_file scratch;
    KB_TRY(kb_file_open(&scratch, fs, SCRATCH_FOLDER, KB_OPEN_SCRATCH, trail));
    kb_status status = copy(inout_file, &scratch, trail);
    if (status != KB_OK) {
        kb_file_abandon(&scratch);
        return kb_while(trail, status, "copying %s to a nameless file in " SCRATCH_FOLDER, path);
    }
    kb_file_abandon(inout_file);
    *ret_size = scratch.offset;
    *inout_file = scratch;
    *ret_spooled = true;
    return KB_OK;
}
