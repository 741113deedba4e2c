#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a sample of counter 99 of 1.
exec "$KB_ROOT/tests/bad/refuses" samples_counter 2 \
    'a sample of counter 99 of 1'
