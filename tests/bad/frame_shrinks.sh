#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: frame 0 is damaged: it holds 162 bytes, its head says 172.
exec "$KB_ROOT/tests/bad/refuses" frame_shrinks 2 \
    'frame 0 is damaged: it holds 162 bytes, its head says 172'
