/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small trace of random records that is written, or read and compared with what must be in it:
 *
 *   small-trace write SEED RANKS OPS PATH [THREADS [DIE_AT]]
 *   small-trace check SEED RANKS OPS PATH...
 *
 * DIE_AT: the process kills itself (-9) in the so many-th call that changes the disk; of a write, half of the
 * bytes get there. `check` says the condition, ops and frames; exit 0 when all that is given is right, 1 when
 * nothing is usable yet, 2 for anything else.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/forge.h"
#include "support/read_all.h"
#include "support/small_trace.h"

enum { OPEN_BYTES = 600 };

static atomic_ulong calls; /* of the writer's thread and the caller's */
static unsigned long die_at;

static void die_if_due(void) {
    if (++calls == die_at)
        kill(getpid(), SIGKILL);
}

static ssize_t dying_write(void *context, int file, const void *bytes, size_t size) {
    if (calls + 1 == die_at)
        (void)!kb_fs_posix()->write(context, file, bytes, size / 2);
    die_if_due();
    return kb_fs_posix()->write(context, file, bytes, size);
}

static int dying_open(void *context, const char *path, kb_open_mode mode) {
    die_if_due();
    return kb_fs_posix()->open(context, path, mode);
}

static int dying_rename(void *context, const char *from, const char *to) {
    die_if_due();
    return kb_fs_posix()->rename(context, from, to);
}

static int dying_unlink(void *context, const char *path) {
    die_if_due();
    return kb_fs_posix()->unlink(context, path);
}

static int fail(const kb_trail *trail, int status) {
    char text[KB_TRAIL_ENTRIES * KB_TRAIL_CHARS];
    fprintf(stderr, "small-trace: %s\n", kb_trail_text(trail, text, sizeof text));
    return status;
}

/* So that someone else has the time to kill us, too. */
static void dawdle(void *user) {
    (void)user;
    usleep(100);
}

static int write_it(const small_trace *t, int argc, char **argv) {
    kb_trail trail;
    kb_fs fs = *kb_fs_posix();
    fs.write = dying_write;
    fs.open = dying_open;
    fs.rename = dying_rename;
    fs.unlink = dying_unlink;
    kb_trail_init(&trail);
    kb_writer_options options = {.path = argv[0], .fs = &fs};
    options.threads = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
    die_at = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if (small_trace_write(t, &options, die_at == 0 ? dawdle : NULL, NULL, &trail) != KB_OK)
        return fail(&trail, 2);
    printf("%lu calls\n", calls);
    return 0;
}

typedef struct comparing {
    const small_trace *t;
    uint64_t wrong;
} comparing;

static void compare(void *user, uint32_t rank, const kb_op *op) {
    comparing *to = user;
    to->wrong += !small_trace_has(to->t, rank, op, false);
}

/* Heads and what they seal, counted without the reader. */
static uint64_t whole_frames(const char *path) {
    static uint8_t bytes[1 << 20];
    forge_part *parts;
    FILE *file = fopen(path, "rb");
    size_t size = file == NULL ? 0 : fread(bytes, 1, sizeof bytes, file);
    if (file == NULL || fclose(file) != 0 || size == sizeof bytes)
        abort();
    size_t count = forge_take_apart(bytes, size, &parts);
    forge_parts_free(parts, count);
    return count;
}

static int check_it(const small_trace *t, int argc, char **argv) {
    static const char *const conditions[] = {"complete", "unfinished", "cut", "damaged"};
    kb_trail trail;
    comparing to = {t, 0};
    kb_trail_init(&trail);
    kb_reader_options options = {.check_digests = true};
    read_all_result result =
        read_all((const char *const *)argv, (size_t)argc, &options, UINT64_MAX, compare, &to, &trail);
    if (result.status != KB_OK)
        return fail(&trail, result.status == KB_E_INCOMPLETE ? 1 : 2);
    printf("%s %llu ops\n", conditions[result.state], (unsigned long long)result.ops);
    for (int i = 0; i < argc; i++)
        result.frames -= whole_frames(argv[i]);
    if (result.frames != 0)
        fprintf(stderr, "small-trace: not all whole frames were read\n");
    if (to.wrong > 0)
        fprintf(stderr, "small-trace: %llu ops are not what was written\n", (unsigned long long)to.wrong);
    return to.wrong > 0 || result.frames != 0 ? 2 : 0;
}

int main(int argc, char **argv) {
    if (argc < 6 || (strcmp(argv[1], "write") != 0 && strcmp(argv[1], "check") != 0)) {
        fprintf(stderr, "usage: small-trace write|check SEED RANKS OPS PATH...\n");
        return 2;
    }
    small_trace t;
    small_trace_init(&t, strtoull(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10),
                     strtoull(argv[4], NULL, 10), OPEN_BYTES);
    int status =
        strcmp(argv[1], "write") == 0 ? write_it(&t, argc - 5, argv + 5) : check_it(&t, argc - 5, argv + 5);
    small_trace_fini(&t);
    return status;
}
