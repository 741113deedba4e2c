#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: samples.counter is damaged at byte 15 of its message: a cut number.
exec "$KB_ROOT/tests/bad/refuses" field_packed_cut 2 \
    'samples.counter is damaged at byte 15 of its message: a cut number'
