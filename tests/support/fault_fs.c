/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system that misbehaves: how a test sets the scene and sees the outcome, and the slots of
 * kb_fs. Which call fails is decided in one place, begin(); see fault_fs.h.
 */
#include "support/fault_fs.h"

#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/fault_tree.h"
#include "support/pages.h"

enum { STANDARD_HANDLES = 2 };

typedef struct fault_handle {
    bool open;
    bool reads, writes, appends;
    size_t node;
    uint64_t offset;
} fault_handle;

static fault_handle *handle_at(const fault_fs *disk, size_t index) {
    return (fault_handle *)disk->handles + index;
}

/* --- the scene and the outcome ---------------------------------------------------------------- */

static size_t put(fault_fs *disk, const char *path, kb_file_type type) {
    char clean[FAULT_PATH_CHARS];
    int old = fault_find(disk, path, clean);
    assert_int_equal(fault_check_parent(disk, clean), 0);
    if (old != FAULT_NO_NODE)
        fault_take_name(fault_node_at(disk, (size_t)old));
    return fault_add_node(disk, clean, type);
}

void fault_fs_put(fault_fs *disk, const char *path, const void *bytes, size_t size) {
    fault_append(fault_node_at(disk, put(disk, path, KB_FILE_REGULAR)), bytes, size);
}

void fault_fs_put_folder(fault_fs *disk, const char *path) {
    put(disk, path, KB_FILE_FOLDER);
}

void fault_fs_put_special(fault_fs *disk, const char *path, fault_special special) {
    fault_node_at(disk, put(disk, path, KB_FILE_OTHER))->special = special;
}

void fault_fs_put_input(fault_fs *disk, const void *bytes, size_t size) {
    fault_append(fault_node_at(disk, handle_at(disk, 0)->node), bytes, size);
}

const unsigned char *fault_fs_bytes(fault_fs *disk, const char *path, size_t *ret_size) {
    char clean[FAULT_PATH_CHARS];
    int index = fault_find(disk, path, clean);
    if (index == FAULT_NO_NODE)
        return NULL;
    const fault_node *node = fault_node_at(disk, (size_t)index);
    *ret_size = node->size;
    return node->bytes != NULL ? node->bytes : (const unsigned char *)"";
}

const unsigned char *fault_fs_output(fault_fs *disk, size_t *ret_size) {
    const fault_node *node = fault_node_at(disk, handle_at(disk, 1)->node);
    *ret_size = node->size;
    return node->bytes != NULL ? node->bytes : (const unsigned char *)"";
}

const char *fault_fs_names(fault_fs *disk) {
    pages_grow(&disk->names, &disk->names_capacity, 1, disk->node_count * (FAULT_PATH_CHARS + 2) + 1);
    char *text = disk->names;
    size_t used = 0;
    text[0] = '\0';
    for (const fault_node *node = fault_next_name(disk, ""); node != NULL;
         node = fault_next_name(disk, node->path))
        used += (size_t)snprintf(text + used, disk->names_capacity - used, "%s%s%s", used > 0 ? " " : "",
                                 node->path, node->type == KB_FILE_FOLDER ? "/" : "");
    return text;
}

size_t fault_fs_open_count(const fault_fs *disk) {
    size_t count = 0;
    for (size_t i = STANDARD_HANDLES; i < disk->handle_count; i++)
        count += handle_at(disk, i)->open ? 1 : 0;
    return count;
}

/* --- the beginning and end of every call ------------------------------------------------------ */

static int refuse(int error) {
    errno = error;
    return -1;
}

/* Takes the lock, counts the call, and tells whether a switch lets it fail: 0 or an errno. */
static int begin(fault_fs *disk, fault_slot slot) {
    pthread_mutex_lock(&disk->lock);
    const fault_switches *faults = &disk->faults;
    assert(faults->interrupt_every != 1);
    disk->call_count++;
    disk->slot_call_count[slot]++;
    if (faults->fail_call != 0 && (disk->call_count == faults->fail_call ||
                                   (faults->from_then_on && disk->call_count > faults->fail_call)))
        return faults->fail_errno != 0 ? faults->fail_errno : EIO;
    if (faults->interrupt_every != 0 && disk->call_count % faults->interrupt_every == 0)
        return EINTR;
    return faults->slot_errno[slot];
}

/* Gives the lock back; errno survives. */
static ssize_t end(fault_fs *disk, ssize_t result) {
    int error = errno;
    pthread_mutex_unlock(&disk->lock);
    errno = error;
    return result;
}

static fault_handle *find_handle(const fault_fs *disk, int file) {
    if (file < 0 || (size_t)file >= disk->handle_count || !handle_at(disk, (size_t)file)->open)
        return NULL;
    return handle_at(disk, (size_t)file);
}

/* --- open and close --------------------------------------------------------------------------- */

static int new_handle(fault_fs *disk, size_t node, kb_open_mode mode) {
    /* 2 is somebody's standard error. */
    size_t index = STANDARD_HANDLES + 1;
    while (index < disk->handle_count && handle_at(disk, index)->open)
        index++;
    pages_grow(&disk->handles, &disk->handle_capacity, sizeof(fault_handle), index + 1);
    if (index >= disk->handle_count)
        disk->handle_count = index + 1;
    *handle_at(disk, index) = (fault_handle){
        .open = true,
        .reads = mode == KB_OPEN_READ || mode == KB_OPEN_CREATE || mode == KB_OPEN_SCRATCH,
        .writes = mode != KB_OPEN_READ,
        .appends = mode == KB_OPEN_APPEND,
        .node = node,
    };
    fault_node_at(disk, node)->open_count++;
    return (int)index;
}

static int open_scratch(fault_fs *disk, const char *path) {
    char clean[FAULT_PATH_CHARS];
    int folder = fault_find(disk, path, clean);
    if (folder == FAULT_NO_NODE && clean[0] != '\0')
        return -1;
    if (folder != FAULT_NO_NODE && fault_node_at(disk, (size_t)folder)->type != KB_FILE_FOLDER)
        return refuse(ENOTDIR);
    return new_handle(disk, fault_add_node(disk, NULL, KB_FILE_REGULAR), KB_OPEN_SCRATCH);
}

static int open_named(fault_fs *disk, const char *path, kb_open_mode mode) {
    char clean[FAULT_PATH_CHARS];
    int index = fault_find(disk, path, clean);
    if (clean[0] == '\0' && index == FAULT_NO_NODE)
        return refuse(errno == ENAMETOOLONG ? ENAMETOOLONG : mode == KB_OPEN_CREATE ? EEXIST : EISDIR);
    if (mode == KB_OPEN_CREATE) {
        if (index != FAULT_NO_NODE)
            return refuse(EEXIST);
        int error = fault_check_parent(disk, clean);
        if (error != 0)
            return refuse(error);
        return new_handle(disk, fault_add_node(disk, clean, KB_FILE_REGULAR), mode);
    }
    if (index == FAULT_NO_NODE)
        return -1;
    fault_node *node = fault_node_at(disk, (size_t)index);
    if (node->type == KB_FILE_FOLDER && mode != KB_OPEN_READ)
        return refuse(EISDIR);
    if (mode == KB_OPEN_WRITE && node->type == KB_FILE_REGULAR)
        node->size = 0;
    return new_handle(disk, (size_t)index, mode);
}

static int slot_open(void *context, const char *path, kb_open_mode mode) {
    fault_fs *disk = context;
    int error = begin(disk, FAULT_OPEN);
    if (error != 0)
        return (int)end(disk, refuse(error));
    return (int)end(disk, mode == KB_OPEN_SCRATCH ? open_scratch(disk, path) : open_named(disk, path, mode));
}

/* As on Linux, a close that fails has closed all the same. */
static int slot_close(void *context, int file) {
    fault_fs *disk = context;
    int error = begin(disk, FAULT_CLOSE);
    fault_handle *handle = find_handle(disk, file);
    if (handle == NULL)
        return (int)end(disk, refuse(EBADF));
    handle->open = false;
    fault_node *node = fault_node_at(disk, handle->node);
    node->open_count--;
    fault_drop_if_dead(node);
    return (int)end(disk, error != 0 ? refuse(error) : 0);
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* `bad` lies in the `size` bytes from `offset`: how many come before it, or all. */
static size_t until(uint64_t bad, uint64_t offset, size_t size) {
    return bad >= offset && bad - offset < size ? (size_t)(bad - offset) : size;
}

static ssize_t read_from(fault_fs *disk, fault_node *node, void *bytes, size_t size, uint64_t offset) {
    if (node->type == KB_FILE_FOLDER)
        return refuse(EISDIR);
    if (offset >= node->size || size == 0)
        return 0;
    size_t count = size < node->size - offset ? size : (size_t)(node->size - offset);
    if (disk->faults.most_read != 0 && count > disk->faults.most_read)
        count = disk->faults.most_read;
    count = until(disk->faults.bad_byte, offset, count);
    if (count == 0)
        return refuse(EIO);
    memcpy(bytes, (const char *)node->bytes + offset, count);
    return (ssize_t)count;
}

static ssize_t do_read(fault_fs *disk, int file, void *bytes, size_t size) {
    fault_handle *handle = find_handle(disk, file);
    if (handle == NULL || !handle->reads)
        return refuse(EBADF);
    fault_node *node = fault_node_at(disk, handle->node);
    const bool pipe = node->type == KB_FILE_OTHER && node->special == FAULT_PIPE;
    ssize_t count = read_from(disk, node, bytes, size, pipe ? node->front : handle->offset);
    if (count > 0 && pipe)
        node->front += (size_t)count;
    else if (count > 0)
        handle->offset += (uint64_t)count;
    return count;
}

static ssize_t slot_read(void *context, int file, void *bytes, size_t size) {
    fault_fs *disk = context;
    int error = begin(disk, FAULT_READ);
    return end(disk, error != 0 ? refuse(error) : do_read(disk, file, bytes, size));
}

static ssize_t do_pread(fault_fs *disk, int file, void *bytes, size_t size, uint64_t offset) {
    fault_handle *handle = find_handle(disk, file);
    if (handle == NULL || !handle->reads)
        return refuse(EBADF);
    fault_node *node = fault_node_at(disk, handle->node);
    if (node->type == KB_FILE_OTHER && node->special == FAULT_PIPE)
        return refuse(ESPIPE);
    if (offset > INT64_MAX)
        return refuse(EINVAL);
    return read_from(disk, node, bytes, size, offset);
}

static ssize_t slot_pread(void *context, int file, void *bytes, size_t size, uint64_t offset) {
    fault_fs *disk = context;
    int error = begin(disk, FAULT_PREAD);
    return end(disk, error != 0 ? refuse(error) : do_pread(disk, file, bytes, size, offset));
}

static ssize_t do_write(fault_fs *disk, int file, const void *bytes, size_t size) {
    fault_handle *handle = find_handle(disk, file);
    if (handle == NULL || !handle->writes)
        return refuse(EBADF);
    if (size == 0)
        return 0;
    fault_node *node = fault_node_at(disk, handle->node);
    const fault_switches *faults = &disk->faults;
    const bool stream = handle->appends || node->type == KB_FILE_OTHER;
    const uint64_t offset = stream ? node->size : handle->offset;
    size_t count = faults->most_write != 0 && size > faults->most_write ? faults->most_write : size;
    count = until(faults->bad_write_byte, offset, count);
    if (count == 0)
        return refuse(EIO);
    const uint64_t space =
        faults->space_size > disk->written_size ? faults->space_size - disk->written_size : 0;
    if (space == 0)
        return refuse(ENOSPC);
    if (count > space)
        count = (size_t)space;
    pages_grow(&node->bytes, &node->capacity, 1, (size_t)offset + count);
    memcpy((char *)node->bytes + offset, bytes, count);
    if (offset + count > node->size)
        node->size = (size_t)offset + count;
    handle->offset = offset + count;
    disk->written_size += count;
    return (ssize_t)count;
}

static ssize_t slot_write(void *context, int file, const void *bytes, size_t size) {
    fault_fs *disk = context;
    int error = begin(disk, FAULT_WRITE);
    return end(disk, error != 0 ? refuse(error) : do_write(disk, file, bytes, size));
}

/* --- names, as slots -------------------------------------------------------------------------- */

static int describe(const fault_node *node, kb_file_type *ret_type, uint64_t *ret_size) {
    *ret_type = node->type;
    *ret_size = node->type == KB_FILE_REGULAR ? node->size : 0;
    return 0;
}

static int do_stat(fault_fs *disk, const char *path, kb_file_type *ret_type, uint64_t *ret_size) {
    char clean[FAULT_PATH_CHARS];
    int index = fault_find(disk, path, clean);
    if (index != FAULT_NO_NODE)
        return describe(fault_node_at(disk, (size_t)index), ret_type, ret_size);
    if (clean[0] != '\0' || errno == ENAMETOOLONG)
        return -1;
    *ret_type = KB_FILE_FOLDER; /* the root */
    *ret_size = 0;
    return 0;
}

static int slot_stat(void *context, const char *path, kb_file_type *ret_type, uint64_t *ret_size) {
    fault_fs *disk = context;
    int error = begin(disk, FAULT_STAT);
    return (int)end(disk, error != 0 ? refuse(error) : do_stat(disk, path, ret_type, ret_size));
}

static int slot_fstat(void *context, int file, kb_file_type *ret_type, uint64_t *ret_size) {
    fault_fs *disk = context;
    int error = begin(disk, FAULT_FSTAT);
    const fault_handle *handle = find_handle(disk, file);
    if (error == 0 && handle == NULL)
        error = EBADF;
    return (int)end(disk, error != 0 ? refuse(error)
                                     : describe(fault_node_at(disk, handle->node), ret_type, ret_size));
}

/* 0 when `from` may take the place of `to`, else the errno. */
static int check_replace(const fault_fs *disk, const fault_node *from, const fault_node *to) {
    if (from->type == KB_FILE_FOLDER && to->type != KB_FILE_FOLDER)
        return ENOTDIR;
    if (from->type != KB_FILE_FOLDER && to->type == KB_FILE_FOLDER)
        return EISDIR;
    return to->type == KB_FILE_FOLDER && !fault_is_empty(disk, to->path) ? ENOTEMPTY : 0;
}

static int do_rename(fault_fs *disk, const char *from, const char *to) {
    char clean_from[FAULT_PATH_CHARS], clean_to[FAULT_PATH_CHARS];
    int source = fault_find(disk, from, clean_from);
    if (source == FAULT_NO_NODE)
        return -1;
    int target = fault_find(disk, to, clean_to);
    if (source == target)
        return 0;
    int error = clean_to[0] == '\0' ? EBUSY : fault_check_parent(disk, clean_to);
    if (error == 0 && fault_lies_in(clean_to, clean_from))
        error = EINVAL;
    if (error == 0 && target != FAULT_NO_NODE)
        error = check_replace(disk, fault_node_at(disk, (size_t)source), fault_node_at(disk, (size_t)target));
    if (error != 0)
        return refuse(error);
    if (target != FAULT_NO_NODE)
        fault_take_name(fault_node_at(disk, (size_t)target));
    for (size_t i = 0; i < disk->node_count; i++) {
        fault_node *node = fault_node_at(disk, i);
        char path[2 * FAULT_PATH_CHARS];
        if (!node->used || !node->named || ((int)i != source && !fault_lies_in(node->path, clean_from)))
            continue;
        snprintf(path, sizeof path, "%s%s", clean_to, node->path + strlen(clean_from));
        assert(strlen(path) < FAULT_PATH_CHARS);
        memcpy(node->path, path, strlen(path) + 1);
    }
    return 0;
}

static int slot_rename(void *context, const char *from, const char *to) {
    fault_fs *disk = context;
    int error = begin(disk, FAULT_RENAME);
    return (int)end(disk, error != 0 ? refuse(error) : do_rename(disk, from, to));
}

static int slot_unlink(void *context, const char *path) {
    fault_fs *disk = context;
    int error = begin(disk, FAULT_UNLINK);
    char clean[FAULT_PATH_CHARS];
    int index = error == 0 ? fault_find(disk, path, clean) : FAULT_NO_NODE;
    if (error == 0 && index == FAULT_NO_NODE)
        error = errno;
    else if (error == 0 && fault_node_at(disk, (size_t)index)->type == KB_FILE_FOLDER)
        error = EISDIR;
    if (error != 0)
        return (int)end(disk, refuse(error));
    fault_take_name(fault_node_at(disk, (size_t)index));
    return (int)end(disk, 0);
}

static int do_mkdir(fault_fs *disk, const char *path) {
    char clean[FAULT_PATH_CHARS];
    int index = fault_find(disk, path, clean);
    if (index == FAULT_NO_NODE && errno == ENAMETOOLONG)
        return -1;
    if (index != FAULT_NO_NODE || clean[0] == '\0')
        return refuse(EEXIST);
    int error = fault_check_parent(disk, clean);
    if (error != 0)
        return refuse(error);
    fault_add_node(disk, clean, KB_FILE_FOLDER);
    return 0;
}

static int slot_mkdir(void *context, const char *path) {
    fault_fs *disk = context;
    int error = begin(disk, FAULT_MKDIR);
    return (int)end(disk, error != 0 ? refuse(error) : do_mkdir(disk, path));
}

static int do_list(fault_fs *disk, const char *path, int (*each)(void *user, const char *name), void *user) {
    char clean[FAULT_PATH_CHARS];
    int index = fault_find(disk, path, clean);
    if (index == FAULT_NO_NODE && (clean[0] != '\0' || errno == ENAMETOOLONG))
        return -1;
    if (index != FAULT_NO_NODE && fault_node_at(disk, (size_t)index)->type != KB_FILE_FOLDER)
        return refuse(ENOTDIR);
    /* Backwards, so that nobody gets used to an order. */
    for (size_t i = disk->node_count; i-- > 0;) {
        const fault_node *node = fault_node_at(disk, i);
        if (!node->used || !node->named || !fault_lies_in(node->path, clean))
            continue;
        const char *name = node->path + (clean[0] != '\0' ? strlen(clean) + 1 : 0);
        int result = strchr(name, '/') == NULL ? each(user, name) : 0;
        if (result != 0)
            return result;
    }
    return 0;
}

static int slot_list(void *context, const char *path, int (*each)(void *user, const char *name), void *user) {
    fault_fs *disk = context;
    int error = begin(disk, FAULT_LIST);
    return (int)end(disk, error != 0 ? refuse(error) : do_list(disk, path, each, user));
}

/* --- beginning and end ------------------------------------------------------------------------ */

void fault_fs_init(fault_fs *disk) {
    memset(disk, 0, sizeof *disk);
    disk->fs = (kb_fs){slot_open,  slot_read,   slot_pread,  slot_write, slot_close, slot_stat,
                       slot_fstat, slot_rename, slot_unlink, slot_mkdir, slot_list,  disk};
    disk->faults.space_size = UINT64_MAX;
    disk->faults.bad_byte = UINT64_MAX;
    disk->faults.bad_write_byte = UINT64_MAX;
    pthread_mutexattr_t recursive; /* list() hands out names while it holds the lock */
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&disk->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    pages_grow(&disk->handles, &disk->handle_capacity, sizeof(fault_handle), STANDARD_HANDLES);
    disk->handle_count = STANDARD_HANDLES;
    for (size_t i = 0; i < STANDARD_HANDLES; i++) {
        size_t index = fault_add_node(disk, NULL, KB_FILE_OTHER);
        fault_node_at(disk, index)->open_count = 1;
        *handle_at(disk, i) = (fault_handle){.open = true, .reads = i == 0, .writes = i == 1, .node = index};
    }
}

void fault_fs_fini(fault_fs *disk) {
    const size_t open_count = fault_fs_open_count(disk);
    for (size_t i = 0; i < disk->node_count; i++)
        pages_free(fault_node_at(disk, i)->bytes, fault_node_at(disk, i)->capacity, 1);
    pages_free(disk->nodes, disk->node_capacity, sizeof(fault_node));
    pages_free(disk->handles, disk->handle_capacity, sizeof(fault_handle));
    pages_free(disk->names, disk->names_capacity, 1);
    pthread_mutex_destroy(&disk->lock);
    assert_int_equal(open_count, 0);
}
