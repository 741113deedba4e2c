/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PE's DMA: reads of any memory of the system into the PE's own, and writes the other way. And what the
 * M_CPU of a cube has of one for each of its hosts: it reads memories into the host's, and writes them.
 *
 * Reads and writes have a lane each. In a lane transfers take turns: each is set up when the packets of the
 * one before are out, or with dma.transfers = single when it is done, as its issuer notices that. The packets
 * hold the bytes of the transfer one after another, row by row.
 *
 * A read asks for its packets: a request pays the way to the memory and no bandwidth, and follows the
 * last one by that one's time on the first link, while fewer packets lack their data than
 * dma.reads_outstanding. A written packet goes when the one before it was sent, while fewer are without
 * acknowledgement than dma.writes_outstanding; that pays the way back and no bandwidth. Whoever issued
 * a write notices that it is done when the acknowledgement is there. Of copies by hosts as many may be on
 * their way as m_cpu.reads_outstanding and m_cpu.writes_outstanding say, and each takes host.copy_ns first.
 */
#ifndef KBSIM_SRC_DMA_H
#define KBSIM_SRC_DMA_H

#include "pe/sim.h"

void kbs_dma_init(kbs_dma *dma, kbs_pe *pe);

/* Of a PE, or of a host; as kbs_kind.begin: a transfer gets in the line of its lane. */
bool kbs_dma_read(kbs_pe *pe, kbs_op *op);
bool kbs_dma_write(kbs_pe *pe, kbs_op *op);

#endif
