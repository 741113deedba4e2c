#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: why-item 0 of a template blames 2 ops.
exec "$KB_ROOT/tests/bad/refuses" templates_why 2 \
    'why-item 0 of a template blames 2 ops'
