/* SPDX-License-Identifier: Apache-2.0 */
/* The portable kernels: GNU C for any processor, and the meaning of all others. */
#define KBR_LEVEL 0
#define KBR_SET kbr_kernels_portable
#define KBR_SET_NAME "portable"
#include "number/set.h"
