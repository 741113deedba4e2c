/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The version of what kb-sim and a user's shared object must agree on, and how the object exports.
 *
 * An object holds algorithms (KB_ALGORITHM of coll.h), or a bench (KB_BENCH of bench.h), or both. It links
 * nothing: whatever the headers beside this one declare, kb-sim gives to it when it is loaded.
 */
#ifndef KBSIM_ABI_H
#define KBSIM_ABI_H

/* Changes whenever what coll.h, tl.h, view.h, host.h or bench.h declare does, or what it means. */
#define KB_PLUGIN_ABI 1

/* Seen from outside, whatever visibility the object is compiled with. */
#define KB_EXPORT __attribute__((visibility("default")))

#endif
