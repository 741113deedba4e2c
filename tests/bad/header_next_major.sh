#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: bad.zst is of format 2.1, this build reads up to 1.x: use a kb that is as new as the trace.
exec "$KB_ROOT/tests/bad/refuses" header_next_major 2 \
    'bad.zst is of format 2.1, this build reads up to 1.x: use a kb that is as new as the trace'
