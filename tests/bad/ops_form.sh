#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: an op of a form that the packet does not have.
exec "$KB_ROOT/tests/bad/refuses" ops_form 2 \
    'an op of a form that the packet does not have'
