#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a collective of group 0, of which there is none.
exec "$KB_ROOT/tests/bad/refuses" definitions_group 2 \
    'the definition of collective 0 names group 0, of which there are 0'
