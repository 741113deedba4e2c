#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a sample of counter 0 at -5 ps.
exec "$KB_ROOT/tests/bad/refuses" samples_past 2 \
    'a sample of counter 0 at -5 ps'
