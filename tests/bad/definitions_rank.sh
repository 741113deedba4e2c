#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a stream of rank 2, of a run with 2 ranks.
exec "$KB_ROOT/tests/bad/refuses" definitions_rank 2 \
    'the definition of stream 2 names rank 2, of which there are 2'
