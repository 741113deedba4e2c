#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a template claims an op of rank 2 of 2.
exec "$KB_ROOT/tests/bad/refuses" templates_rank 2 \
    'a template claims an op of rank 2 of 2'
