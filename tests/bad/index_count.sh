#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the footer tells of 5 ops of rank 1, the frames hold 4.
exec "$KB_ROOT/tests/bad/refuses" index_count 2 \
    'the footer tells of 5 ops of rank 1, the frames hold 4'
