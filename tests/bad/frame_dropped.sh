#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: frame 3 stands where frame 2 belongs.
exec "$KB_ROOT/tests/bad/refuses" frame_dropped 2 \
    'frame 3 stands where frame 2 belongs'
