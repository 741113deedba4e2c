/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels for AVX-512 F, BW, DQ and VL; CMakeLists.txt has this file compiled for them. */
#ifdef __x86_64__
#define KBR_LEVEL 2
#define KBR_SET kbr_kernels_avx512
#define KBR_SET_NAME "avx512"
#include "number/set.h"
#else
typedef int kbr_no_kernels_avx512;
#endif
