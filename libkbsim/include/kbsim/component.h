/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A component's model: how long it takes for what it is asked to do. For models of one's own.
 *
 * A model is a constant struct that begins with a kbs_model. A shared object exports one by the name
 * kbs_component_model, and is chosen by its file: `components: {gemm: ./my_gemm.so}` in a topology, or
 * --set components.gemm=./my_gemm.so. examples/component shows one.
 *
 * A model calculates, and does nothing else: it keeps nothing from call to call, and reads no clock, no
 * file and no random number. The same work takes the same time, or runs cannot be repeated. It may be
 * called once for many ops that do the same.
 */
#ifndef KBSIM_COMPONENT_H
#define KBSIM_COMPONENT_H

#include "kbtrace/op.h"

/* Changes whenever anything on this page does, or kb_operand. */
#define KBS_COMPONENT_ABI 1

/* What a shared object exports, as the struct of its component. */
#define KBS_COMPONENT_SYMBOL kbs_component_model

/* A number that a user may set: `gemm: {model: ./my_gemm.so, efficiency: 0.7}`. */
typedef struct kbs_model_option {
    const char *name, *unit; /* "efficiency", "share" */
    const char *standard;    /* as a user would write it, and so are: */
    const char *least, *most, *help;
} kbs_model_option;

enum { KBS_MODEL_OPTIONS = 8 }; /* of one model at most */

typedef struct kbs_model {
    uint32_t abi;          /* KBS_COMPONENT_ABI */
    uint32_t size_bytes;   /* of the whole struct: sizeof(kbs_engine_model) */
    const char *component; /* "gemm" */
    const char *name;      /* of the model: letters, digits, '_' and '-' */
    const char *help;
    const kbs_model_option *options;
    size_t option_count;
} kbs_model;

/* --- gemm, math: engines that serve one op after another ---------------------------------------- */

typedef struct kbs_engine_work {
    const kb_operand *operands; /* what is written; of gemm a and b then, of math what it reads */
    uint32_t operand_count;
    uint32_t func;       /* KB_FUNC_… of math */
    uint32_t flags;      /* KB_FLAG_… of gemm */
    int64_t cycle_ps;    /* of the engines' clock */
    int64_t standard_ps; /* what the default model takes for it */
    /* A machine's parameter by its path: whole numbers as they are, decimals in millionths; 0: unknown. */
    uint64_t (*param)(const void *machine, const char *path);
    const void *machine;     /* for param() */
    const uint64_t *options; /* in millionths, in the order of the model's table */
} kbs_engine_work;

typedef struct kbs_engine_model {
    kbs_model model;
    /* At least 1. NULL: standard_ps. */
    int64_t (*took_ps)(const kbs_engine_work *work);
} kbs_engine_model;

#endif
