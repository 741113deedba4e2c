#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the first frame has no header.
exec "$KB_ROOT/tests/bad/refuses" field_no_header 2 \
    'the first frame has no header'
