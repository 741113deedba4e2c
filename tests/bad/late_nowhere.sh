#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: op 77 of rank 0 is amended twice, or without being there.
exec "$KB_ROOT/tests/bad/refuses" late_nowhere 2 \
    'op 77 of rank 0 is amended twice, or without being there'
