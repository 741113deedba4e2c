/* SPDX-License-Identifier: Apache-2.0 */
/* Files of settings: their names, and their bytes. */
#ifndef KBSIM_SRC_FILES_H
#define KBSIM_SRC_FILES_H

#include "kbsim/config.h"

enum { KBS_CONFIG_NAME_CHARS = 4096, KBS_CONFIG_FILES = 64, KBS_CONFIG_DEEPEST = 16 };

/* "./a.yaml" and "a/b.yml" are files, "kernbench" is a topology that is installed. */
bool kbs_is_file_name(const char *name);

/* A file that another one names: as it is, where it is absolute, or else beside `base` (may be NULL). */
kb_status kbs_file_beside(kbs_config *config, const char *base, const char *name, const char **ret,
                          kb_trail *trail) KB_MUST_USE;
/* The same for what may be a file of code: it has a '/', or ends in .so or .c. All else stays as it is. */
kb_status kbs_object_beside(kbs_config *config, const char *base, const char *name, const char **ret,
                            kb_trail *trail) KB_MUST_USE;
/* The file of a topology that is installed, or a refusal that lists those that are, the nearest first. */
kb_status kbs_file_of_topology(kbs_config *config, const char *name, const char **ret,
                               kb_trail *trail) KB_MUST_USE;

/* All of a file, checked as text. */
kb_status kbs_file_read(kbs_config *config, const char *name, const char **ret_text, size_t *ret_size,
                        kb_trail *trail) KB_MUST_USE;

#endif
