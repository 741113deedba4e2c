/* SPDX-License-Identifier: Apache-2.0 */
/* dma_read in time: set-up, request, and the packets of its data. */
#include "op/kind.h"
#include "pe/dma.h"

const kbs_kind kbs_kind_dma_read = {.engine = KB_ENGINE_DMA, .begin = kbs_dma_read};
