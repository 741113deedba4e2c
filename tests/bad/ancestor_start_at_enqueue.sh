#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A copy that is said to start when it was handed over, before its credit came.
exec "$KB_ROOT/tests/bad/ancestor" start-at-enqueue causality credit
