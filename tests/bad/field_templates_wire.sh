#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: templates that are no protobuf. Found where templates are read for use.
exec "$KB_ROOT/tests/bad/refuses" field_templates_wire 2 \
    "no protobuf: while reading the packet at byte 0 of the frame's contents: while reading templates"
