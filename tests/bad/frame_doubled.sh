#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: frame 3 stands where frame 4 belongs.
exec "$KB_ROOT/tests/bad/refuses" frame_doubled 2 \
    'frame 3 stands where frame 4 belongs'
