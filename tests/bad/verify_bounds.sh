#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A copy that reads from between two elements.
exec "$KB_ROOT/tests/bad/finds" bounds 'alignment' 2 7 source-shift-byte
