/* SPDX-License-Identifier: Apache-2.0 */
/* coll_begin in time: a mark in the stream, which takes none. */
#include "op/kind.h"

const kbs_kind kbs_kind_coll_begin = {.engine = KB_ENGINE_SEQUENCER, .is_free = true, .begin = kbs_mark};
