/* SPDX-License-Identifier: Apache-2.0 */
/* Running another program; see spawn.h. */
#include "common/spawn.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int start(pid_t *ret_child, const char *const *argv, bool aside) {
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    if (aside)
        error = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    if (error == 0)
        error = posix_spawnp(ret_child, argv[0], &actions, NULL, (char *const *)(void *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int kbt_spawn(const char *const *argv, bool aside, int *ret_status) {
    pid_t child;
    const int error = start(&child, argv, aside);
    if (error != 0)
        return error;
    while (waitpid(child, ret_status, 0) < 0)
        if (errno != EINTR)
            return errno;
    return 0;
}
