/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PE's DMA: reads of a memory into its TCM.
 *
 * Transfers take turns: each is set up when the requests of the one before are out. A request pays
 * the way to the memory and no bandwidth, and follows the last one by that one's time on the first
 * link, while fewer packets are outstanding than dma.reads_outstanding.
 */
#ifndef KBSIM_SRC_DMA_H
#define KBSIM_SRC_DMA_H

#include "pe/sim.h"

void kbs_dma_init(kbs_dma *dma, kbs_pe *pe, const kbs_route *route);

/* A read gets in line; false when `engine.queue_depth` of them wait there. */
bool kbs_dma_read(kbs_pe *pe, kbs_op *op);

#endif
