#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A barrier that one rank leaves out.
exec "$KB_ROOT/tests/bad/finds" progress 'barrier' 1 8 meet-next program
