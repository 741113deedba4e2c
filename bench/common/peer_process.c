/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a peer and reads its answer: see peer_process.h. */
#include "common/peer_process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/measure.h"
#include "common/must.h"

static void become(const char *const argv[], bool quiet, int out) {
    bench_must(dup2(out, STDOUT_FILENO) >= 0, "dup2");
    const int nothing = open("/dev/null", O_WRONLY);
    if (quiet && nothing >= 0)
        dup2(nothing, STDERR_FILENO);
    execvp(argv[0], (char *const *)(void *)argv);
    _exit(127);
}

static double seconds_of(struct timeval time) {
    return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

bool bench_run(const char *const argv[], bool quiet, bench_answer *ret) {
    int ends[2], status;
    struct rusage usage;
    char line[sizeof ret->line] = "";
    bench_must(pipe(ends) == 0, "pipe");
    fflush(stdout);
    const double begun = bench_now();
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
    bench_must(wait4(child, &status, 0, &usage) == child, "wait4");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return false;
    line[strcspn(line, "\n")] = '\0';
    memcpy(ret->line, line, sizeof line);
    ret->wall_s = bench_now() - begun;
    ret->peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
    ret->cpu_s = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    return true;
}

const char *bench_python_with(const char *module) {
    const char *const known[] = {getenv("PYTHON"), "python3", "/usr/bin/python3"};
    bench_answer answer;
    char program[128];
    snprintf(program, sizeof program, "import %s", module);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i] != NULL &&
            bench_run((const char *const[]){known[i], "-c", program, NULL}, true, &answer))
            return known[i];
    return NULL;
}
