/* SPDX-License-Identifier: Apache-2.0 */
/* A pthread_create that counts and refuses; see thread_fault.h. */
#define _GNU_SOURCE
#include "support/thread_fault/thread_fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

static atomic_int allowed = -1;

void thread_fault_allow(int count) {
    allowed = count;
}

#ifdef SANITIZED

bool thread_fault_works(void) {
    return false;
}

#else

bool thread_fault_works(void) {
    return true;
}

typedef int create_fn(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                      void *user);

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *user) {
    void *found = dlsym(RTLD_NEXT, "pthread_create");
    create_fn *create;
    memcpy(&create, &found, sizeof create);
    if (allowed == 0)
        return EAGAIN;
    if (allowed > 0)
        allowed--;
    return create(thread, attributes, start, user);
}

#endif
