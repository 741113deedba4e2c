/* SPDX-License-Identifier: Apache-2.0 */
/* A child a measurement: see measure.h. */
#include "common/measure.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/must.h"

bench_result bench_measure(bench_work work, void *user) {
    bench_result *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct rusage usage;
    int status;
    bench_must(shared != MAP_FAILED, "sharing memory");
    *shared = (bench_result){.seconds = 0};
    pid_t child = fork();
    bench_must(child >= 0, "fork");
    if (child == 0) {
        work(user, shared);
        _exit(0);
    }
    bench_must(wait4(child, &status, 0, &usage) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0,
               "a measurement");
    bench_result result = *shared;
    result.peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
    munmap(shared, sizeof *shared);
    return result;
}

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double bench_now(void) {
    return seconds_of(CLOCK_MONOTONIC);
}

double bench_cpu_now(void) {
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
