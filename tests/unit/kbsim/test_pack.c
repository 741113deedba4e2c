/* SPDX-License-Identifier: Apache-2.0 */
/* Packed bytes come back as they were, whatever they are; and loops take little. */
#include <string.h>

#include "support/check.h"
#include "support/random.h"

#include "record/pack.h"

static size_t pack_and_back(const uint8_t *bytes, size_t size) {
    uint8_t packed[KBS_PACKED_BYTES], again[KBS_PACK_BYTES + 1];
    const size_t packed_size = kbs_pack(bytes, size, packed);
    assert_in_range(packed_size, 1, KBS_PACKED_BYTES);
    again[size] = 0xA5;
    kbs_unpack(packed, size, again);
    assert_memory_equal(again, bytes, size);
    assert_int_equal(again[size], 0xA5);
    return packed_size;
}

/* Of few or many values, with pieces said again from near and far, as long as they may be and shorter. */
static void draws_come_back(void **state) {
    (void)state;
    random_source random;
    random_init(&random, 11);
    for (int draw = 0; draw < 2000; draw++) {
        uint8_t bytes[KBS_PACK_BYTES];
        const size_t size = draw % 5 == 0 ? KBS_PACK_BYTES : 1 + random_below(&random, KBS_PACK_BYTES);
        const uint64_t values = 1 + random_below(&random, draw % 3 == 0 ? 256 : 3);
        for (size_t at = 0; at < size;) {
            const size_t left = size - at, wanted = 1 + random_below(&random, 200);
            const size_t count = wanted < left ? wanted : left;
            const size_t back = at == 0 || random_below(&random, 2) == 0 ? 0 : 1 + random_below(&random, at);
            for (size_t i = 0; i < count; i++, at++)
                bytes[at] = back > 0 ? bytes[at - back] : (uint8_t)random_below(&random, values);
        }
        pack_and_back(bytes, size);
    }
}

static void loops_take_little(void **state) {
    (void)state;
    uint8_t bytes[KBS_PACK_BYTES];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % 83 * 37);
    assert_in_range(pack_and_back(bytes, sizeof bytes), 83, 100);
}

static void noise_takes_no_more_than_there_is_room(void **state) {
    (void)state;
    random_source random;
    random_init(&random, 12);
    uint8_t bytes[KBS_PACK_BYTES];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)random_below(&random, 256);
    assert_in_range(pack_and_back(bytes, sizeof bytes), KBS_PACK_BYTES, KBS_PACKED_BYTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_come_back),
        cmocka_unit_test(loops_take_little),
        cmocka_unit_test(noise_takes_no_more_than_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
