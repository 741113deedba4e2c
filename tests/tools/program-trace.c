/* SPDX-License-Identifier: Apache-2.0 */
/* program-trace PATH: writes the right trace of support/program.h, for scripts to spoil. */
#include <stdio.h>

#include "support/program.h"

int main(int argc, char **argv) {
    static program it;
    if (argc != 2) {
        fprintf(stderr, "usage: program-trace PATH\n");
        return 2;
    }
    program_make(&it);
    it.made.open_bytes = 1; /* as many frames as may be */
    made_write(&it.made, NULL, argv[1]);
    made_fini(&it.made);
    return 0;
}
