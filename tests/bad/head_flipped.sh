#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the head of frame 1 is damaged.
exec "$KB_ROOT/tests/bad/refuses" head_flipped 2 \
    'the head of frame 1 is damaged'
