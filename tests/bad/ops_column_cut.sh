#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a column of residuals ends early.
exec "$KB_ROOT/tests/bad/refuses" ops_column_cut 2 \
    'a column of residuals ends early'
