/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a message of any table: the first byte chooses the table, the rest is decoded. What was
 * taken is encoded and decoded again, and must then encode to the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORD_SIZE = 512, ARENA_SIZE = 8 << 20 };

static const kb_message *table(uint8_t number) {
    static const kb_message *const others[] = {&kb_message_header,   &kb_message_templates,
                                               &kb_message_template, &kb_message_samples,
                                               &kb_message_index,    &kb_message_footer};
    size_t count = sizeof others / sizeof others[0];
    size_t at = number % (count + KB_TABLE_COUNT);
    return at < count ? others[at] : kb_definition_messages[at - count];
}

static void must(bool holds) {
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    _Alignas(16) uint8_t record[RECORD_SIZE], again[RECORD_SIZE];
    const kb_message *message = table(data[0]);
    kb_arena arena;
    kb_buffer one, other;
    kb_trail trail;
    kb_trail_init(&trail);
    kb_arena_init(&arena, NULL, ARENA_SIZE);
    kb_buffer_init(&one, kb_alloc_heap());
    kb_buffer_init(&other, kb_alloc_heap());
    must(message->size <= RECORD_SIZE);
    kb_span span = {data + 1, data + size};
    kb_status status = kb_message_decode(message, span, &arena, record, &trail);
    must(status == KB_OK || trail.count > 0);
    if (status == KB_OK && kb_message_encode(message, record, &one, &trail) == KB_OK && one.size > 0) {
        span = (kb_span){one.bytes, one.bytes + one.size};
        status = kb_message_decode(message, span, &arena, again, &trail);
        must(status == KB_OK || status == KB_E_LIMIT);
        if (status == KB_OK) {
            must(kb_message_encode(message, again, &other, &trail) == KB_OK);
            must(one.size == other.size && memcmp(one.bytes, other.bytes, one.size) == 0);
        }
    }
    kb_buffer_fini(&one);
    kb_buffer_fini(&other);
    kb_arena_fini(&arena);
    return 0;
}
