/* SPDX-License-Identifier: Apache-2.0 */
/* dma_write in time: set-up, the packets of its data, and their acknowledgements. */
#include "op/kind.h"
#include "pe/dma.h"

const kbs_kind kbs_kind_dma_write = {.engine = KB_ENGINE_DMA, .begin = kbs_dma_write};
