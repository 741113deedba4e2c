#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The source of a message is overwritten before the message is sent.
exec "$KB_ROOT/tests/bad/ancestor" source-overwritten order read/write
