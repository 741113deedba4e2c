#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A copy that sends the element after each that it should send.
exec "$KB_ROOT/tests/bad/finds" value 'source' 2 7 source-shift-element
