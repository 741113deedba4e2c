#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A store at the picosecond at which the load ends that nobody awaited; awaited, it is legal.
exec "$KB_ROOT/tests/bad/ancestor" tie-in-stream order write/read
