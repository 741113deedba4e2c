/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every fallible call of kb returns, and the trail of words that explains it.
 *
 * A function that can fail returns a kb_status and takes a kb_trail as its last argument. Whoever
 * finds the trouble writes the first entry (what, where, why, what to try); each caller on the way
 * up may add what it was doing. Nothing is printed here: a tool decides what its user sees.
 * A trail lives in its owner's storage and never allocates, so running out of memory can be told.
 */
#ifndef KBTRACE_STATUS_H
#define KBTRACE_STATUS_H

#include <stdarg.h>
#include <stddef.h>

#define KB_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define KB_MUST_USE __attribute__((warn_unused_result))

typedef enum kb_status {
    KB_OK = 0,
    KB_END,           /* a cursor has no more ops: not a failure, no trail entry */
    KB_E_ARGUMENT,    /* the caller asked for what cannot be: a bad option, an unknown name */
    KB_E_MEMORY,      /* an allocation failed */
    KB_E_LIMIT,       /* input asks for more than the limits that the caller set */
    KB_E_IO,          /* the system refused: no such file, disk full, device error */
    KB_E_CORRUPT,     /* the bytes are damaged or are not a trace */
    KB_E_INCOMPLETE,  /* a trace ends before its footer; what was whole before is usable */
    KB_E_VERSION,     /* a trace of a version that this build does not know */
    KB_E_UNSUPPORTED, /* well-formed, but not something that this build can do */
    KB_E_PROGRAM,     /* the user's program is wrong: a kernel, an algorithm, a host program */
    KB_E_DEADLOCK,    /* a simulated program can never finish */
    KB_E_INTERRUPTED, /* stopped on request: ^C, --max-time */
    KB_STATUS_COUNT
} kb_status;

/* "corrupt", "out of memory": for a reader, never for parsing. */
const char *kb_status_name(kb_status status);

/* --- the trail -------------------------------------------------------------------------------- */

#define KB_TRAIL_ENTRIES 8
#define KB_TRAIL_CHARS 384

typedef struct kb_trail {
    kb_status status; /* of the first entry; KB_OK while the trail is empty */
    unsigned count;   /* entries in use; entry 0 is the cause, the last the outermost caller */
    unsigned dropped; /* entries that found no room */
    char text[KB_TRAIL_ENTRIES][KB_TRAIL_CHARS];
} kb_trail;

void kb_trail_init(kb_trail *trail);

/* Starts the trail anew with its cause and returns `status`. NULL trails are allowed everywhere. */
kb_status kb_fail(kb_trail *trail, kb_status status, const char *format, ...) KB_PRINTF(3, 4);
kb_status kb_vfail(kb_trail *trail, kb_status status, const char *format, va_list args) KB_PRINTF(3, 0);

/* Adds what the caller was doing to a trail that has a cause, and returns `status` unchanged. */
kb_status kb_while(kb_trail *trail, kb_status status, const char *format, ...) KB_PRINTF(3, 4);

/* Joins the entries, cause first, with ": while " between them, into `buffer`; always terminated. */
const char *kb_trail_text(const kb_trail *trail, char *buffer, size_t buffer_size);

/* Leaves the function with the first status that is not KB_OK. */
#define KB_TRY(call)                       \
    do {                                   \
        kb_status kb_try_status_ = (call); \
        if (kb_try_status_ != KB_OK)       \
            return kb_try_status_;         \
    } while (0)

#endif
