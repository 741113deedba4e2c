/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bench of one's own: a host program with its kernels, that kb-sim runs by its file.
 *
 *   static const kbs_bench_param params[] = {{"elems", "1024", "elements of each rank", NULL}};
 *
 *   static void program(kb_host *h, void *context) {
 *       const uint64_t elems = kb_param_number(h, "elems");
 *       ...
 *   }
 *
 *   KB_BENCH(.name = "mine", .help = "what it does, in a line", .host = program, KB_PARAMS(params));
 *
 *   kb-sim run ./mine.c -p elems=4096 -o run.zst
 *
 * One a file. examples/bench shows a whole one.
 */
#ifndef KBSIM_BENCH_H
#define KBSIM_BENCH_H

#include "kbsim/host.h"

/* A parameter of a bench. */
typedef struct kbs_bench_param {
    const char *name, *standard, *help; /* "" for a standard that the program works out by itself */
    const char *path;                   /* the machine's parameter that it sets, or NULL */
} kbs_bench_param;

enum { KBS_BENCH_PARAMS_MAX = 32 };

/* What an object exports. */
typedef struct kb_bench {
    uint32_t abi, size_bytes; /* KB_PLUGIN_ABI and sizeof(kb_bench): by KB_BENCH */
    const char *name;         /* letters, digits, '_' and '-' */
    const char *help;         /* one line */
    kb_host_fn host;          /* is called with a NULL context */
    const kbs_bench_param *params;
    uint32_t param_count;
} kb_bench;

#define KB_PARAMS(table) .params = (table), .param_count = (uint32_t)(sizeof(table) / sizeof((table)[0]))

#define KB_BENCH(...)                              \
    KB_EXPORT extern const kb_bench kb_bench_main; \
    const kb_bench kb_bench_main = {               \
        .abi = KB_PLUGIN_ABI, .size_bytes = (uint32_t)sizeof(kb_bench), __VA_ARGS__}

/*
 * The bench's parameters, as the user gave them or by their standards. What cannot be read so is a mistake of
 * whoever gave it; numbers are 1 then, so that loops by them end.
 */
#define kb_param_text(h, name) kb_param_text_at((h)->stream, (name), TL_HERE)
/* Whole, with an optional sign of size: 4096, 64Ki, 1MiB. */
#define kb_param_number(h, name) kb_param_number_at((h)->stream, (name), TL_HERE)
#define kb_param_real(h, name) kb_param_real_at((h)->stream, (name), TL_HERE)
#define kb_param_dtype(h, name) kb_param_dtype_at((h)->stream, (name), TL_HERE)   /* KB_DTYPE_… */
#define kb_param_reduce(h, name) kb_param_reduce_at((h)->stream, (name), TL_HERE) /* KB_REDUCE_… */
#define kb_param_space(h, name) kb_param_space_at((h)->stream, (name), TL_HERE)   /* KB_SPACE_… of a PE */

/* --- behind the macros ------------------------------------------------------------------------- */

const char *kb_param_text_at(tl_stream *host, const char *name, tl_where where);
uint64_t kb_param_number_at(tl_stream *host, const char *name, tl_where where);
double kb_param_real_at(tl_stream *host, const char *name, tl_where where);
uint32_t kb_param_dtype_at(tl_stream *host, const char *name, tl_where where);
uint32_t kb_param_reduce_at(tl_stream *host, const char *name, tl_where where);
uint32_t kb_param_space_at(tl_stream *host, const char *name, tl_where where);

#endif
