#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Transcendental functions of every f32, against the C library and MPFR: about half an hour.
#   KB_BIN=build/release/bin tests/campaign/functions.sh [FUNCTION]
exec "$KB_BIN/../tests/kbreplay_test_functions" every "$@"
