#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A kernel that begins before the start stamp of its launch.
exec "$KB_ROOT/tests/bad/ancestor" stamp-early causality launch
