#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a template names engine 7 of 1.
exec "$KB_ROOT/tests/bad/refuses" templates_engine 2 \
    'a template names engine 7 of 1'
