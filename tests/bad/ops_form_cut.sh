#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a form whose masks are cut.
exec "$KB_ROOT/tests/bad/refuses" ops_form_cut 2 \
    'a form whose masks are cut'
