#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An op that waits for the one after it in its stream.
exec "$KB_ROOT/tests/bad/finds" progress 'cycle' 2 9 claim-next
