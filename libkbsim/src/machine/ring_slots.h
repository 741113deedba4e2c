/* SPDX-License-Identifier: Apache-2.0 */
/* Paths below `ipcq.slots_of`: sizes of single rings, by the names of their queues. */
#ifndef KBSIM_SRC_RING_SLOTS_H
#define KBSIM_SRC_RING_SLOTS_H

#include "kbsim/machine.h"

/* Of "ipcq.slots_of.pe0>pe1" what stands behind the group's point; of other paths NULL. */
const char *kbs_below_ring_slots(const char *path);

kb_status kbs_ring_slots_set(kbs_machine *machine, const char *queue, const char *value,
                             const kbs_origin *origin, kb_trail *trail) KB_MUST_USE;
/* Of a queue by its name, or NULL where it has no size of its own. */
const kbs_ring_slots *kbs_ring_slots_of(const kbs_machine *machine, const char *queue);

#endif
