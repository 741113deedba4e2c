/* SPDX-License-Identifier: Apache-2.0 */
/* Paths from the running executable; see place.h. */
#include "common/place.h"

#include <string.h>
#include <unistd.h>

bool kbt_own_folder(char path[PATH_MAX]) {
    const ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        return false;
    slash[1] = '\0';
    return true;
}

bool kbt_share_folder(char path[PATH_MAX]) {
    static const char share[] = "/share/kb";
    if (!kbt_own_folder(path))
        return false;
    *strrchr(path, '/') = '\0'; /* of "/usr/bin/" */
    char *slash = strrchr(path, '/');
    if (slash == NULL || (size_t)(slash - path) + sizeof share > PATH_MAX)
        return false;
    memcpy(slash, share, sizeof share);
    return true;
}
