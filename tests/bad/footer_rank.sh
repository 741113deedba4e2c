#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the footer tells of rank 5.
exec "$KB_ROOT/tests/bad/refuses" footer_rank 2 \
    'the footer tells of rank 5'
