/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared objects; see shared.h. The only file that calls the dynamic linker, which reads the object by
 * itself; its bytes are also read through kb_fs: for a digest, and to say what is no object at all.
 */
#include "plugin/shared.h"

#include <dlfcn.h>
#include <elf.h>
#include <string.h>

enum { MOST_BYTES = 1 << 26, MOST_PIECES = 64 };

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

/*
 * Where the pieces of an object go, which the dynamic linker believes: one of a file that was cut short or
 * damaged may be mapped over our own code. In ascending order, within the file, no larger than any plugin.
 */
static bool fits(const Elf64_Phdr *piece, uint64_t file_size, uint64_t *inout_end) {
    const uint64_t align = piece->p_align > 1 ? piece->p_align : 1;
    if (piece->p_type != PT_LOAD)
        return true;
    if (piece->p_filesz > piece->p_memsz || piece->p_memsz > MOST_BYTES || piece->p_vaddr > MOST_BYTES ||
        piece->p_offset > file_size || piece->p_filesz > file_size - piece->p_offset ||
        (align & (align - 1)) != 0 || align > MOST_BYTES || (piece->p_vaddr - piece->p_offset) % align != 0 ||
        piece->p_vaddr < *inout_end)
        return false;
    *inout_end = piece->p_vaddr + piece->p_memsz;
    return true;
}

static kb_status check_pieces(kb_file *file, const Elf64_Ehdr *head, uint64_t file_size, const char *path,
                              kb_trail *trail) {
    Elf64_Phdr pieces[MOST_PIECES];
    const uint64_t size = (uint64_t)head->e_phnum * sizeof pieces[0];
    bool is_fine = head->e_type == ET_DYN && head->e_phentsize == sizeof pieces[0] &&
                   head->e_phnum <= MOST_PIECES && head->e_phoff <= file_size &&
                   size <= file_size - head->e_phoff;
    if (is_fine)
        KB_TRY(kb_file_read_at(file, head->e_phoff, pieces, (size_t)size, trail));
    uint64_t end = 0;
    for (size_t i = 0; is_fine && i < head->e_phnum; i++)
        is_fine = fits(&pieces[i], file_size, &end);
    if (!is_fine)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "%s is no whole shared object: it is damaged, cut short, or no object to be loaded",
                       path);
    return KB_OK;
}

/* The linker's own words for what is no object are about headers and sizes. */
static kb_status check_open(kb_file *file, uint64_t file_size, const char *path, const char *what,
                            kb_trail *trail) {
    Elf64_Ehdr head;
    size_t count = 0;
    memset(&head, 0, sizeof head);
    KB_TRY(kb_file_read(file, &head, sizeof head, &count, trail));
    if (count == 0)
        return kb_fail(trail, KB_E_ARGUMENT, "%s is empty: %s is a shared object", path, what);
    if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return kb_fail(trail, KB_E_ARGUMENT, "%s is no shared object (cc -shared -fPIC makes one)", path);
    return head.e_ident[EI_CLASS] == ELFCLASS64 ? check_pieces(file, &head, file_size, path, trail) : KB_OK;
}

static kb_status check_object(const kb_fs *fs, const char *path, const char *what, kb_trail *trail) {
    uint64_t size;
    kb_file file;
    KB_TRY(open_file(fs, path, what, &file, &size, trail));
    const kb_status status = check_open(&file, size, path, what, trail);
    kb_file_abandon(&file);
    return status;
}

/* The linker's words may quote the object's bytes, whatever these are. */
static kb_status refuse(const char *what, const char *why, kb_trail *trail) {
    char text[KB_TRAIL_CHARS];
    size_t count = 0;
    for (; why != NULL && why[count] != '\0' && count < sizeof text - 1; count++)
        text[count] = why[count] >= ' ' && why[count] <= '~' ? why[count] : '?';
    text[count] = '\0';
    return kb_fail(trail, KB_E_ARGUMENT, "cannot load %s: %s", what, text);
}

kb_status kbs_shared_open(const kb_fs *fs, const char *path, const char *what, void **ret, kb_trail *trail) {
    KB_TRY(check_object(fs, path, what, trail));
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL)
        return refuse(what, dlerror(), trail);
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
