#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: claim 0 of a template has no sense (set 9, role 1, point 4).
exec "$KB_ROOT/tests/bad/refuses" templates_claim 2 \
    'claim 0 of a template has no sense (set 9, role 1, point 4)'
