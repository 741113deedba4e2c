/* SPDX-License-Identifier: Apache-2.0 */
/* Which set of kernels runs; see kernels.h. */
#include "number/kernels.h"

#include <string.h>

#include "number/sets.h"

/* --- what this machine can run ----------------------------------------------------------------- */

static bool always(void) {
    return true;
}

#ifdef __x86_64__
/* Every processor with AVX2 has F16C, which not every compiler knows how to ask for. */
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

/* From the slowest on; each needs what those before it need. */
static const struct {
    const kbr_kernels *kernels;
    bool (*runs_here)(void);
} sets[] = {
    {&kbr_kernels_portable, always},
#ifdef __x86_64__
    {&kbr_kernels_avx2, has_avx2},
    {&kbr_kernels_avx512, has_avx512},
#endif
};

const kbr_kernels *kbr_kernels_at(size_t index) {
    return index < sizeof sets / sizeof sets[0] && sets[index].runs_here() ? sets[index].kernels : NULL;
}

const kbr_kernels *kbr_kernels_choose(void) {
    size_t last = 0;
    while (kbr_kernels_at(last + 1) != NULL)
        last++;
    return kbr_kernels_at(last);
}

const kbr_kernels *kbr_kernels_named(const char *name) {
    for (size_t i = 0; kbr_kernels_at(i) != NULL; i++)
        if (strcmp(kbr_kernels_at(i)->name, name) == 0)
            return kbr_kernels_at(i);
    return NULL;
}

kb_status kbr_kernels_wanted(const char *name, const kbr_kernels **ret_kernels, kb_trail *trail) {
    const kbr_kernels *kernels = name != NULL ? kbr_kernels_named(name) : kbr_kernels_choose();
    if (kernels == NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "there are no kernels `%s` here (this machine's best are `%s`)",
                       name, kbr_kernels_choose()->name);
    *ret_kernels = kernels;
    return KB_OK;
}

/* --- what all sets share ----------------------------------------------------------------------- */

size_t kbr_gemm_scratch(size_t n, size_t k) {
    /* The tiles of every set divide a block of columns by powers of two. */
    size_t columns = n < KBR_GEMM_COLUMNS ? (n + 31) / 32 * 32 : KBR_GEMM_COLUMNS, b, all;
    size_t fixed = KBR_GEMM_ROWS * (KBR_GEMM_DEPTH + columns) + KBR_GEMM_LINE;
    if (__builtin_mul_overflow(columns, k, &b) || __builtin_add_overflow(b, fixed, &all) ||
        __builtin_mul_overflow(all, sizeof(uint32_t), &all))
        return SIZE_MAX;
    return all;
}
