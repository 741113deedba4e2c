#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A trace that says itself that its run did not end.
exec "$KB_ROOT/tests/bad/refuses" footer_deadlock 1 \
    'the run ended before its program did'
