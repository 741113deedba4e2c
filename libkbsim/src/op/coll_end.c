/* SPDX-License-Identifier: Apache-2.0 */
/* coll_end in time: a mark in the stream, which takes none; all that it follows was observed. */
#include "op/kind.h"

const kbs_kind kbs_kind_coll_end = {.engine = KB_ENGINE_SEQUENCER, .is_free = true, .begin = kbs_mark};
