#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An add of scratch memory whose load is still on its way: it may see what was there before.
exec "$KB_ROOT/tests/bad/ancestor" load-not-awaited order write/read
