/* SPDX-License-Identifier: Apache-2.0 */
/* The machine that the command line of kb-sim describes: its options, and the commands that print it. */
#ifndef KBSIM_TOOL_CONFIG_H
#define KBSIM_TOOL_CONFIG_H

#include "common/tool.h"
#include "kbsim/config.h"
#include "kbsim/models.h"

typedef struct sim_config_values {
    const char *topology, *machine, *ccl;
    kbt_list sets;
} sim_config_values;

/* Who takes part, of commands whose values have `ranks` and `rank_unit`. */
#define SIM_RANK_OPTIONS(values)                                                                           \
    {0,         "ranks",                                                                                   \
     KBT_COUNT, offsetof(values, ranks),                                                                   \
     "N",       "ranks that take part (default: all of the machine)",                                      \
     1,         UINT32_MAX,                                                                                \
     NULL,      false},                                                                                    \
    {                                                                                                      \
        0, "rank-unit", KBT_CHOICE, offsetof(values, rank_unit), "UNIT",                                   \
            "a rank is a PE, or a SIP with all of its PEs: pe or sip (default: pe)", 0, 0, "pe sip", false \
    }

/* The rows for a command's table, whose values hold a sim_config_values as `member`. */
#define SIM_CONFIG_OPTIONS(values, member)                                                  \
    {0,           "topology",                                                               \
     KBT_TEXT,    offsetof(values, member.topology),                                        \
     "FILE|NAME", "the machine, from a file or of `kb-sim list topologies`",                \
     0,           0,                                                                        \
     NULL,        false},                                                                   \
        {0,        "machine",                                                               \
         KBT_TEXT, offsetof(values, member.machine),                                        \
         "SHORT",  "its shape: sips=2,cubes=4x4,pes=8, any of them",                        \
         0,        0,                                                                       \
         NULL,     false},                                                                  \
        {0,        "ccl",                                                                   \
         KBT_TEXT, offsetof(values, member.ccl),                                            \
         "FILE",   "a file that configures queues and collectives",                         \
         0,        0,                                                                       \
         NULL,     false},                                                                  \
    {                                                                                       \
        0, "set", KBT_LIST, offsetof(values, member.sets), "PATH=VALUE",                    \
            "a parameter of the machine: ipcq.slots=8, dma.setup_ns=2us", 0, 0, NULL, false \
    }

/* A machine, and what its origins point to. */
typedef struct sim_setup {
    kbs_machine machine;
    kbs_config config;
    kbs_models models; /* what explain-config has opened */
} sim_setup;

/* Always leaves something for sim_setup_fini(). The machine is not checked: a bench may set some of it. */
kb_status sim_setup_init(sim_setup *setup, const kbt_call *call, const sim_config_values *values,
                         kb_trail *trail) KB_MUST_USE;
void sim_setup_fini(sim_setup *setup);

/* The folder that topologies are found in, or NULL. */
const char *sim_share(const kbt_call *call);

typedef struct sim_explain_values {
    kbt_common common;
    sim_config_values config;
    const char *format; /* text, yaml */
} sim_explain_values;

typedef struct sim_probe_values {
    kbt_common common;
    sim_config_values config;
    const char *sizes; /* NULL: 1 byte to 1 MiB */
    uint64_t pe;
    bool alone;
} sim_probe_values;

/* Commands: see kb-sim.c. */
int sim_explain_config(kbt_call *call);
int sim_list(kbt_call *call);
int sim_probe(kbt_call *call);

#endif
