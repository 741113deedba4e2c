/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic that models of a network are compared on, over the links of our machine; and files of it for
 * models that are programs of their own.
 *
 * A file's first line says flit_bytes, packet_bytes, and how many links, routes and messages follow. A
 * link: bytes a second, flit_ps, latency_ps. A route: its links' numbers. A message: rank, op, route,
 * channel, bytes, begin_ps, and the messages that it comes after. All are numbered from 0.
 */
#ifndef KB_BENCH_SHAPES_H
#define KB_BENCH_SHAPES_H

#include <stdbool.h>

#include "support/fabric/traffic.h"

/* Random messages between the PEs of four cubes, that load the busiest links nearly fully. */
traffic *shape_mesh(size_t messages, uint64_t seed);
/* A ring all-reduce of so many bytes a rank, on PEs by number; a message waits for the one that brought its
   bytes, and for its rank's former one. Up to 256 ranks. */
traffic *shape_ring(uint32_t ranks, uint64_t bytes);
/* Its routes alone, from each of a machine's first ranks to the next, route r out of rank r. */
traffic *shape_ring_routes(const char *machine, uint32_t ranks);
void shape_destroy(traffic *of);

void shape_write(const traffic *of, const char *path);
/* Whether a file of lines `sent_ps seen_ps`, one a message, says what `of` says. */
bool shape_agrees(const traffic *of, const char *path);

#endif
