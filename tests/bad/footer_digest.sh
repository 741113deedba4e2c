#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the footer's record digest is not that of its ranks.
exec "$KB_ROOT/tests/bad/refuses" footer_digest 2 \
    "the footer's record digest is not that of its ranks"
