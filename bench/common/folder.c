/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over folders: see folder.h. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "common/folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/must.h"

enum { OPEN_MOST = 16 };

static uint64_t walked_bytes; /* nftw hands nothing on */

static int add_size(const char *path, const struct stat *info, int type, struct FTW *walk) {
    (void)path, (void)walk;
    if (type == FTW_F)
        walked_bytes += (uint64_t)info->st_size;
    return 0;
}

uint64_t bench_size_of(const char *path) {
    walked_bytes = 0;
    bench_must(nftw(path, add_size, OPEN_MOST, FTW_PHYS) == 0, path);
    return walked_bytes;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk) {
    (void)info, (void)type, (void)walk;
    return remove(path);
}

void bench_remove(const char *path) {
    bench_must(nftw(path, remove_one, OPEN_MOST, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT, path);
}

const char *bench_scratch(void) {
    if (getenv("TMPDIR") != NULL)
        return getenv("TMPDIR");
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}
