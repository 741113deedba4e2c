/* SPDX-License-Identifier: Apache-2.0 */
/* The sets of kernels, and the sizes that they agree on. For the files of the sets alone. */
#ifndef KBREPLAY_SRC_SETS_H
#define KBREPLAY_SRC_SETS_H

#include "number/kernels.h"

/* Those for other processors are empty files. */
extern const kbr_kernels kbr_kernels_portable;
#ifdef __x86_64__
extern const kbr_kernels kbr_kernels_avx2, kbr_kernels_avx512;
#endif

/*
 * Blocks of a product: so many rows of a and so much of k, which together stay in a second-level cache of
 * half a megabyte; panels of b at most so many columns wide; the bytes of a cache's line, on which all begin.
 */
enum { KBR_GEMM_ROWS = 336, KBR_GEMM_DEPTH = 256, KBR_GEMM_COLUMNS = 32, KBR_GEMM_LINE = 64 };

#endif
