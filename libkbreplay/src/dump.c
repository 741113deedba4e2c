/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tensors out of rebuilt memory: gathered from their shards, written as NumPy array files (format 1.0).
 */
#include "dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kbtrace/fs.h"
#include "kbtrace/nearest.h"
#include "number/number.h"

/* --- names ------------------------------------------------------------------------------------- */

/* "y", or "y@3" for a tensor whose name several ranks have. */
static const char *full_name(const kb_defs *defs, uint32_t id, char *buffer, size_t buffer_size) {
    const kb_tensor *tensor = &defs->tensors[id];
    snprintf(buffer, buffer_size, "%s@%" PRIu32, tensor->name, tensor->rank);
    return buffer;
}

/* The first tensor of that name, and how many there are; KB_NONE where there is none. */
static uint32_t first_called(const kb_defs *defs, const char *name, uint32_t *ret_count) {
    uint32_t first = KB_NONE;
    *ret_count = 0;
    for (uint32_t id = 0; id < defs->tensor_count; id++)
        if (strcmp(defs->tensors[id].name, name) == 0) {
            first = first == KB_NONE ? id : first;
            (*ret_count)++;
        }
    return first;
}

/* Of the tensors of that name the one of the rank that was asked for, if there is one, else the first. */
static uint32_t meant(const kb_defs *defs, const char *name, const char *at, uint32_t *ret_count) {
    char full[256];
    for (uint32_t id = 0; at != NULL && id < defs->tensor_count; id++)
        if (strcmp(defs->tensors[id].name, name) == 0 &&
            strcmp(strrchr(full_name(defs, id, full, sizeof full), '@'), at) == 0) {
            first_called(defs, name, ret_count);
            return id;
        }
    return first_called(defs, name, ret_count);
}

/* There is no such tensor: says which one may be meant. */
static kb_status say_unknown(const kb_defs *defs, const char *name, kb_trail *trail) {
    char bare[256], full[256];
    const char *at = strchr(name, '@');
    snprintf(bare, sizeof bare, "%.*s", at != NULL ? (int)(at - name) : (int)strlen(name), name);
    kb_nearest nearest;
    kb_nearest_init(&nearest, bare);
    for (uint32_t id = 0; id < defs->tensor_count; id++)
        kb_nearest_offer(&nearest, defs->tensors[id].name);
    uint32_t count;
    const char *best = first_called(defs, bare, &count) != KB_NONE ? bare : kb_nearest_best(&nearest);
    if (best == NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "the trace has no tensor `%s`; it has %zu of other names", name,
                       defs->tensor_count);
    uint32_t id = meant(defs, best, at, &count);
    return kb_fail(trail, KB_E_ARGUMENT, "the trace has no tensor `%s`; did you mean `%s`?", name,
                   count > 1 ? full_name(defs, id, full, sizeof full) : best);
}

kb_status kbr_find_tensor(const kb_defs *defs, const char *name, uint32_t *ret_tensor, kb_trail *trail) {
    char full[256];
    uint32_t count, id = first_called(defs, name, &count);
    if (count > 1)
        return kb_fail(trail, KB_E_ARGUMENT, "%u tensors are called `%s`: name one by its rank, as `%s`",
                       count, name, full_name(defs, id, full, sizeof full));
    for (uint32_t i = 0; id == KB_NONE && i < defs->tensor_count; i++)
        if (strcmp(full_name(defs, i, full, sizeof full), name) == 0)
            id = i;
    if (id == KB_NONE)
        return say_unknown(defs, name, trail);
    *ret_tensor = id;
    return KB_OK;
}

/* --- gathering --------------------------------------------------------------------------------- */

typedef struct gathered {
    uint8_t *bytes, *covered; /* a byte an element: it lies in a shard, and is defined */
    uint64_t elements;
    uint32_t size; /* bytes of an element */
} gathered;

enum { PART = 4096 }; /* bytes that are gathered at once */

/* Elements that lie one after another in memory, too; no more than a part. */
static kb_status gather_part(const kbr_dumped *from, const kb_shard *shard, gathered *into, uint64_t place,
                             uint64_t offset, uint64_t count, kb_trail *trail) {
    uint8_t bits[PART / 8];
    KB_TRY(kbr_memory_read(from->memories, shard->memory, offset, count * into->size,
                           into->bytes + place * into->size, NULL, trail));
    KB_TRY(kbr_memory_get_bits(from->memories, shard->memory, offset, count * into->size, bits, trail));
    for (uint64_t i = 0; i < count; i++) {
        bool defined = true;
        for (uint64_t at = i * into->size; at < (i + 1) * into->size; at++)
            defined = defined && (bits[at / 8] >> at % 8 & 1) != 0;
        into->covered[place + i] = defined;
    }
    return KB_OK;
}

/* One row of a shard: elements that lie one after another in the tensor. */
static kb_status gather_row(const kbr_dumped *from, const kb_shard *shard, gathered *into, uint64_t place,
                            uint64_t offset, uint64_t count, int64_t stride, kb_trail *trail) {
    uint64_t most = stride == 1 ? PART / into->size : 1;
    for (uint64_t i = 0; i < count; i += most) {
        uint64_t at = offset + i * (uint64_t)stride * into->size;
        KB_TRY(gather_part(from, shard, into, place + i, at, count - i < most ? count - i : most, trail));
    }
    return KB_OK;
}

static kb_status gather_shard(const kbr_dumped *from, const kb_tensor *tensor, const kb_shard *shard,
                              gathered *into, kb_trail *trail) {
    size_t dims = shard->shape_count;
    if (dims == 0)
        return gather_row(from, shard, into, 0, shard->offset_bytes, 1, 1, trail);
    uint64_t index[KB_DIMS_MAX] = {0};
    for (size_t axis = 0; axis < dims; axis++)
        if (shard->shape[axis] == 0)
            return KB_OK;
    for (;;) {
        uint64_t place = 0, offset = shard->offset_bytes;
        for (size_t axis = 0; axis < dims; axis++) {
            place = place * tensor->shape[axis] + shard->origin[axis] + index[axis];
            offset += index[axis] * (uint64_t)shard->stride[axis] * into->size;
        }
        KB_TRY(gather_row(from, shard, into, place, offset, shard->shape[dims - 1], shard->stride[dims - 1],
                          trail));
        size_t axis = dims - 1;
        while (axis > 0 && ++index[axis - 1] == shard->shape[axis - 1])
            index[--axis] = 0;
        if (axis == 0)
            return KB_OK;
    }
}

/* Of a checked shard none leaves the tensor, and none its memory. */
kb_status kbr_dump_gather(const kbr_dumped *from, uint32_t tensor, uint8_t *bytes, uint8_t *defined,
                          kb_trail *trail) {
    const kb_tensor *what = &from->defs->tensors[tensor];
    gathered into = {.bytes = bytes, .covered = defined, .size = kb_dtype_size(what->dtype)};
    for (size_t i = 0; i < what->shard_count; i++)
        KB_TRY(gather_shard(from, what, &what->shards[i], &into, trail));
    return KB_OK;
}

/* --- the file ---------------------------------------------------------------------------------- */

typedef struct npy_type {
    const char *descr;
    bool widens; /* to f32 */
} npy_type;

/* NumPy has no bf16; f32 holds every one of them. */
static const npy_type npy_types[] = {
    [KB_DTYPE_F16] = {"<f2", false},    [KB_DTYPE_BF16] = {"<f4", true},   [KB_DTYPE_F32] = {"<f4", false},
    [KB_DTYPE_I8] = {"|i1", false},     [KB_DTYPE_I32] = {"<i4", false},   [KB_DTYPE_F8E4M3] = {"|u1", false},
    [KB_DTYPE_F8E5M2] = {"|u1", false}, [KB_DTYPE_BYTES] = {"|u1", false},
};

/* The header, whose size is a multiple of 64; gives that size. */
static size_t make_header(const kb_tensor *tensor, char *header, size_t header_size) {
    enum { PREFIX = 10 };
    char *text = header + PREFIX;
    size_t room = header_size - PREFIX, used = 0;
    used += (size_t)snprintf(text, room, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                             npy_types[tensor->dtype].descr);
    for (size_t axis = 0; axis < tensor->shape_count; axis++)
        used += (size_t)snprintf(text + used, room - used, "%" PRIu64 ",%s", tensor->shape[axis],
                                 axis + 1 < tensor->shape_count ? " " : "");
    used += (size_t)snprintf(text + used, room - used, "), }");
    while ((PREFIX + used + 1) % 64 != 0)
        text[used++] = ' ';
    text[used++] = '\n';
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = (char)(used & 0xFF);
    header[9] = (char)(used >> 8);
    return PREFIX + used;
}

static kb_status write_elements(const kb_tensor *tensor, const gathered *from, kb_file *file,
                                kb_trail *trail) {
    if (!npy_types[tensor->dtype].widens)
        return kb_file_write(file, from->bytes, (size_t)(from->elements * from->size), trail);
    enum { BLOCK = 1024 };
    float wide[BLOCK];
    for (uint64_t done = 0; done < from->elements;) {
        uint64_t count = from->elements - done < BLOCK ? from->elements - done : BLOCK;
        for (uint64_t i = 0; i < count; i++) {
            uint16_t bits;
            memcpy(&bits, from->bytes + (done + i) * from->size, sizeof bits);
            wide[i] = kbr_bf16_to_f32(bits);
        }
        KB_TRY(kb_file_write(file, wide, (size_t)count * sizeof wide[0], trail));
        done += count;
    }
    return KB_OK;
}

static kb_status write_open(const kb_tensor *tensor, const gathered *from, kb_file *file, kb_trail *trail) {
    char header[512];
    kb_status status = kb_file_write(file, header, make_header(tensor, header, sizeof header), trail);
    if (status == KB_OK)
        status = write_elements(tensor, from, file, trail);
    if (status == KB_OK)
        return kb_file_close(file, trail);
    kb_file_abandon(file);
    return status;
}

/* Is it written beside its name first? Not a device or a pipe. *ret_beside is the caller's then. */
static kb_status name_beside(const kb_alloc *alloc, const kb_fs *fs, const char *path, char **ret_beside,
                             kb_trail *trail) {
    kb_file_type type = KB_FILE_OTHER;
    uint64_t size;
    if (strcmp(path, "-") != 0)
        KB_TRY(kb_fs_stat(fs, path, &type, &size, trail));
    if (type == KB_FILE_FOLDER)
        return kb_fail(trail, KB_E_ARGUMENT, "`%s` is a folder: name a file in it, as %s/y.npy", path, path);
    *ret_beside = NULL;
    if (type == KB_FILE_OTHER)
        return KB_OK;
    void *block;
    KB_TRY(kb_new(alloc, strlen(path) + sizeof ".partial", &block, trail));
    *ret_beside = block;
    snprintf(block, strlen(path) + sizeof ".partial", "%s.partial", path);
    return KB_OK;
}

static void forget_beside(const kb_alloc *alloc, const char *path, char *beside) {
    kb_delete(alloc, beside, strlen(path) + sizeof ".partial");
}

kb_status kbr_dump_place(const kb_fs *fs, const char *path, kb_trail *trail) {
    const kb_alloc *alloc = kb_alloc_heap();
    char *beside = NULL;
    KB_TRY(name_beside(alloc, fs, path, &beside, trail));
    if (beside == NULL)
        return KB_OK;
    kb_file file;
    kb_fs_unlink(fs, beside);
    kb_status status = kb_file_open(&file, fs, beside, KB_OPEN_CREATE, trail);
    if (status == KB_OK) {
        kb_file_abandon(&file);
        kb_fs_unlink(fs, beside);
    }
    forget_beside(alloc, path, beside);
    return status;
}

static kb_status write_file(const kbr_dumped *from, const kb_tensor *tensor, const gathered *all,
                            const kb_fs *fs, const char *path, kb_trail *trail) {
    kb_file file;
    char *beside = NULL;
    KB_TRY(name_beside(from->alloc, fs, path, &beside, trail));
    if (beside == NULL) {
        KB_TRY(kb_file_open(&file, fs, path, KB_OPEN_WRITE, trail));
        return write_open(tensor, all, &file, trail);
    }
    kb_fs_unlink(fs, beside);
    kb_status status = kb_file_open(&file, fs, beside, KB_OPEN_CREATE, trail);
    if (status == KB_OK) {
        status = write_open(tensor, all, &file, trail);
        if (status == KB_OK)
            status = kb_fs_rename(fs, beside, path, trail);
        if (status != KB_OK)
            kb_fs_unlink(fs, beside);
    }
    forget_beside(from->alloc, path, beside);
    return status;
}

kb_status kbr_dump(const kbr_dumped *from, uint32_t tensor, const kb_fs *fs, const char *path,
                   uint64_t *ret_undefined, kb_trail *trail) {
    const kb_tensor *what = &from->defs->tensors[tensor];
    gathered all = {.elements = 1, .size = kb_dtype_size(what->dtype)};
    bool fits =
        all.size != 0 && what->dtype < sizeof npy_types / sizeof npy_types[0] && what->shape_count <= 16;
    for (size_t i = 0; fits && i < what->shape_count; i++)
        fits = !__builtin_mul_overflow(all.elements, what->shape[i], &all.elements) &&
               all.elements <= from->limit_size / 8;
    if (!fits)
        return kb_fail(trail, KB_E_UNSUPPORTED,
                       "tensor `%s` has a shape or dtype that an array file cannot hold", what->name);
    void *bytes = NULL, *covered = NULL;
    size_t size = (size_t)(all.elements * all.size);
    kb_status status = kb_new_zeroed(from->alloc, size, &bytes, trail);
    if (status == KB_OK)
        status = kb_new_zeroed(from->alloc, (size_t)all.elements, &covered, trail);
    all.bytes = bytes;
    all.covered = covered;
    if (status == KB_OK)
        status = kbr_dump_gather(from, tensor, bytes, covered, trail);
    if (status == KB_OK)
        status = write_file(from, what, &all, fs, path, trail);
    uint64_t undefined = 0;
    for (uint64_t i = 0; status == KB_OK && i < all.elements; i++)
        undefined += !all.covered[i];
    kb_delete(from->alloc, bytes, size);
    kb_delete(from->alloc, covered, (size_t)all.elements);
    if (status != KB_OK)
        return kb_while(trail, status, "dumping tensor `%s`", what->name);
    *ret_undefined = undefined;
    return KB_OK;
}
