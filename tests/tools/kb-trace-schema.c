/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints libkbtrace's wire tables and words, one a line, for tests/equiv/schema.py to hold against the
 * proto: "field PATH NAME TYPE VOCABULARY", PATH being the field numbers from kb.trace.Packet down,
 * and "word VOCABULARY NUMBER NAME".
 */
#include <stdio.h>

#include "wire/schema.h"
#include "words/template.h"

static const char *const types[] = {
    [KB_FIELD_U8] = "uint",
    [KB_FIELD_U16] = "uint",
    [KB_FIELD_U32] = "uint",
    [KB_FIELD_U64] = "uint64",
    [KB_FIELD_BOOL] = "bool",
    [KB_FIELD_ID] = "id",
    [KB_FIELD_DOUBLE] = "double",
    [KB_FIELD_TEXT] = "string",
    [KB_FIELD_DIGEST] = "bytes",
    [KB_FIELD_BYTES] = "bytes",
    [KB_FIELD_PACKED_U32] = "packed uint",
    [KB_FIELD_PACKED_U64] = "packed uint64",
    [KB_FIELD_PACKED_S64] = "packed sint64",
    [KB_FIELD_PACKED_FIXED64] = "packed fixed64",
    [KB_FIELD_MESSAGE] = "message",
    [KB_FIELD_REPEATED] = "repeated message",
};

#define VOCABULARY(NAME) [KB_VOC_##NAME] = #NAME
static const char *const vocabularies[KB_VOC_COUNT] = {
    VOCABULARY(DTYPE),  VOCABULARY(ACCESS), VOCABULARY(POINT),  VOCABULARY(ROLE),   VOCABULARY(SET),
    VOCABULARY(FAMILY), VOCABULARY(FUNC),   VOCABULARY(SPACE),  VOCABULARY(ENGINE), VOCABULARY(PROMISE),
    VOCABULARY(COLL),   VOCABULARY(CUT),    VOCABULARY(REDUCE), VOCABULARY(RECIPE), VOCABULARY(RESOURCE),
    VOCABULARY(BLOCKS), VOCABULARY(KIND),   VOCABULARY(CAUSE),
};

static void print_message(const char *path, const kb_message *message) {
    for (size_t i = 0; i < message->field_count; i++) {
        const kb_field *field = &message->fields[i];
        char inner[64];
        snprintf(inner, sizeof inner, "%s.%u", path, field->number);
        printf("field %s %s %s %s\n", inner, field->name, types[field->type],
               field->vocabulary == 0 ? "-" : vocabularies[field->vocabulary - 1]);
        if (field->message != NULL)
            print_message(inner, field->message);
    }
}

static void print_definitions(void) {
    for (unsigned table = 0; table < KB_TABLE_COUNT; table++) {
        char path[32];
        snprintf(path, sizeof path, "%u.%u", KB_PACKET_DEFINITIONS, table + 1);
        printf("field %s %s repeated message -\n", path, kb_definition_messages[table]->name);
        print_message(path, kb_definition_messages[table]);
    }
    printf("field %u.%u restated bool -\n", KB_PACKET_DEFINITIONS, KB_DEFINITIONS_RESTATED);
}

/* The fields whose loops are written by hand; between GAP and WHY their order is that of kb_class. */
static void print_ops(unsigned packet) {
    static const char *const columns[KB_CLASS_COUNT] = {
        [KB_CLASS_GAP] = "gap",   [KB_CLASS_START] = "start", [KB_CLASS_SENT] = "sent",
        [KB_CLASS_DONE] = "done", [KB_CLASS_PLACE] = "place", [KB_CLASS_CLAIM] = "claim",
        [KB_CLASS_WHY] = "why",
    };
    printf("field %u.%u rank uint -\n", packet, KB_OPS_RANK);
    printf("field %u.%u first uint64 -\n", packet, KB_OPS_FIRST);
    printf("field %u.%u count uint -\n", packet, KB_OPS_COUNT);
    printf("field %u.%u base_ps uint64 -\n", packet, KB_OPS_BASE_PS);
    printf("field %u.%u form packed uint64 -\n", packet, KB_OPS_FORM);
    printf("field %u.%u op packed uint -\n", packet, KB_OPS_OP);
    for (unsigned i = 0; i < KB_CLASS_COUNT; i++)
        printf("field %u.%u %s packed sint64 -\n", packet, KB_OPS_GAP + i, columns[i]);
    printf("field %u.%u payload bytes -\n", packet, KB_OPS_PAYLOAD);
}

static void print_words(void) {
    for (unsigned vocabulary = 0; vocabulary < KB_VOC_COUNT; vocabulary++)
        for (uint32_t value = 0; value < kb_word_limit((kb_vocabulary)vocabulary); value++) {
            const char *name = kb_word_name((kb_vocabulary)vocabulary, value);
            if (name != NULL)
                printf("word %s %u %s\n", vocabularies[vocabulary], value, name);
        }
    printf("word OUTCOME %u complete\n", KB_OUTCOME_COMPLETE);
    printf("word OUTCOME %u deadlock\n", KB_OUTCOME_DEADLOCK);
    printf("word OUTCOME %u interrupted\n", KB_OUTCOME_INTERRUPTED);
    printf("word OUTCOME %u failed\n", KB_OUTCOME_FAILED);
}

int main(void) {
    static const struct {
        unsigned packet;
        const kb_message *message;
    } cold[] = {
        {KB_PACKET_HEADER, &kb_message_header},   {KB_PACKET_TEMPLATES, &kb_message_templates},
        {KB_PACKET_SAMPLES, &kb_message_samples}, {KB_PACKET_INDEX, &kb_message_index},
        {KB_PACKET_FOOTER, &kb_message_footer},
    };
    for (size_t i = 0; i < sizeof cold / sizeof cold[0]; i++) {
        char path[16];
        snprintf(path, sizeof path, "%u", cold[i].packet);
        print_message(path, cold[i].message);
    }
    print_definitions();
    print_ops(KB_PACKET_OPS);
    print_ops(KB_PACKET_LATE);
    print_words();
    return 0;
}
