#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: no frame begins here, nothing can be used.
exec "$KB_ROOT/tests/bad/refuses" first_flipped 2 \
    'no frame begins here, nothing can be used'
