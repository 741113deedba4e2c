/* SPDX-License-Identifier: Apache-2.0 */
/* host_read in time: the host has the bytes when it is done. */
#include "op/host_copy.h"
#include "op/kind.h"

const kbs_kind kbs_kind_host_read = {.engine = KB_ENGINE_HOST, .is_free = true, .begin = kbs_host_copy};
