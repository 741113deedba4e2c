/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watching users' code while it records: what crashes, exits, never returns or records without end is told in
 * clear words, and ends the tool with exit status 2.
 *
 * No trace is begun before recording is over, and nothing of the run survives the tool but an object that is
 * being loaded, so little has to be put in order: a handler reads what the run keeps for it
 * (kbs_recording_look), writes one message by write(2) alone, removes that object, and leaves by _exit(2). It
 * never returns into code that crashed.
 */
#ifndef KBSIM_TOOL_GUARD_H
#define KBSIM_TOOL_GUARD_H

#include "common/tool.h"
#include "kbsim/run.h"

typedef struct sim_guard_values {
    const char *timeout;   /* --record-timeout; NULL: a minute */
    uint64_t commands;     /* --record-commands; 0: twenty million */
    uint64_t memory_bytes; /* --record-memory; 0: by the system's */
} sim_guard_values;

/* clang-format off */
/* The rows for a command's table, whose values hold a sim_guard_values as `member`. */
#define SIM_GUARD_OPTIONS(values, member)                                                             \
    {0, "record-timeout", KBT_TEXT, offsetof(values, member.timeout), "T",                            \
     "end where a user's code records nothing for so long and does not return (60s; 0: never)",       \
     0, 0, NULL, false},                                                                              \
    {0, "record-commands", KBT_COUNT, offsetof(values, member.commands), "N",                         \
     "commands that a PE or host may record for a user's code (default: 20M)",                       \
     1, UINT64_C(1) << 40, NULL, false},                                                              \
    {0, "record-memory", KBT_COUNT, offsetof(values, member.memory_bytes), "BYTES",                   \
     "what recording a user's code may take (default: half of the memory, 4Gi at most)",              \
     UINT64_C(1) << 20, UINT64_C(1) << 50, NULL, false}
/* clang-format on */

/* Fills in the options' allocator and recording; only one run at a time can be watched. */
kb_status sim_guard_begin(const kbt_call *call, const sim_guard_values *values, kbs_run_options *options,
                          kb_trail *trail) KB_MUST_USE;
/*
 * Where the watched run keeps what it has compiled until that is loaded ("" before it compiles): it goes,
 * too, if the guard ends the tool. Until sim_guard_end().
 */
void sim_guard_removes(const char *object, const char *folder);
/* Adds to the trail of a failure that the guard has caused. */
void sim_guard_end(kb_status status, kb_trail *trail);

#endif
