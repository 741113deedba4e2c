#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a template names memory 99 of 2.
exec "$KB_ROOT/tests/bad/refuses" templates_memory 2 \
    'a template names memory 99 of 2'
