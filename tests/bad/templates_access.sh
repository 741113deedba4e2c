#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: operand 0 of a template has no sense (access 9, dtype 8, dims 1).
exec "$KB_ROOT/tests/bad/refuses" templates_access 2 \
    'operand 0 of a template has no sense (access 9, dtype 8, dims 1)'
