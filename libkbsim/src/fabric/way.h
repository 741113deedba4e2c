/* SPDX-License-Identifier: Apache-2.0 */
/* Ways through a system, link by link; what fabric.c makes routes of. */
#ifndef KBSIM_SRC_WAY_H
#define KBSIM_SRC_WAY_H

#include "fabric/fabric.h"

/* Cubes and IO chiplets: each has places where a link may begin, which hold one at most. */
size_t kbs_way_parts(const kbs_fabric *fabric);
/* The most links of any way. */
uint32_t kbs_way_most_links(const kbs_machine *machine);

/* The links from one place to another into fabric->way_links; makes those that are not there yet. */
kb_status kbs_way_find(kbs_fabric *fabric, kbs_place from, kbs_place to, uint32_t *ret_count,
                       kb_trail *trail) KB_MUST_USE;

/* A way's latency and its least bandwidth (in millionths of GB/s), without making any of its links. */
void kbs_way_measure(kbs_fabric *fabric, kbs_place from, kbs_place to, int64_t *ret_latency_ps,
                     uint64_t *ret_least_gbps);

/* See kbs_launch_way. Makes no link. */
void kbs_way_of_launch(kbs_fabric *fabric, uint32_t pe, kbs_launch_way *ret);

#endif
