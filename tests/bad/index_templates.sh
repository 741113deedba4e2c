#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: 50 templates should be known here, 6 are.
exec "$KB_ROOT/tests/bad/refuses" index_templates 2 \
    '50 templates should be known here, 6 are'
