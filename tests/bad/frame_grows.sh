#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: frame 0 is damaged: zstd says 'Destination buffer is too small'.
exec "$KB_ROOT/tests/bad/refuses" frame_grows 2 \
    "frame 0 is damaged: zstd says 'Destination buffer is too small'"
