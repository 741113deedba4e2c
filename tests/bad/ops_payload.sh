#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the footer says that the ops of rank 0 have another digest.
exec "$KB_ROOT/tests/bad/refuses" ops_payload 2 \
    'the footer says that the ops of rank 0 have another digest'
