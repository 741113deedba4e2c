#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: frame 1 holds no ops of rank 0.
exec "$KB_ROOT/tests/bad/refuses" ops_dropped 2 \
    'frame 1 holds no ops of rank 0'
