#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: templates that are no protobuf. Found where they are counted, for want of an index.
exec "$KB_ROOT/tests/bad/refuses" field_templates_wire_cut 2 \
    "of the frame's contents: while reading the packets in frame 1 of bad.zst"
