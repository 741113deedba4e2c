/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a tool from the folder of the running executable; see beside.h. */
#include "common/beside.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/place.h"
#include "common/spawn.h"

/* The path of `name` beside this executable; false when it is not to be found. */
static bool find(const char *name, char path[PATH_MAX]) {
    if (!kbt_own_folder(path) || strlen(path) + strlen(name) >= PATH_MAX)
        return false;
    strcat(path, name);
    return access(path, X_OK) == 0;
}

static int trouble(const kbt_call *call, const char *name, const char *why) {
    kb_trail trail;
    kb_fail(&trail, KB_E_IO, "cannot start %s: %s (it lies beside %s)", name, why, call->tool->name);
    return kbt_fail(call, &trail);
}

int kbt_run_beside(const kbt_call *call, const char *name, const char *const *arguments,
                   size_t argument_count) {
    enum { MOST = 32 };
    char path[PATH_MAX], color[32], threads[32];
    const char *argv[MOST + 8];
    size_t count = 0;
    if (!find(name, path))
        return trouble(call, name, "there is no such file");
    argv[count++] = path;
    for (size_t i = 0; i < argument_count && i < MOST; i++)
        argv[count++] = arguments[i];
    snprintf(color, sizeof color, "--color=%s", call->common->color);
    snprintf(threads, sizeof threads, "--threads=%u", kbt_threads(call));
    argv[count++] = color;
    argv[count++] = threads;
    if (call->common->quiet)
        argv[count++] = "--quiet";
    if (call->common->verbose)
        argv[count++] = "--verbose";
    argv[count] = NULL;
    fflush(stdout); /* what was said here comes before what is said there */
    int status;
    const int error = kbt_spawn(argv, call->common->json, &status);
    if (error != 0)
        return trouble(call, name, strerror(error));
    return WIFEXITED(status) ? WEXITSTATUS(status) : KBT_TROUBLE;
}
