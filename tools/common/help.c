/* SPDX-License-Identifier: Apache-2.0 */
/* --help, examples first, and --version; see help.h. */
#include "common/help.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN = 24 }; /* where the options' help begins */

/* "1Mi" rather than 1048576, as it may be typed. */
static void print_bound(const char *before, uint64_t number) {
    static const char *const signs[] = {"", "Ki", "Mi", "Gi"};
    size_t sign = 0;
    bool large = number >= 1 << 15;
    while (large && number % 1024 == 0 && sign + 1 < sizeof signs / sizeof signs[0]) {
        number /= 1024;
        sign++;
    }
    printf("%s%llu%s", before, (unsigned long long)number, signs[sign]);
}

static void print_option(const kbt_option *option) {
    char left[64];
    const int length =
        snprintf(left, sizeof left, "  %c%c%s --%s%s%s", option->letter != 0 ? '-' : ' ',
                 option->letter != 0 ? option->letter : ' ', option->letter != 0 ? "," : " ", option->name,
                 option->shown != NULL ? " " : "", option->shown != NULL ? option->shown : "");
    if (length >= COLUMN)
        printf("%s\n%*s", left, COLUMN, "");
    else
        printf("%-*s", COLUMN, left);
    printf("%s", option->help);
    if (option->kind == KBT_COUNT && option->most != 0) {
        print_bound(" (", option->least);
        print_bound(" to ", option->most);
        printf(")");
    }
    printf("\n");
}

void kbt_print_command_help(const kbt_tool *tool, const kbt_command *command) {
    const char *gap = command->name != NULL ? " " : "", *name = command->name != NULL ? command->name : "";
    printf("Examples:\n%s\nUsage: %s%s%s %s\n\n%s\n\nOptions:\n", command->examples, tool->name, gap, name,
           command->usage, command->summary);
    for (size_t i = 0; i < command->option_count; i++)
        print_option(&command->options[i]);
    for (size_t i = 0; i < kbt_common_option_count; i++)
        print_option(&kbt_common_options[i]);
    if (command->more != NULL)
        printf("\n%s", command->more);
}

void kbt_print_tool_help(const kbt_tool *tool) {
    printf("Examples:\n%s\nUsage: %s COMMAND [ARGUMENT]...\n\n%s\n\nCommands:\n", tool->examples, tool->name,
           tool->summary);
    for (size_t i = 0; i < tool->command_count; i++)
        printf("  %-*s%s\n", COLUMN - 2, tool->commands[i].name, tool->commands[i].summary);
    printf("\n%s COMMAND --help says more of each; --version shows the version.\n"
           "Exit status: 0 fine, 1 a negative finding, 2 trouble.\n",
           tool->name);
}

void kbt_print_version(const kbt_tool *tool) {
    printf("%s %s\n", tool->name, KB_VERSION);
}
