#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: 6 templates should be known here, 5 are.
exec "$KB_ROOT/tests/bad/refuses" templates_fewer 2 \
    '6 templates should be known here, 5 are'
