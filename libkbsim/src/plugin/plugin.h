/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plugins: users' own algorithms and benches, from shared objects or from C files that a compiler of the
 * caller's makes into ones. Nothing that an object exports is believed before its version fits.
 *
 * A run opens each file once, and closes all when its program is gone: names and source locations of
 * what was recorded point into the objects.
 */
#ifndef KBSIM_SRC_PLUGIN_H
#define KBSIM_SRC_PLUGIN_H

#include "kbsim/run.h"

typedef struct kbs_plugin {
    struct kbs_plugin *next;
    const char *path; /* as it was given */
    void *object;
    char digest[33]; /* of the file that was given: of a C file its source's */
} kbs_plugin;

typedef struct kbs_plugins {
    const kb_alloc *alloc;
    const kb_fs *fs;
    const kbs_compiler *compiler;
    kbs_recording *recording; /* never NULL */
    kbs_recording unwatched;  /* where nobody watches */
    kbs_plugin *first;
    const kb_bench *bench; /* that is run; NULL where it is built in */
} kbs_plugins;

void kbs_plugins_init(kbs_plugins *plugins, const kbs_run_options *options);
void kbs_plugins_fini(kbs_plugins *plugins);

kb_status kbs_plugins_open(kbs_plugins *plugins, const char *path, const kbs_plugin **ret,
                           kb_trail *trail) KB_MUST_USE;
kb_status kbs_plugin_algorithm(const kbs_plugin *plugin, uint32_t collective, const kbs_algorithm **ret,
                               kb_trail *trail) KB_MUST_USE;
kb_status kbs_plugin_bench(const kbs_plugin *plugin, const kb_bench **ret, kb_trail *trail) KB_MUST_USE;

/* The text of a parameter as a trace may say it: of a file that was opened its base name. */
const char *kbs_plugins_shown(const kbs_plugins *plugins, const char *text);
/* "mine.c@0123…", of several one after another; "" of none. */
kb_status kbs_plugins_name(const kbs_plugins *plugins, kb_arena *arena, const char **ret,
                           kb_trail *trail) KB_MUST_USE;

#endif
