#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the footer tells of 0 amended ops of rank 0, 1 are there.
exec "$KB_ROOT/tests/bad/refuses" footer_late 2 \
    'the footer tells of 0 amended ops of rank 0, 1 are there'
