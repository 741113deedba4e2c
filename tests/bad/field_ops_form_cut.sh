#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a form that is cut.
exec "$KB_ROOT/tests/bad/refuses" field_ops_form_cut 2 \
    'a form that is cut'
