/* SPDX-License-Identifier: Apache-2.0 */
/* assume in time: a mark in the stream, which takes none; what it reads was visible before. */
#include "op/kind.h"

const kbs_kind kbs_kind_assume = {.engine = KB_ENGINE_SEQUENCER, .is_free = true, .begin = kbs_mark};
