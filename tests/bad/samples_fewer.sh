#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the footer tells of 3 samples, 2 are there.
exec "$KB_ROOT/tests/bad/refuses" samples_fewer 2 \
    'the footer tells of 3 samples, 2 are there'
