#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A slot is given back while it is still read, and is filled again.
exec "$KB_ROOT/tests/bad/ancestor" slot-wraps-in-read order read/release
