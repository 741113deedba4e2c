/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as files of settings: at each NUL the next one begins, a.yaml, b.yaml, c.yaml. The first is
 * read as a topology, or as a ccl file where the input's first byte is odd. Whatever comes of it: a machine
 * whose values are all in range and can be written and read back, or a failure with a word.
 */
#include <stdlib.h>
#include <string.h>

#include "kbsim/config.h"
#include "kbsim/models.h"
#include "support/fault_fs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* The parser of YAML loses a buffer at some quoted texts; what we lose ourselves is still told. */
const char *__lsan_default_suppressions(void) {
    return "leak:libfyaml.so";
}

static void must(bool holds) {
    if (!holds)
        abort();
}

static void put_files(fault_fs *disk, const uint8_t *data, size_t size) {
    static const char *const names[] = {"a.yaml", "b.yaml", "c.yaml"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const uint8_t *end = i < 2 && size > 0 ? memchr(data, 0, size) : NULL;
        const size_t length = end != NULL ? (size_t)(end - data) : size;
        fault_fs_put(disk, names[i], data, length);
        data += length + (end != NULL);
        size -= length + (end != NULL);
    }
}

/* What is printed is read back as the same; and so are faults, in their order. */
static void check_values(const kbs_machine *machine) {
    kbs_machine again;
    kbs_machine_init(&again);
    for (uint32_t i = 0; i < kbs_param_count(); i++) {
        char value[KBS_VALUE_CHARS];
        const char *path = kbs_param_describe(i)->path;
        must(kbs_machine_set(&again, path, kbs_machine_written(machine, i, value), "set", NULL) == KB_OK);
    }
    must(memcmp(&again.at, &machine->at, sizeof again.at) == 0);
}

static void check_faults(const kbs_machine *machine) {
    kbs_machine again;
    kbs_machine_init(&again);
    for (size_t i = 0; i < machine->fault_count; i++) {
        char path[KBS_FAULT_CHARS], value[KBS_FAULT_CHARS];
        kbs_fault_path(&machine->faults[i], path);
        kbs_fault_value(&machine->faults[i], value);
        must(kbs_machine_set(&again, path, value, "set", NULL) == KB_OK);
        must(again.faults[i].value == machine->faults[i].value && again.fault_count == i + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    fault_fs disk;
    kbs_machine machine;
    kbs_config config;
    kb_trail trail;
    fault_fs_init(&disk);
    put_files(&disk, data + 1, size - 1);
    kb_trail_init(&trail);
    kbs_machine_init(&machine);
    kbs_config_init(&config, &machine, NULL, &disk.fs, NULL);
    const kb_status status = data[0] % 2 != 0 ? kbs_config_ccl(&config, "a.yaml", &trail)
                                              : kbs_config_topology(&config, "a.yaml", &trail);
    must(status == KB_OK || trail.count > 0);
    check_values(&machine);
    if (status == KB_OK && kbs_machine_check(&machine, &trail) != KB_OK)
        must(trail.count > 0);
    check_faults(&machine);
    kbs_models models;
    if (status == KB_OK && kbs_models_open(&machine, &disk.fs, &models, &trail) == KB_OK)
        kbs_models_close(&models);
    kbs_config_fini(&config);
    fault_fs_fini(&disk);
    return 0;
}
