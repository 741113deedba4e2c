#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the last frame has no sound footer.
exec "$KB_ROOT/tests/bad/refuses" footer_index 2 \
    'the last frame has no sound footer'
