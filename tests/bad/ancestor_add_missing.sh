#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a rank loads of another's input is never added.
exec "$KB_ROOT/tests/bad/ancestor" add-missing value missing
