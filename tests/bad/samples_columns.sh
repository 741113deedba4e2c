#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: samples with columns of different lengths.
exec "$KB_ROOT/tests/bad/refuses" samples_columns 2 \
    'samples with columns of different lengths'
