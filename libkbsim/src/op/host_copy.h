/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host writes and reads: one copy of a host after another, each host.copy_ns + bytes / host.copy_gbps.
 * They use no link of the fabric.
 */
#ifndef KBSIM_SRC_HOST_COPY_H
#define KBSIM_SRC_HOST_COPY_H

#include "pe/sim.h"

bool kbs_host_copy(kbs_pe *host, kbs_op *op);

#endif
