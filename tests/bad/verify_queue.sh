#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A receive that takes the message after the next.
exec "$KB_ROOT/tests/bad/finds" queue 'sequence' 2 8 sequence-shift
