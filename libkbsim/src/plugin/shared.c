/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared objects; see shared.h. The only file that calls the dynamic linker, which reads the object by
 * itself; its bytes are also read through kb_fs: for a digest, and to say what is no object at all.
 */
#include "plugin/shared.h"

#include <dlfcn.h>
#include <string.h>

enum { MOST_BYTES = 1 << 26 };

static kb_status open_file(const kb_fs *fs, const char *path, const char *what, kb_file *ret,
                           uint64_t *ret_size, kb_trail *trail) {
    kb_file_type type;
    KB_TRY(kb_fs_stat(fs, path, &type, ret_size, trail));
    if (type == KB_FILE_FOLDER || type == KB_FILE_OTHER)
        return kb_fail(trail, KB_E_ARGUMENT, "%s is no file: %s is a shared object", path, what);
    if (*ret_size > MOST_BYTES)
        return kb_fail(trail, KB_E_LIMIT, "%s is longer than %d bytes: no shared object of a user's is", path,
                       MOST_BYTES);
    return kb_file_open(ret, fs, path, KB_OPEN_READ, trail);
}

static kb_status digest_open(kb_file *file, size_t size, kb_digest *ret, kb_trail *trail) {
    void *bytes;
    size_t count = 0;
    KB_TRY(kb_new(NULL, size + 1, &bytes, trail));
    const kb_status status = kb_file_read(file, bytes, size + 1, &count, trail);
    if (status == KB_OK)
        *ret = kb_digest_of(bytes, count);
    kb_delete(NULL, bytes, size + 1);
    return status;
}

kb_status kbs_shared_digest(const kb_fs *fs, const char *path, const char *what, kb_digest *ret,
                            kb_trail *trail) {
    kb_file file;
    uint64_t size;
    KB_TRY(open_file(fs, path, what, &file, &size, trail));
    const kb_status status = digest_open(&file, (size_t)size, ret, trail);
    if (status == KB_OK)
        return kb_file_close(&file, trail);
    kb_file_abandon(&file);
    return status;
}

/* The linker's own words for what is no object are about headers and sizes. */
static kb_status check_object(const kb_fs *fs, const char *path, const char *what, kb_trail *trail) {
    static const char magic[] = {0x7f, 'E', 'L', 'F'};
    char head[sizeof magic] = {0};
    size_t count = 0;
    uint64_t size;
    kb_file file;
    KB_TRY(open_file(fs, path, what, &file, &size, trail));
    const kb_status status = kb_file_read(&file, head, sizeof head, &count, trail);
    kb_file_abandon(&file);
    KB_TRY(status);
    if (count == 0)
        return kb_fail(trail, KB_E_ARGUMENT, "%s is empty: %s is a shared object", path, what);
    if (memcmp(head, magic, sizeof magic) != 0)
        return kb_fail(trail, KB_E_ARGUMENT, "%s is no shared object (cc -shared -fPIC makes one)", path);
    return KB_OK;
}

kb_status kbs_shared_open(const kb_fs *fs, const char *path, const char *what, void **ret, kb_trail *trail) {
    KB_TRY(check_object(fs, path, what, trail));
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "cannot load %s: %s", what, dlerror());
    *ret = object;
    return KB_OK;
}

const void *kbs_shared_find(void *object, const char *symbol) {
    return dlsym(object, symbol);
}

void kbs_shared_close(void *object) {
    if (object != NULL)
        dlclose(object);
}
