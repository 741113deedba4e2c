#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: frame 0 wants 1073741824 bytes, the limit is 67108864 (raise max_frame to allow it: --max-memory).
exec "$KB_ROOT/tests/bad/refuses" frame_large 2 \
    'frame 0 wants 1073741824 bytes, the limit is 67108864 (raise max_frame to allow it: --max-memory)'
