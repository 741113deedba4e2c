#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: frame 1 is damaged: its compressed bytes have another digest.
exec "$KB_ROOT/tests/bad/refuses" frame_flipped 2 \
    'frame 1 is damaged: its compressed bytes have another digest'
