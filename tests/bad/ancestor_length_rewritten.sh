#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An add of half of what was loaded: its length was taken for something else.
exec "$KB_ROOT/tests/bad/ancestor" length-rewritten value missing
