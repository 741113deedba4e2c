#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the definition of engine 0 names stream 8, of which there are 2.
exec "$KB_ROOT/tests/bad/refuses" definitions_id 2 \
    'the definition of engine 0 names stream 8, of which there are 2'
