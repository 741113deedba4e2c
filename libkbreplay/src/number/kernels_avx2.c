/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels for AVX2 with FMA and F16C; CMakeLists.txt has this file compiled for them. */
#ifdef __x86_64__
#define KBR_LEVEL 1
#define KBR_SET kbr_kernels_avx2
#define KBR_SET_NAME "avx2"
#include "number/set.h"
#else
typedef int kbr_no_kernels_avx2;
#endif
