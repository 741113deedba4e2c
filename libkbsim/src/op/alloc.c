/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alloc in time: a mark in the stream of a PE or a host, which takes none: where a range lies was settled
 * while recording.
 */
#include "op/kind.h"

const kbs_kind kbs_kind_alloc = {.engine = KB_ENGINE_SEQUENCER, .is_free = true, .begin = kbs_mark};
