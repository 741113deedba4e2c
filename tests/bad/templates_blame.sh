#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: an op that blames one of rank 9, of a run with 2 ranks.
exec "$KB_ROOT/tests/bad/refuses" templates_blame 2 \
    'an op blames one of a rank that the run does not have'
