#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A math op whose inputs are longer than its output.
exec "$KB_ROOT/tests/bad/finds" structure 'operand shape' 2 4 length-shorter
