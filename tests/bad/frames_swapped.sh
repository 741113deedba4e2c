#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: frame 1 stands where frame 2 belongs.
exec "$KB_ROOT/tests/bad/refuses" frames_swapped 2 \
    'frame 1 stands where frame 2 belongs'
