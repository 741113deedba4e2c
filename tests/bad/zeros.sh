#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: no packet at byte 0 of the frame's contents.
exec "$KB_ROOT/tests/bad/refuses" zeros 2 \
    "no packet at byte 0 of the frame's contents"
