#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A kernel that was launched and never ran: its stream has no op, and misses its collective.
exec "$KB_ROOT/tests/bad/ancestor" kernel-orphaned value entry
