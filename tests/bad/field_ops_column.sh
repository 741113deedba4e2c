#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: column 5 of ops is not one packed field.
exec "$KB_ROOT/tests/bad/refuses" field_ops_column 2 \
    'column 5 of ops is not one packed field'
