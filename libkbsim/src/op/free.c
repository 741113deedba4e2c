/* SPDX-License-Identifier: Apache-2.0 */
/* free in time: a mark in the stream of a PE or a host, which takes none. */
#include "op/kind.h"

const kbs_kind kbs_kind_free = {.engine = KB_ENGINE_SEQUENCER, .is_free = true, .begin = kbs_mark};
