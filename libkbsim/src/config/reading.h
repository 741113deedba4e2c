/* SPDX-License-Identifier: Apache-2.0 */
/* A file of settings that is being read, and the parts of it that have a file of their own. */
#ifndef KBSIM_SRC_READING_H
#define KBSIM_SRC_READING_H

#include "config/yaml.h"
#include "kbsim/config.h"

/* And who asked for it. */
typedef struct kbs_reading {
    kbs_config *config;
    const char *by; /* "topology" or "ccl" */
    const char *name;
    const struct kbs_reading *outer;
    unsigned depth;
} kbs_reading;

/* A member of a file's root that speaks of components: `components`, or "components.gemm". */
bool kbs_is_components(const kbs_yaml *node);

/* All such members of a root: first which models, then their options, in whatever order they stand. */
kb_status kbs_apply_components(const kbs_reading *r, const kbs_yaml *root, kb_trail *trail) KB_MUST_USE;

/* The same of what is wrong with PEs and links: `fault`, or "fault.sip0.cube0.pe1.math". */
bool kbs_is_fault(const kbs_yaml *node);
kb_status kbs_apply_fault(const kbs_reading *r, const kbs_yaml *node, kb_trail *trail) KB_MUST_USE;

/* Sizes of single rings: `ipcq.slots_of`, or "ipcq.slots_of.pe0>pe1". */
bool kbs_is_ring_slots(const char *path);
kb_status kbs_apply_ring_slots(const kbs_reading *r, const kbs_yaml *node, const char *path,
                               kb_trail *trail) KB_MUST_USE;

#endif
