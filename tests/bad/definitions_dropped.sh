#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a template names stream 0 of 0.
exec "$KB_ROOT/tests/bad/refuses" definitions_dropped 2 \
    'a template names stream 0 of 0'
