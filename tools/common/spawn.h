/* SPDX-License-Identifier: Apache-2.0 */
/* Running another program, and waiting for its end. */
#ifndef KBTOOLS_SPAWN_H
#define KBTOOLS_SPAWN_H

#include <stdbool.h>

/*
 * Gives an errno where the program could not be started or waited for; else 0, and what waitpid says of it. A
 * name without a '/' is looked for on PATH. With `aside` what it prints goes to stderr.
 */
int kbt_spawn(const char *const *argv, bool aside, int *ret_status);

#endif
