#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: an op of rank 0 is of stream 1, which is rank 1's.
exec "$KB_ROOT/tests/bad/refuses" templates_stream 2 \
    "an op of rank 0 is of stream 1, which is rank 1's"
