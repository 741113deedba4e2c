#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: samples.counter is damaged at byte 15 of its message: larger than its type allows.
exec "$KB_ROOT/tests/bad/refuses" field_packed_large 2 \
    'samples.counter is damaged at byte 15 of its message: larger than its type allows'
