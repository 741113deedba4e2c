#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: frame 0 is damaged: it holds 160 bytes, its head says 170.
exec "$KB_ROOT/tests/bad/refuses" frame_shrinks 2 \
    'frame 0 is damaged: it holds 160 bytes, its head says 170'
