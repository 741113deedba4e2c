/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machines from files: topologies, and what a communication library configures (ccl).
 *
 *   kbs_config config;
 *   kbs_machine_init(&machine);
 *   kbs_config_init(&config, &machine, NULL, NULL, "/usr/share/kb");
 *   KB_TRY(kbs_config_topology(&config, "kernbench", trail));
 *   KB_TRY(kbs_config_ccl(&config, "queues.yaml", trail));
 *   ...
 *   kbs_config_fini(&config);    after the machine's last use: its origins name files that the config holds
 *
 * docs/configuration.md tells what may stand in the files. Every mistake is told with file, line and column.
 */
#ifndef KBSIM_CONFIG_H
#define KBSIM_CONFIG_H

#include "kbsim/machine.h"
#include "kbtrace/fs.h"

/* A parameter of a bench that a file has given. */
typedef struct kbs_given {
    const char *key, *value;
    kbs_origin origin;
} kbs_given;

typedef struct kbs_config {
    kbs_machine *machine;
    const kb_fs *fs;
    const char *share; /* the folder that holds topologies/, or NULL */
    kb_arena arena;
    unsigned files;   /* read so far: bounded */
    const char *help; /* what the latest topology says of itself, or "" */
    kbs_given *given; /* by the `collective` of ccl files */
    size_t given_count, given_capacity;
} kbs_config;

/* `machine`, `fs` and `share` outlive it. */
void kbs_config_init(kbs_config *config, kbs_machine *machine, const kb_alloc *alloc, const kb_fs *fs,
                     const char *share);
void kbs_config_fini(kbs_config *config);

/* A name is one of share/topologies; with a '/' in it, or .yaml or .yml at its end, it is a file. */
kb_status kbs_config_topology(kbs_config *config, const char *name, kb_trail *trail) KB_MUST_USE;
kb_status kbs_config_ccl(kbs_config *config, const char *file, kb_trail *trail) KB_MUST_USE;

/* The names of all topologies that are installed, in byte order. They live in the config. */
kb_status kbs_config_topologies(kbs_config *config, const char *const **ret_names, size_t *ret_count,
                                kb_trail *trail) KB_MUST_USE;

#endif
