/* SPDX-License-Identifier: Apache-2.0 */
/* The models of gemm and math that are built in. */
#ifndef KBSIM_SRC_ENGINES_H
#define KBSIM_SRC_ENGINES_H

#include "kbsim/component.h"

extern const kbs_engine_model kbs_gemm_tiles, kbs_gemm_peak, kbs_math_lanes, kbs_math_peak;

#endif
