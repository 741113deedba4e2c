/* SPDX-License-Identifier: Apache-2.0 */
/* --help and --version, printed on stdout from the tables of a tool. */
#ifndef KBTOOLS_HELP_H
#define KBTOOLS_HELP_H

#include "common/tool.h"

void kbt_print_command_help(const kbt_tool *tool, const kbt_command *command);
void kbt_print_tool_help(const kbt_tool *tool);
void kbt_print_version(const kbt_tool *tool);

#endif
