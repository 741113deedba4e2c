/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target on every file of the folders and files that it is given, in order of name, and on the
 * empty input: so the corpus is a regression test under every compiler. It knows nothing of the target.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static int run_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    uint8_t *data = NULL;
    size_t size_bytes = 0, capacity = 0, got = 0;
    do {
        if (capacity - size_bytes < 65536) {
            capacity = capacity * 2 + 65536;
            uint8_t *grown = realloc(data, capacity);
            if (!grown) {
                abort();
            }
            data = grown;
        }
        got = fread(data + size_bytes, 1, capacity - size_bytes, file);
        size_bytes += got;
    } while (got > 0);
    fclose(file);
    /* An exact copy, so that a sanitizer sees a read one past the end. */
    uint8_t *exact = malloc(size_bytes ? size_bytes : 1);
    if (!exact) {
        abort();
    }
    memcpy(exact, data, size_bytes);
    free(data);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(exact, size_bytes);
    free(exact);
    return 0;
}

static int run_folder(const char *path) {
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    int failed = 0;
    for (int i = 0; i < count; i++) {
        char name[4096];
        int length = snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        struct stat info;
        if (length > 0 && (size_t)length < sizeof name && stat(name, &info) == 0 && S_ISREG(info.st_mode)) {
            failed |= run_file(name);
        }
        free(entries[i]);
    }
    free(entries);
    return failed;
}

int main(int argc, char **argv) {
    int failed = 0;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info) == 0) {
            failed |= S_ISDIR(info.st_mode) ? run_folder(argv[i]) : run_file(argv[i]);
        }
    }
    return failed;
}
