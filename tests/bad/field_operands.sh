#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a template of 17 operands, at most 16 can be.
exec "$KB_ROOT/tests/bad/refuses" field_operands 2 \
    'a template of 17 operands, at most 16 can be'
