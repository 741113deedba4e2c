#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: no body of a packet at byte 0 of the frame's contents.
exec "$KB_ROOT/tests/bad/refuses" field_no_body 2 \
    "no body of a packet at byte 0 of the frame's contents"
