/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a peer and reads its answer: see peer_process.h. */
#include "common/peer_process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/must.h"

static void become(const char *const argv[], bool quiet, int out) {
    bench_must(dup2(out, STDOUT_FILENO) >= 0, "dup2");
    const int nothing = open("/dev/null", O_WRONLY);
    if (quiet && nothing >= 0)
        dup2(nothing, STDERR_FILENO);
    execvp(argv[0], (char *const *)(void *)argv);
    _exit(127);
}

bool bench_run(const char *const argv[], bool quiet, char *ret_line, size_t size) {
    int ends[2], status;
    char line[4096] = "";
    bench_must(pipe(ends) == 0, "pipe");
    fflush(stdout);
    const pid_t child = fork();
    bench_must(child >= 0, "fork");
    if (child == 0) {
        close(ends[0]);
        become(argv, quiet, ends[1]);
    }
    close(ends[1]);
    FILE *from = fdopen(ends[0], "r");
    bench_must(from != NULL, "fdopen");
    for (char more[sizeof line]; fgets(more, sizeof more, from) != NULL;)
        if (line[0] == '\0')
            memcpy(line, more, sizeof line);
    fclose(from);
    bench_must(waitpid(child, &status, 0) == child, "waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return false;
    line[strcspn(line, "\n")] = '\0';
    snprintf(ret_line, size, "%s", line);
    return true;
}

const char *bench_python_with(const char *module) {
    const char *const known[] = {getenv("PYTHON"), "python3", "/usr/bin/python3"};
    char line[16], program[128];
    snprintf(program, sizeof program, "import %s", module);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i] != NULL &&
            bench_run((const char *const[]){known[i], "-c", program, NULL}, true, line, sizeof line))
            return known[i];
    return NULL;
}
