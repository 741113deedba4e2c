#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The format page's tables of words are those of the .def files, and it speaks of every field of the schema.
exec /usr/bin/python3 -B "$KB_ROOT/tests/equiv/page_tables.py" "$KB_ROOT"
