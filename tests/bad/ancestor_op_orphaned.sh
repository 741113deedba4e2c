#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A load that was handed over and never started, in a trace that says it is complete.
exec "$KB_ROOT/tests/bad/ancestor" op-orphaned progress unfinished
