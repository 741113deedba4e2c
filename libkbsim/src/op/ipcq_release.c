/* SPDX-License-Identifier: Apache-2.0 */
/* ipcq_release in time: done when the credit is back at the producer. */
#include "op/kind.h"
#include "pe/ipcq.h"

const kbs_kind kbs_kind_ipcq_release = {.engine = KB_ENGINE_IPCQ, .begin = kbs_ipcq_release};
