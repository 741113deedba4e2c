/* SPDX-License-Identifier: Apache-2.0 */
/* Replacements of glibc's allocation functions that count and refuse; see malloc_fault.h. */
#include "support/malloc_fault/malloc_fault.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define SANITIZED 1
#endif

static atomic_bool armed;
static atomic_bool refuses_on;
static atomic_size_t fail_at;
static atomic_size_t request_count;
static atomic_size_t refused_count;
static atomic_size_t live_count;

void malloc_fault_arm(size_t request, bool from_then_on) {
    fail_at = request;
    refuses_on = from_then_on;
    request_count = 0;
    refused_count = 0;
    armed = true;
}

size_t malloc_fault_disarm(size_t *ret_refused) {
    armed = false;
    if (ret_refused != NULL)
        *ret_refused = refused_count;
    return request_count;
}

size_t malloc_fault_live_count(void) {
    return live_count;
}

#ifdef SANITIZED

bool malloc_fault_works(void) {
    return false;
}

#else

bool malloc_fault_works(void) {
    return true;
}

/* glibc's own names of what is replaced here; it exports them for this purpose, without a header. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

void *memalign(size_t alignment, size_t size);

/* Counts a request, and says whether it is to be refused. */
static bool refuse(void) {
    if (!armed)
        return false;
    const size_t number = atomic_fetch_add(&request_count, 1) + 1;
    const size_t at = fail_at;
    if (at == 0 || number < at || (number > at && !refuses_on))
        return false;
    atomic_fetch_add(&refused_count, 1);
    errno = ENOMEM;
    return true;
}

static void *counted(void *block) {
    if (block != NULL)
        atomic_fetch_add(&live_count, 1);
    return block;
}

void *malloc(size_t size) {
    return refuse() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size) {
    return refuse() ? NULL : counted(__libc_calloc(count, size));
}

void free(void *block) {
    if (block == NULL)
        return;
    atomic_fetch_sub(&live_count, 1);
    __libc_free(block);
}

void *realloc(void *old, size_t size) {
    if (old == NULL)
        return malloc(size);
    if (size == 0) { /* glibc frees */
        free(old);
        return NULL;
    }
    return refuse() ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    return refuse() ? NULL : counted(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size) {
    void *block = memalign(alignment, size);
    if (block == NULL)
        return ENOMEM;
    *ret = block;
    return 0;
}

#endif
