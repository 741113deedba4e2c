/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fuzz targets take apart: a byte that chooses options, then pieces, each two bytes of length
 * (little-endian) and so many bytes, which become the contents of a frame each, behind sound seals.
 */
#ifndef KB_TESTS_PIECES_H
#define KB_TESTS_PIECES_H

#include "support/forge.h"
#include "support/random.h"

/* The frames of the pieces, and unless it is to be cut the seek table. */
void pieces_forge(forge *f, const uint8_t *data, size_t size, bool cut);

/*
 * One number of one piece becomes another, and all lengths around it are right again, in data[most]. Returns
 * the size, or 0 where nothing came of it.
 */
size_t pieces_mutate(uint8_t *data, size_t size, size_t most, random_source *random);

#endif
