#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: frame 1 is of another run.
exec "$KB_ROOT/tests/bad/refuses" other_run 2 \
    'frame 1 is of another run'
