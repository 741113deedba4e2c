#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tables that libkbtrace reads and writes by, the .def files and the proto say the same, and the format
# page speaks of every field.
set -e
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$KB_TMP"
protoc -I "$KB_ROOT/proto" --python_out="$KB_TMP" kbtrace.proto
"$KB_BIN/../tests/kb-trace-schema" >tables
/usr/bin/python3 "$KB_ROOT/tests/equiv/schema.py" "$KB_ROOT" tables
