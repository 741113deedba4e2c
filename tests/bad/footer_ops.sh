#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the footer tells of 11 ops, its ranks have 10.
exec "$KB_ROOT/tests/bad/refuses" footer_ops 2 \
    'the footer tells of 11 ops, its ranks have 10'
