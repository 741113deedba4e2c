#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: an op with 3 bytes, of which 2 are here.
exec "$KB_ROOT/tests/bad/refuses" ops_payload_cut 2 \
    'an op with 3 bytes, of which 2 are here'
