/* SPDX-License-Identifier: Apache-2.0 */
/* A pass of one op at a time over two memories, for the tests of this folder. */
#ifndef KB_TESTS_ONE_OP_H
#define KB_TESTS_ONE_OP_H

#include "support/check.h"

#include <string.h>

#include "exchange/exchange.h"
#include "op/access.h"
#include "op/op.h"

enum { SIZE = 1 << 16 };

typedef struct bench {
    kb_defs defs;
    kbr_memories *memories;
    kbr_exchange_shared shared;
    kbr_pass pass;
    kbr_result result;
    kb_trail trail;
    kb_template what;
    kb_op op;
    kb_operand operands[4];
    uint64_t offsets[4], immediate;
    char misfit[KBR_MISFIT_CHARS]; /* why the last op was not run */
} bench;

static inline void bench_init(bench *it) {
    memset(it, 0, sizeof *it);
    kb_trail_init(&it->trail);
    kb_defs_init(&it->defs, kb_alloc_heap(), 0);
    uint32_t id;
    kb_memory memory = {KB_SPACE_TCM, 0, KB_NONE, SIZE, 0, "first"};
    check_ok(kb_defs_add_memory(&it->defs, &memory, &id, &it->trail), &it->trail);
    memory.name = "second";
    check_ok(kb_defs_add_memory(&it->defs, &memory, &id, &it->trail), &it->trail);
    it->pass = (kbr_pass){.alloc = kb_alloc_heap(),
                          .defs = &it->defs,
                          .limit_size = 1 << 24,
                          .kernels = kbr_kernels_choose(),
                          .result = &it->result};
    check_ok(kbr_memories_create(&it->defs, it->pass.alloc, 1 << 24, &it->memories, &it->trail), &it->trail);
    kbr_exchange_shared_init(&it->shared, it->memories);
    it->pass.exchange = &it->shared.exchange;
}

static inline void bench_fini(bench *it) {
    kbr_memories_destroy(it->memories);
    for (int i = 0; i < KBR_BUFFERS; i++)
        kb_delete(it->pass.alloc, it->pass.buffers[i].bytes, it->pass.buffers[i].size);
    kb_defs_fini(&it->defs);
}

/* Operand `number` of the op that comes next; the first makes a new op. */
static inline void set_operand(bench *it, uint32_t number, uint64_t offset, kb_operand view) {
    it->operands[number] = view;
    it->offsets[number] = offset;
    it->what.operand_count = number + 1;
}

/* Runs the op; KB_E_CORRUPT where its operands do not go together. */
static inline kb_status run(bench *it, uint32_t kind, uint32_t func) {
    it->what.kind = (uint16_t)kind;
    it->what.func = func;
    it->what.file = it->what.step = KB_NONE;
    it->what.operands = it->operands;
    it->what.immediates = &it->immediate;
    it->what.immediate_count = 1;
    it->what.reached = KB_POINT_DONE;
    it->op.what = &it->what;
    it->op.offsets = it->offsets;
    const kbr_op_impl *impl = kbr_op_impl_of(kind);
    it->misfit[0] = '\0';
    if (impl->fits != NULL && !impl->fits(&it->op, it->misfit))
        return KB_E_CORRUPT;
    return impl->execute != NULL ? impl->execute(&it->pass, 0, &it->op, &it->trail) : KB_OK;
}

static inline void put(bench *it, uint32_t memory, uint64_t offset, const void *bytes, uint64_t size) {
    check_ok(kbr_memory_write(it->memories, memory, offset, size, bytes, &it->trail), &it->trail);
}

static inline bool get(bench *it, uint32_t memory, uint64_t offset, void *bytes, uint64_t size) {
    bool defined;
    check_ok(kbr_memory_read(it->memories, memory, offset, size, bytes, &defined, &it->trail), &it->trail);
    return defined;
}

static inline uint64_t draw(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

#endif
