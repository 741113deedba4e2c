#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a form with residuals of fields beyond its 14.
exec "$KB_ROOT/tests/bad/refuses" ops_mask 2 \
    'a form with residuals of fields beyond its 14'
