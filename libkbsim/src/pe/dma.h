/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PE's DMA: reads of any memory of the package into the PE's own, and writes the other way.
 *
 * Reads and writes have a lane each. In a lane transfers take turns: each is set up when the packets of
 * the one before are out. The packets hold the bytes of the transfer one after another, row by row.
 *
 * A read asks for its packets: a request pays the way to the memory and no bandwidth, and follows the
 * last one by that one's time on the first link, while fewer packets lack their data than
 * dma.reads_outstanding. A written packet goes when the one before it was sent, while fewer are without
 * acknowledgement than dma.writes_outstanding; that pays the way back and no bandwidth. Whoever issued
 * a write notices that it is done when the acknowledgement is there.
 */
#ifndef KBSIM_SRC_DMA_H
#define KBSIM_SRC_DMA_H

#include "pe/sim.h"

void kbs_dma_init(kbs_dma *dma, kbs_pe *pe);

/* As kbs_kind.begin: a transfer gets in the line of its lane. */
bool kbs_dma_read(kbs_pe *pe, kbs_op *op);
bool kbs_dma_write(kbs_pe *pe, kbs_op *op);

#endif
