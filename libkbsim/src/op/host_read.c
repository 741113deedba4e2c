/* SPDX-License-Identifier: Apache-2.0 */
/* host_read in time: a DMA of an M_CPU reads a memory into the host's. */
#include "op/kind.h"
#include "pe/dma.h"

const kbs_kind kbs_kind_host_read = {.engine = KB_ENGINE_HOST, .is_free = true, .begin = kbs_dma_read};
