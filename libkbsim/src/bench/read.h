/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters that benches have in common, from text to what they mean. */
#ifndef KBSIM_SRC_READ_H
#define KBSIM_SRC_READ_H

#include "bench/bench.h"

/* f16, bf16, f32, i8, i32. */
kb_status kbs_read_dtype(const char *text, uint32_t *ret, kb_trail *trail) KB_MUST_USE;
/* sum, min, max, prod. */
kb_status kbs_read_reduce(const char *text, uint32_t *ret, kb_trail *trail) KB_MUST_USE;
/* KB_SPACE_… of tensors: tcm, sram, hbm. */
kb_status kbs_read_space(const char *text, uint32_t *ret, kb_trail *trail) KB_MUST_USE;
/* Of `elems` and `bytes`, by their places among a bench's parameters: the one that was given. */
kb_status kbs_read_elements(const kbs_bench_values *values, uint32_t elems, uint32_t bytes, uint32_t dtype,
                            uint64_t *ret, kb_trail *trail) KB_MUST_USE;
/*
 * KB_SPACE_… of a tensor of so many bytes: tcm, sram, hbm, or "" for the TCM, but the HBM where it would not
 * fit beside the scratch and the rings of `queues` queues.
 */
kb_status kbs_read_buffer(const char *text, const kbs_machine *machine, uint64_t size_bytes, uint64_t queues,
                          uint32_t *ret, kb_trail *trail) KB_MUST_USE;

#endif
