#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the footer has 0 bytes of digests for 5 ops of rank 0.
exec "$KB_ROOT/tests/bad/refuses" footer_blocks 2 \
    'the footer has 0 bytes of digests for 5 ops of rank 0'
