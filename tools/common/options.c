/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing of command lines by their tables; see options.h. May not print. */
#include "common/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kbtrace/nearest.h"

const kbt_option kbt_common_options[] = {
    {0, "json", KBT_FLAG, offsetof(kbt_common, json), NULL, "print the result as one JSON object", 0, 0, NULL,
     0},
    {'q', "quiet", KBT_FLAG, offsetof(kbt_common, quiet), NULL, "no summary, no progress", 0, 0, NULL, 0},
    {'v', "verbose", KBT_FLAG, offsetof(kbt_common, verbose), NULL, "say more on stderr", 0, 0, NULL, 0},
    {0, "color", KBT_CHOICE, offsetof(kbt_common, color), "WHEN", "auto, always or never", 0, 0,
     "auto always never", 0},
    {0, "threads", KBT_COUNT, offsetof(kbt_common, threads), "N", "threads to use (default: one a core)", 1,
     1024, NULL, 0},
    {'h', "help", KBT_FLAG, offsetof(kbt_common, help), NULL, "show this text", 0, 0, NULL, 0},
    {0, "version", KBT_FLAG, offsetof(kbt_common, version), NULL, "show the version", 0, 0, NULL, 0},
};
const size_t kbt_common_option_count = sizeof kbt_common_options / sizeof kbt_common_options[0];

/* --- values ---------------------------------------------------------------------------------- */

bool kbt_number(const char *text, uint64_t *ret) {
    static const struct {
        const char *sign;
        uint64_t factor;
    } signs[] = {
        {"", 1},           {"K", 1000},       {"M", 1000000},    {"G", 1000000000},
        {"Ki", 1U << 10U}, {"Mi", 1U << 20U}, {"Gi", 1U << 30U},
    };
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0)
        return false;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (strcmp(end, signs[i].sign) == 0 && number <= UINT64_MAX / signs[i].factor) {
            *ret = number * signs[i].factor;
            return true;
        }
    return false;
}

static kb_status set_count(const kbt_option *option, const char *text, uint64_t *ret, kb_trail *trail) {
    uint64_t number;
    if (!kbt_number(text, &number))
        return kb_fail(trail, KB_E_ARGUMENT, "--%s: '%s' is not a whole number (try --%s %llu)", option->name,
                       text, option->name, (unsigned long long)option->least);
    if (option->most != 0 && (number < option->least || number > option->most))
        return kb_fail(trail, KB_E_ARGUMENT, "--%s: %s is out of range (%llu to %llu)", option->name, text,
                       (unsigned long long)option->least, (unsigned long long)option->most);
    if (number < option->least)
        return kb_fail(trail, KB_E_ARGUMENT, "--%s: %s is too small (at least %llu)", option->name, text,
                       (unsigned long long)option->least);
    *ret = number;
    return KB_OK;
}

/* Is `text` one of the words in "auto always never"? */
static bool is_choice(const char *choices, const char *text) {
    const size_t length = strlen(text);
    for (const char *at = choices; length > 0 && (at = strstr(at, text)) != NULL; at += length)
        if ((at == choices || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static kb_status add_to_list(kbt_list *list, const char *text, size_t most, kb_arena *arena,
                             kb_trail *trail) {
    if (list->items == NULL) {
        void *items = NULL;
        KB_TRY(kb_arena_new(arena, most * sizeof list->items[0], &items, trail));
        list->items = items;
    }
    list->items[list->count++] = text;
    return KB_OK;
}

/* --- options --------------------------------------------------------------------------------- */

typedef struct parse {
    const kbt_command *command;
    char **argv;
    int argc, at; /* the next argument */
    kb_arena *arena;
    char *values;
    bool *given; /* by the option's place in the command's table */
    kb_trail *trail;
} parse;

static kb_status set_value(parse *p, const kbt_option *option, const char *text) {
    void *place = p->values + option->offset;
    switch (option->kind) {
    case KBT_FLAG: *(bool *)place = true; return KB_OK;
    case KBT_TEXT: *(const char **)place = text; return KB_OK;
    case KBT_LIST: return add_to_list(place, text, (size_t)p->argc, p->arena, p->trail);
    case KBT_COUNT: return set_count(option, text, place, p->trail);
    case KBT_CHOICE:
        if (!is_choice(option->choices, text))
            return kb_fail(p->trail, KB_E_ARGUMENT, "--%s: '%s' is not one of: %s", option->name, text,
                           option->choices);
        *(const char **)place = text;
        return KB_OK;
    }
    return KB_OK;
}

static const kbt_option *find(const kbt_option *options, size_t count, const char *name, size_t length,
                              char letter) {
    for (size_t i = 0; i < count; i++) {
        const bool same =
            name != NULL ? strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0
                         : letter != 0 && options[i].letter == letter;
        if (same)
            return &options[i];
    }
    return NULL;
}

static const kbt_option *find_either(const parse *p, const char *name, size_t length, char letter) {
    const kbt_option *option = find(p->command->options, p->command->option_count, name, length, letter);
    return option != NULL ? option : find(kbt_common_options, kbt_common_option_count, name, length, letter);
}

static kb_status refuse_name(const parse *p, const char *name, size_t length) {
    char wanted[64];
    if (length >= sizeof wanted)
        length = sizeof wanted - 1;
    memcpy(wanted, name, length);
    wanted[length] = '\0';
    kb_nearest nearest;
    kb_nearest_init(&nearest, wanted);
    for (size_t i = 0; i < p->command->option_count; i++)
        kb_nearest_offer(&nearest, p->command->options[i].name);
    for (size_t i = 0; i < kbt_common_option_count; i++)
        kb_nearest_offer(&nearest, kbt_common_options[i].name);
    const char *best = kb_nearest_best(&nearest);
    if (best != NULL)
        return kb_fail(p->trail, KB_E_ARGUMENT, "unknown option --%s (did you mean --%s?)", wanted, best);
    return kb_fail(p->trail, KB_E_ARGUMENT, "unknown option --%s (--help lists them)", wanted);
}

/* The option's value: what follows `=` or the letter, or else the next argument. */
static kb_status take(parse *p, const kbt_option *option, const char *attached, const char *as_given) {
    const size_t index = (size_t)(option - p->command->options);
    if (option >= p->command->options && index < p->command->option_count)
        p->given[index] = true;
    if (option->kind == KBT_FLAG)
        return set_value(p, option, "");
    if (attached == NULL) {
        if (p->at >= p->argc)
            return kb_fail(p->trail, KB_E_ARGUMENT, "%s needs a value (%s)", as_given, option->shown);
        attached = p->argv[p->at++];
    }
    return set_value(p, option, attached);
}

static kb_status parse_long(parse *p, const char *arg) {
    const char *name = arg + 2;
    const char *equals = strchr(name, '=');
    const size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const kbt_option *option = find_either(p, name, length, 0);
    if (option == NULL)
        return refuse_name(p, name, length);
    if (option->kind == KBT_FLAG && equals != NULL)
        return kb_fail(p->trail, KB_E_ARGUMENT, "--%s takes no value", option->name);
    return take(p, option, equals != NULL ? equals + 1 : NULL, arg);
}

/* -o OUT, -oOUT, and several flags behind one dash. */
static kb_status parse_letters(parse *p, const char *arg) {
    for (const char *letter = arg + 1; *letter != '\0'; letter++) {
        const kbt_option *option = find_either(p, NULL, 0, *letter);
        if (option == NULL)
            return kb_fail(p->trail, KB_E_ARGUMENT, "unknown option -%c in '%s' (--help lists them)", *letter,
                           arg);
        if (option->kind != KBT_FLAG)
            return take(p, option, letter[1] != '\0' ? letter + 1 : NULL, arg);
        KB_TRY(take(p, option, NULL, arg));
    }
    return KB_OK;
}

static kb_status check_complete(const parse *p, const kbt_list *words) {
    const kbt_command *command = p->command;
    if (words->count < command->least_words)
        return kb_fail(p->trail, KB_E_ARGUMENT, "%s is missing (--help shows examples)", command->word_name);
    if (words->count > command->most_words) {
        const char *surplus = words->items[command->most_words];
        return kb_fail(p->trail, KB_E_ARGUMENT, "'%s' is one argument too many (--help shows the usage)",
                       surplus);
    }
    for (size_t i = 0; i < command->option_count; i++) {
        const kbt_option *option = &command->options[i];
        if (option->required && !p->given[i])
            return kb_fail(p->trail, KB_E_ARGUMENT, "--%s %s is missing: %s", option->name, option->shown,
                           option->help);
    }
    return KB_OK;
}

kb_status kbt_parse(const kbt_command *command, int argc, char **argv, kb_arena *arena, void *values,
                    kbt_list *ret_words, kb_trail *trail) {
    void *given;
    KB_TRY(kb_arena_new(arena, command->option_count + 1, &given, trail));
    parse p = {command, argv, argc, 0, arena, values, given, trail};
    const kbt_common *common = values;
    kbt_list words = {NULL, 0};
    bool only_words = false;
    while (p.at < argc && !common->help && !common->version) {
        const char *arg = argv[p.at++];
        if (only_words || arg[0] != '-' || arg[1] == '\0')
            KB_TRY(add_to_list(&words, arg, (size_t)argc, arena, trail));
        else if (strcmp(arg, "--") == 0)
            only_words = true;
        else if (arg[1] == '-')
            KB_TRY(parse_long(&p, arg));
        else
            KB_TRY(parse_letters(&p, arg));
    }
    if (!common->help && !common->version)
        KB_TRY(check_complete(&p, &words));
    *ret_words = words;
    return KB_OK;
}
