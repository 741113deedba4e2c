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
 * Blocks of a product. A panel of b, so much of k, stays in a first-level cache of 32 KiB; so many rows of a,
 * and their accumulators for so many columns, in a second-level cache of 1 MiB. All begin on a cache's line.
 */
enum { KBR_GEMM_ROWS = 168, KBR_GEMM_COLUMNS = 1024, KBR_GEMM_DEPTH = 128, KBR_GEMM_LINE = 64 };

#endif
