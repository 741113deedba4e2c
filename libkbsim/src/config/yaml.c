/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From libfyaml's events to a tree; see yaml.h. The only file that knows libfyaml.
 *
 * libfyaml takes its memory from the heap, not from a kb_alloc; the file's size, which the caller bounds,
 * bounds it. Its messages are collected, never printed.
 */
#include "config/yaml.h"

#include <libfyaml.h>
#include <stdio.h>
#include <string.h>

#include "machine/origin.h"

enum { DEEPEST = 16, MOST_NODES = 8192 };

typedef struct anchor {
    const char *name;
    const kbs_yaml *node;
    const struct anchor *next;
} anchor;

/* A map or list whose end has not come. */
typedef struct level {
    kbs_yaml *node, *last;
    const kbs_yaml *key; /* of a map: the key whose value comes next */
} level;

typedef struct builder {
    const char *name;
    kb_arena *arena;
    kb_trail *trail;
    level levels[DEEPEST];
    unsigned depth, nodes;
    const kbs_yaml *root;
    const anchor *anchors;
    kbs_origin at; /* of the latest event that has a place */
} builder;

static kb_status refuse(const builder *b, const char *what) {
    return kbs_fail_at(&b->at, b->trail, "%s", what);
}

/* --- texts ----------------------------------------------------------------------------------- */

static kb_status copy_text(builder *b, struct fy_token *token, const char **ret) {
    size_t length = 0;
    const char *text = token != NULL ? fy_token_get_text(token, &length) : "";
    if (text == NULL)
        return kb_fail(b->trail, KB_E_MEMORY, "out of memory while reading %s", b->name);
    for (size_t i = 0; i < length; i++) /* by an escape */
        if (((unsigned char)text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7F)
            return refuse(b, "a text with a control character in it");
    return kb_arena_text(b->arena, text, length, ret, b->trail);
}

static void move_to(builder *b, struct fy_token *token) {
    const struct fy_mark *mark = token != NULL ? fy_token_start_mark(token) : NULL;
    if (mark == NULL || mark->line < 0 || mark->column < 0)
        return;
    b->at.line = (uint32_t)mark->line + 1;
    b->at.column = (uint32_t)mark->column + 1;
}

/* --- nodes ----------------------------------------------------------------------------------- */

static kb_status new_node(builder *b, kbs_yaml_kind kind, struct fy_token *tag, kbs_yaml **ret) {
    void *memory;
    if (tag != NULL) {
        move_to(b, tag);
        return refuse(b, "tags (!...) are not used here: write the value alone");
    }
    if (++b->nodes > MOST_NODES)
        return refuse(b, "a file of settings does not have so many values");
    KB_TRY(kb_arena_new(b->arena, sizeof(kbs_yaml), &memory, b->trail));
    *ret = memory;
    (*ret)->kind = kind;
    (*ret)->at = b->at;
    return KB_OK;
}

static kb_status take_key(builder *b, level *map, const kbs_yaml *node) {
    if (node->kind != KBS_YAML_SCALAR)
        return kbs_fail_at(&node->at, b->trail, "a key is a word, not a map or list");
    if (strcmp(node->text, "<<") == 0)
        return kbs_fail_at(&node->at, b->trail, "merge keys (<<) are not used here: include a file");
    for (const kbs_yaml *other = map->node->first; other != NULL; other = other->next)
        if (strcmp(other->key, node->text) == 0)
            return kbs_fail_at(&node->at, b->trail, "the key '%s' is here a second time (first in line %u)",
                               node->text, other->key_at.line);
    map->key = node;
    return KB_OK;
}

/* The node is whole, or its members follow: it gets its place in what is open. */
static kb_status place(builder *b, kbs_yaml *node) {
    if (b->depth == 0) {
        if (b->root != NULL)
            return kbs_fail_at(&node->at, b->trail, "a second document (---): a file has one");
        b->root = node;
        return KB_OK;
    }
    level *open = &b->levels[b->depth - 1];
    if (open->node->kind == KBS_YAML_MAP) {
        if (open->key == NULL)
            return take_key(b, open, node);
        node->key = open->key->text;
        node->key_at = open->key->at;
        open->key = NULL;
    }
    if (open->last == NULL)
        open->node->first = node;
    else
        open->last->next = node;
    open->last = node;
    return KB_OK;
}

static kb_status remember(builder *b, struct fy_token *name, const kbs_yaml *node) {
    void *memory;
    if (name == NULL)
        return KB_OK;
    KB_TRY(kb_arena_new(b->arena, sizeof(anchor), &memory, b->trail));
    anchor *row = memory;
    KB_TRY(copy_text(b, name, &row->name));
    row->node = node;
    row->next = b->anchors;
    b->anchors = row;
    return KB_OK;
}

static kb_status open_node(builder *b, kbs_yaml_kind kind, struct fy_token *tag) {
    kbs_yaml *node = NULL;
    KB_TRY(new_node(b, kind, tag, &node));
    KB_TRY(place(b, node));
    if (b->depth == DEEPEST)
        return refuse(b, "maps and lists lie too deep in one another");
    b->levels[b->depth++] = (level){.node = node};
    return KB_OK;
}

static kb_status add_scalar(builder *b, struct fy_token *value, struct fy_token *tag, struct fy_token *name) {
    kbs_yaml *node = NULL;
    KB_TRY(new_node(b, KBS_YAML_SCALAR, tag, &node));
    KB_TRY(copy_text(b, value, &node->text));
    KB_TRY(remember(b, name, node));
    return place(b, node);
}

/* Only a scalar has an anchor: so no alias can be inside of what it stands for. */
static kb_status add_alias(builder *b, struct fy_token *name) {
    const char *wanted;
    KB_TRY(copy_text(b, name, &wanted));
    for (const anchor *row = b->anchors; row != NULL; row = row->next)
        if (strcmp(row->name, wanted) == 0) {
            kbs_yaml *node = NULL;
            KB_TRY(new_node(b, KBS_YAML_SCALAR, NULL, &node));
            node->text = row->node->text;
            return place(b, node);
        }
    return kbs_fail_at(&b->at, b->trail, "*%s: no value before this one is called &%s", wanted, wanted);
}

/* --- events ---------------------------------------------------------------------------------- */

static kb_status take(builder *b, const struct fy_event *event) {
    static const char anchored[] = "an anchor (&) names a single value, not a map or list";
    switch (event->type) {
    case FYET_SCALAR:
        move_to(b, event->scalar.value);
        return add_scalar(b, event->scalar.value, event->scalar.tag, event->scalar.anchor);
    case FYET_ALIAS: move_to(b, event->alias.anchor); return add_alias(b, event->alias.anchor);
    case FYET_MAPPING_START:
        move_to(b, event->mapping_start.mapping_start);
        if (event->mapping_start.anchor != NULL)
            return refuse(b, anchored);
        return open_node(b, KBS_YAML_MAP, event->mapping_start.tag);
    case FYET_SEQUENCE_START:
        move_to(b, event->sequence_start.sequence_start);
        if (event->sequence_start.anchor != NULL)
            return refuse(b, anchored);
        return open_node(b, KBS_YAML_LIST, event->sequence_start.tag);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END: b->depth--; return KB_OK;
    default: return KB_OK;
    }
}

/* What libfyaml has to say of a text that it cannot read. */
static kb_status tell(builder *b, struct fy_diag *diag) {
    void *at = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &at);
    if (error == NULL)
        return kbs_fail_at(&b->at, b->trail, "what follows here is no YAML that can be read");
    kbs_origin place = b->at;
    if (error->line > 0 && error->column > 0) {
        place.line = (uint32_t)error->line;
        place.column = (uint32_t)error->column;
    }
    char text[160];
    snprintf(text, sizeof text, "%s", error->msg != NULL ? error->msg : "this is no YAML");
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20)
            *c = ' ';
    return kbs_fail_at(&place, b->trail, "%s", text);
}

static kb_status take_all(builder *b, struct fy_parser *parser, struct fy_diag *diag) {
    for (;;) {
        struct fy_event *event = fy_parser_parse(parser);
        if (event == NULL)
            return tell(b, diag);
        const enum fy_event_type type = event->type;
        const kb_status status = take(b, event);
        fy_parser_event_free(parser, event);
        if (status != KB_OK || type == FYET_STREAM_END)
            return status;
    }
}

static kb_status parse(builder *b, const char *text, size_t size) {
    const struct fy_diag_cfg quiet = {.level = FYET_ERROR, .module_mask = ~0U};
    kb_status status = KB_E_MEMORY;
    struct fy_parser *parser = NULL;
    struct fy_diag *diag = fy_diag_create(&quiet);
    const struct fy_parse_cfg how = {.flags = FYPCF_DISABLE_RECYCLING, .diag = diag};
    if (diag != NULL) {
        fy_diag_set_collect_errors(diag, true);
        parser = fy_parser_create(&how);
    }
    if (parser != NULL && fy_parser_set_string(parser, text, size) == 0)
        status = take_all(b, parser, diag);
    else
        kb_fail(b->trail, status, "out of memory while reading %s", b->name);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    return status;
}

kb_status kbs_yaml_parse(const char *name, const char *text, size_t size, kb_arena *arena,
                         const kbs_yaml **ret, kb_trail *trail) {
    builder b = {
        .name = name, .arena = arena, .trail = trail, .at = {.source = name, .line = 1, .column = 1}};
    KB_TRY(parse(&b, text, size));
    if (b.root == NULL)
        return kbs_fail_at(&b.at, trail, "the file is empty (a line of it is such as `ipcq.slots: 8`)");
    if (b.root->kind != KBS_YAML_MAP)
        return kbs_fail_at(&b.root->at, trail,
                           "settings are expected here, such as `ipcq.slots: 8` (is there a blank behind "
                           "the colon?)");
    *ret = b.root;
    return KB_OK;
}
