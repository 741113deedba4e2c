/* SPDX-License-Identifier: Apache-2.0 */
/* Whole processes beside one another: see whole.h. */
#include "traffic/whole.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/folder.h"
#include "common/must.h"
#include "common/peer_process.h"
#include "traffic/shapes.h"

enum { PATH_CHARS = 512 };

static const char *in_folder(const whole_place *place, const char *name, char path[PATH_CHARS]) {
    snprintf(path, PATH_CHARS, "%s/%s", place->folder, name);
    return path;
}

void whole_begin(whole_place *place) {
    char path[PATH_CHARS];
    snprintf(place->folder, sizeof place->folder, "%s/bench.XXXXXX", bench_scratch());
    bench_must(mkdtemp(place->folder) != NULL, place->folder);
    const ssize_t length = readlink("/proc/self/exe", place->bin, sizeof place->bin - 1);
    bench_must(length > 0, "finding this executable");
    place->bin[length] = '\0';
    *strrchr(place->bin, '/') = '\0';
    snprintf(path, sizeof path, "%s/bench-peer-s4u", place->bin);
    place->has_s4u = access(path, X_OK) == 0;
    if (!place->has_s4u)
        fprintf(stderr, "bench: SimGrid (libsimgrid-dev, g++) was not there: going on without\n");
}

void whole_end(const whole_place *place) {
    bench_remove(place->folder);
}

/* --- kb-sim ------------------------------------------------------------------------------------------ */

static double number_after(const char *text, const char *key) {
    const char *at = strstr(text, key);
    bench_must(at != NULL, key);
    return strtod(at + strlen(key), NULL);
}

whole_run whole_run_kb(const whole_place *place, const whole_ring *ring) {
    bench_answer answer;
    char program[PATH_CHARS], trace[PATH_CHARS], count[16], size[40];
    snprintf(program, sizeof program, "%s/kb-sim", place->bin);
    snprintf(count, sizeof count, "%u", ring->ranks);
    snprintf(size, sizeof size, "bytes=%" PRIu64, ring->bytes);
    in_folder(place, "trace.zst", trace);
    const char *const argv[] = {program,     "run",    "allreduce", "--machine", ring->machine,
                                "--ranks",   count,    "-p",        size,        "-p",
                                "algo=ring", "--json", "-o",        trace,       NULL};
    /* Its warnings are known, and say so each time; why it fails is worth a second run. */
    bench_must(bench_run(argv, true, &answer) || bench_run(argv, false, &answer), "kb-sim");
    return (whole_run){.wall = answer.wall_s,
                       .cpu = answer.cpu_s,
                       .inside = number_after(answer.line, "\"wall_s\":"),
                       .events = number_after(answer.line, "\"events\":"),
                       .simulated_s = number_after(answer.line, "\"time_ps\":") * 1e-12,
                       .peak_bytes = (double)answer.peak_bytes};
}

/* --- S4U --------------------------------------------------------------------------------------------- */

void whole_write_routes(const whole_place *place, const whole_ring *ring) {
    char path[PATH_CHARS];
    traffic *shape = shape_ring_routes(ring->machine, ring->ranks);
    shape_write(shape, in_folder(place, "routes", path));
    shape_destroy(shape);
}

whole_run whole_run_s4u(const whole_place *place, const whole_ring *ring, const whole_way *way) {
    bench_answer answer;
    char program[PATH_CHARS], plan[PATH_CHARS], words[3][24];
    const uint64_t chunk = ring->bytes / ring->ranks;
    snprintf(program, sizeof program, "%s/bench-peer-s4u", place->bin);
    in_folder(place, "routes", plan);
    snprintf(words[0], sizeof words[0], "%u", ring->ranks);
    snprintf(words[1], sizeof words[1], "%" PRIu64, chunk);
    snprintf(words[2], sizeof words[2], "%" PRIu64, (chunk + way->message_bytes - 1) / way->message_bytes);
    const char *const argv[] = {program,  plan,          words[0],    words[1],
                                words[2], way->platform, way->config, NULL};
    bench_must(bench_run(argv, true, &answer), "S4U");
    return (whole_run){.wall = answer.wall_s,
                       .cpu = answer.cpu_s,
                       .simulated_s = strtod(answer.line, NULL),
                       .peak_bytes = (double)answer.peak_bytes};
}

/* --- both -------------------------------------------------------------------------------------------- */

double whole_ranks_and_steps(const whole_ring *ring) {
    return 2.0 * ring->ranks * (ring->ranks - 1);
}

static void note(double *least, double value) {
    if (*least == 0 || value < *least)
        *least = value;
}

void whole_note(whole_run *least, whole_run run) {
    note(&least->wall, run.wall);
    note(&least->cpu, run.cpu);
    note(&least->inside, run.inside);
    note(&least->peak_bytes, run.peak_bytes);
    least->events = run.events;
    least->simulated_s = run.simulated_s;
}
