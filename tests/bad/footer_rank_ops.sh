#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the footer tells of 6 ops of rank 0, the frames hold 5.
exec "$KB_ROOT/tests/bad/refuses" footer_rank_ops 2 \
    'the footer tells of 6 ops of rank 0, the frames hold 5'
