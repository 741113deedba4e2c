#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A receive at the picosecond of the copy that it does not claim; with the claim that tie is legal.
exec "$KB_ROOT/tests/bad/ancestor" tie queue message
