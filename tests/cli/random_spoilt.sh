#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Clean random programs from which one thing was taken, a sample. See tests/campaign/spoilt.sh.
exec "$KB_ROOT/tests/campaign/spoilt.sh" 10 1 1
