/* SPDX-License-Identifier: Apache-2.0 */
/* Where the running executable lies, and what was installed with it. */
#ifndef KBTOOLS_PLACE_H
#define KBTOOLS_PLACE_H

#include <limits.h>
#include <stdbool.h>

/* The folder of the executable, with a '/' behind; false where the system does not tell. */
bool kbt_own_folder(char path[PATH_MAX]);

/* The folder of what is shared, ../share/kb from there: in a build that is not installed, too. */
bool kbt_share_folder(char path[PATH_MAX]);

#endif
