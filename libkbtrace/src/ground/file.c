/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on one open file that finish what they begin: interrupts retried, short counts continued. */
#include "kbtrace/fs.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ground/explain.h"

/* Linux moves at most 0x7ffff000 bytes a call, read(2); less keeps counts far from ssize_t's end. */
#define MOST_BYTES_A_CALL ((size_t)1 << 30)

enum { STANDARD_INPUT = 0, STANDARD_OUTPUT = 1 };

static bool is_dash(const char *path) {
    return strcmp(path, "-") == 0;
}

/* Whether the handle was there before us, and stays when we close. */
static bool is_standard(const kb_file *file) {
    return is_dash(file->path) && (file->handle == STANDARD_INPUT || file->handle == STANDARD_OUTPUT);
}

/* The name for messages. */
static const char *name_of(const kb_file *file) {
    if (!is_standard(file))
        return file->path;
    return file->handle == STANDARD_INPUT ? "standard input" : "standard output";
}

static size_t part_of(size_t size) {
    return size < MOST_BYTES_A_CALL ? size : MOST_BYTES_A_CALL;
}

kb_status kb_file_open(kb_file *file, const kb_fs *fs, const char *path, kb_open_mode mode, kb_trail *trail) {
    static const char *const verbs[] = {
        [KB_OPEN_READ] = "open",
        [KB_OPEN_CREATE] = "create",
        [KB_OPEN_APPEND] = "open",
        [KB_OPEN_WRITE] = "open",
        [KB_OPEN_SCRATCH] = "create a scratch file in",
    };
    if (fs == NULL)
        fs = kb_fs_posix();
    int handle;
    if (is_dash(path) && (mode == KB_OPEN_READ || mode == KB_OPEN_WRITE)) {
        handle = mode == KB_OPEN_READ ? STANDARD_INPUT : STANDARD_OUTPUT;
    } else {
        do
            handle = fs->open(fs->context, path, mode);
        while (handle < 0 && errno == EINTR);
    }
    if (handle < 0)
        return kb_explain(trail, errno, verbs[mode], path);
    *file = (kb_file){.fs = fs, .handle = handle, .path = path, .offset = 0};
    return KB_OK;
}

kb_status kb_file_read(kb_file *file, void *bytes, size_t size, size_t *ret_size, kb_trail *trail) {
    assert(file->handle >= 0);
    size_t came = 0;
    while (came < size) {
        ssize_t count =
            file->fs->read(file->fs->context, file->handle, (char *)bytes + came, part_of(size - came));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return kb_explain_at(trail, errno, "read", name_of(file), file->offset);
        if (count == 0)
            break;
        came += (size_t)count;
        file->offset += (uint64_t)count;
    }
    *ret_size = came;
    return KB_OK;
}

/* The file ended at or before `offset`, where `missing_size` more bytes were expected. */
static kb_status fail_at_end(const kb_file *file, uint64_t offset, size_t missing_size, kb_trail *trail) {
    kb_file_type type;
    uint64_t end;
    if (file->fs->fstat(file->fs->context, file->handle, &type, &end) != 0 || end > offset)
        end = offset;
    char shown[KB_SHOWN_PATH_CHARS];
    return kb_fail(trail, KB_E_CORRUPT,
                   "%s ends at byte %" PRIu64 ", but %zu bytes more are expected at byte %" PRIu64
                   " (is the file cut short?)",
                   kb_shown_path(name_of(file), shown), end, missing_size, offset);
}

kb_status kb_file_read_at(kb_file *file, uint64_t offset, void *bytes, size_t size, kb_trail *trail) {
    assert(file->handle >= 0);
    /* An offset that no file can have comes from damaged bytes, and is no error of the system. */
    if (offset > INT64_MAX || size > INT64_MAX - offset)
        return fail_at_end(file, offset, size, trail);
    size_t came = 0;
    while (came < size) {
        ssize_t count = file->fs->pread(file->fs->context, file->handle, (char *)bytes + came,
                                        part_of(size - came), offset + came);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return kb_explain_at(trail, errno, "read", name_of(file), offset + came);
        if (count == 0)
            return fail_at_end(file, offset + came, size - came, trail);
        came += (size_t)count;
    }
    return KB_OK;
}

kb_status kb_file_write(kb_file *file, const void *bytes, size_t size, kb_trail *trail) {
    assert(file->handle >= 0);
    size_t gone = 0;
    while (gone < size) {
        ssize_t count = file->fs->write(file->fs->context, file->handle, (const char *)bytes + gone,
                                        part_of(size - gone));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return kb_explain_at(trail, errno, "write", name_of(file), file->offset);
        if (count == 0) /* no system call should do that; going on would be a loop for ever */
            return kb_explain_at(trail, ENOSPC, "write", name_of(file), file->offset);
        gone += (size_t)count;
        file->offset += (uint64_t)count;
    }
    return KB_OK;
}

kb_status kb_file_close(kb_file *file, kb_trail *trail) {
    if (file->handle < 0)
        return KB_OK;
    const bool standard = is_standard(file);
    const int handle = file->handle;
    file->handle = -1;
    if (standard)
        return KB_OK;
    /* Linux frees the handle before it can be interrupted, close(2): a retry could hit another's. */
    if (file->fs->close(file->fs->context, handle) != 0 && errno != EINTR)
        return kb_explain(trail, errno, "finish writing", file->path);
    return KB_OK;
}

void kb_file_abandon(kb_file *file) {
    if (file->handle >= 0 && !is_standard(file))
        (void)file->fs->close(file->fs->context, file->handle);
    file->handle = -1;
}
