/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiling on the fly; see compile.h. CC names the compiler, as for make; its messages pass by untouched.
 *
 * The object is loaded and then removed at once, folder and all: whatever becomes of the run, nothing stays.
 */
#include "sim/compile.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/place.h"
#include "common/spawn.h"

enum { MOST_WORDS = 16, COMPILER_CHARS = 1024 };

/* "ccache gcc-12" has two words. Gives how many; `words` point into `text`. */
static size_t split(char *text, const char *words[MOST_WORDS]) {
    size_t count = 0;
    char *rest;
    for (char *word = strtok_r(text, " \t", &rest); word != NULL && count < MOST_WORDS;
         word = strtok_r(NULL, " \t", &rest))
        words[count++] = word;
    return count;
}

/* The headers lie beside the executable as its share files do, in a build that is not installed, too. */
static kb_status find_headers(char include[PATH_MAX + 32], kb_trail *trail) {
    char probe[PATH_MAX + 64], own[PATH_MAX];
    if (!kbt_own_folder(own))
        return kb_fail(trail, KB_E_IO, "the system does not tell where this executable lies");
    snprintf(include, PATH_MAX + 32, "-I%s../include", own);
    snprintf(probe, sizeof probe, "%s/kbsim/coll.h", include + 2);
    if (access(probe, R_OK) != 0)
        return kb_fail(trail, KB_E_IO, "the headers that C files need are not in %s: %s", include + 2,
                       strerror(errno));
    return KB_OK;
}

static kb_status make_folder(sim_compiler *compiler, kb_trail *trail) {
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || *parent == '\0')
        parent = "/tmp";
    if (snprintf(compiler->folder, sizeof compiler->folder, "%s/kb-sim-XXXXXX", parent) >=
        (int)sizeof compiler->folder)
        return kb_fail(trail, KB_E_ARGUMENT, "TMPDIR is longer than any folder's name");
    if (mkdtemp(compiler->folder) == NULL)
        return kb_fail(trail, KB_E_IO, "cannot make a folder in %s: %s (TMPDIR names another place)", parent,
                       strerror(errno));
    snprintf(compiler->object, sizeof compiler->object, "%s/plugin.so", compiler->folder);
    return KB_OK;
}

/* A flat folder with whatever a compiler left there. */
static void discard(void *context, const char *object) {
    const sim_compiler *compiler = context;
    DIR *folder = opendir(compiler->folder);
    (void)object;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder != NULL)
        closedir(folder);
    rmdir(compiler->folder);
}

static kb_status judge(const char *name, const char *source, int error, int status, kb_trail *trail) {
    if (error == ENOENT)
        return kb_fail(trail, KB_E_IO,
                       "there is no compiler '%s' to compile %s with: set CC to one, or give a shared object",
                       name, source);
    if (error != 0)
        return kb_fail(trail, KB_E_IO, "cannot start the compiler '%s': %s", name, strerror(error));
    if (WIFSIGNALED(status))
        return kb_fail(trail, KB_E_IO, "the compiler '%s' was ended by signal %d", name, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return kb_fail(trail, KB_E_PROGRAM, "%s cannot be compiled: what is wrong stands above", source);
    return KB_OK;
}

/* -g0, -O1: nothing of the object gets into a trace, and recording is hardly worth optimizing. */
static kb_status compile(void *context, const char *source, const char **ret_object, kb_trail *trail) {
    static const char *const flags[] = {"-std=gnu11",       "-g0",   "-O1",     "-Wall",
                                        "-Werror=implicit", "-fPIC", "-shared", "-o"};
    enum { FLAGS = sizeof flags / sizeof flags[0] };
    sim_compiler *compiler = context;
    const char *argv[MOST_WORDS + FLAGS + 4], *named = getenv("CC");
    char text[COMPILER_CHARS], include[PATH_MAX + 32];
    KB_TRY(find_headers(include, trail));
    if (snprintf(text, sizeof text, "%s", named != NULL ? named : "") >= (int)sizeof text)
        return kb_fail(trail, KB_E_ARGUMENT, "CC is longer than any compiler's name");
    size_t count = split(text, argv);
    if (count == 0)
        argv[count++] = "cc";
    memcpy(&argv[count], flags, sizeof flags);
    count += FLAGS;
    KB_TRY(make_folder(compiler, trail));
    argv[count++] = compiler->object;
    argv[count++] = include;
    argv[count++] = source;
    argv[count] = NULL;
    int exited = 0;
    const int error = kbt_spawn(argv, true, &exited);
    const kb_status status = judge(argv[0], source, error, exited, trail);
    if (status != KB_OK)
        discard(compiler, compiler->object);
    else
        *ret_object = compiler->object;
    return status;
}

void sim_compiler_init(sim_compiler *compiler, const kbt_call *call) {
    *compiler = (sim_compiler){.hooks = {compile, discard, compiler}, .call = call};
}
