#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: frame 1 holds ops of rank 9.
exec "$KB_ROOT/tests/bad/refuses" index_rank 2 \
    'frame 1 holds ops of rank 9'
