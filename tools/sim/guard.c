/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, a clock and a bound on memory around users' code; see guard.h. */
#include "sim/guard.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "sim/run.h"
#include "sim/time.h"

enum {
    MOST_COMMANDS = 20000000, /* in a few seconds; of what ends, no PE records a tenth of it */
    TICK_MS = 100,
    FAILED_TICKS = 10, /* of a program that goes on after its mistake: what it does counts no more */
    REFUSED_TICKS = 2,
    INTERRUPTED_TICKS = 5, /* in which a run that still goes on would have seen it by itself */
    STACK_BYTES = 1 << 16,
    GAP_BYTES = 1 << 27, /* that Linux leaves free below the stack at least */
    TEXT_CHARS = 4096
};

static const struct {
    int number;
    const char *name, *what;
} crashes[] = {
    {SIGSEGV, "SIGSEGV", "it used memory that is not its own"},
    {SIGBUS, "SIGBUS", "it used memory that is not there"},
    {SIGFPE, "SIGFPE", "it divided a whole number by zero, or overflowed one"},
    {SIGILL, "SIGILL", "it ran into what is no instruction, as the end of a function without its return"},
    {SIGABRT, "SIGABRT", "it called abort(), by an assert perhaps"},
    {SIGTRAP, "SIGTRAP", "it ran into a breakpoint"},
};
enum { CRASHES = sizeof crashes / sizeof crashes[0] };

/* Signal handlers cannot be handed anything: what they need is here, and theirs alone. */
static struct guard {
    kbs_recording recording;
    kb_alloc alloc;
    uint64_t most_bytes, used_bytes;
    bool is_refused; /* an allocation, by that bound */
    const char *lead, *timeout;
    const char *object, *folder; /* see sim_guard_removes() */
    int64_t most_ticks;          /* without anything new; 0: any */
    int64_t still_ticks, failed_ticks, interrupted_ticks;
    uint64_t progress;
    const char *stack_top;
    size_t stack_bytes;
    volatile sig_atomic_t is_telling;
    bool is_ready;
    struct sigaction before[CRASHES];
} guard;

static unsigned char handler_stack[STACK_BYTES];

/* --- words, by nothing that a handler may not do ---------------------------------------------- */

typedef struct words {
    char text[TEXT_CHARS];
    size_t length;
} words;

static void add(words *to, const char *text) {
    while (*text != '\0' && to->length < TEXT_CHARS - 2)
        to->text[to->length++] = *text++;
}

static void add_number(words *to, uint64_t number, unsigned base) {
    char digits[24];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do
        digits[--at] = "0123456789abcdef"[number % base];
    while ((number /= base) > 0);
    add(to, digits + at);
}

/* "mine.c:31: algorithm mine, rank 3: " */
static void add_place(words *to, const kbs_recording_place *place) {
    if (place->file != NULL) {
        add(to, place->file);
        add(to, ":");
        add_number(to, place->line, 10);
        add(to, ": ");
    }
    add(to, place->what);
    add(to, " ");
    add(to, place->name != NULL ? place->name : "?");
    add(to, ", rank ");
    add_number(to, place->rank, 10);
    add(to, ": ");
}

static void add_start(words *to, kbs_recording_place *ret_place, bool *ret_is_placed) {
    *ret_is_placed = kbs_recording_look(&guard.recording, ret_place);
    add(to, guard.lead);
    if (*ret_is_placed)
        add_place(to, ret_place);
    else {
        add(to, guard.recording.sources);
        add(to, ": ");
    }
}

/* When: after the line above, before there was one, or while the dynamic linker ran constructors. */
static void add_when(words *to, const kbs_recording_place *place, bool is_placed) {
    if (guard.recording.stage == KBS_FOREIGN_LOADS)
        add(to, " while it was loaded");
    else if (guard.recording.stage == KBS_FOREIGN_UNLOADS)
        add(to, " while it was unloaded, after all else");
    else if (!is_placed)
        add(to, " while it was asked for its program");
    else
        add(to, place->file != NULL ? " after the command of this line" : " before its first command");
}

static _Noreturn void end(words *said, int exit_status) {
    add(said, "\n");
    for (size_t done = 0; done < said->length;) {
        const ssize_t count = write(STDERR_FILENO, said->text + done, said->length - done);
        if (count <= 0)
            break;
        done += (size_t)count;
    }
    if (guard.object != NULL && *guard.object != '\0') {
        unlink(guard.object);
        rmdir(guard.folder);
    }
    _exit(exit_status);
}

/* --- crashes --------------------------------------------------------------------------------- */

static bool is_stack_full(const siginfo_t *info) {
    const char *at = info->si_addr;
    return info->si_signo == SIGSEGV && guard.stack_bytes > 0 && at < guard.stack_top &&
           at > guard.stack_top - guard.stack_bytes - GAP_BYTES;
}

static size_t row_of(int number) {
    size_t row = 0;
    while (row < CRASHES - 1 && crashes[row].number != number)
        row++;
    return row;
}

/* Of our own code, or of a handler that found memory in ruins: what would have been without us. */
static void give_back(int number) {
    sigaction(number, &guard.before[row_of(number)], NULL);
}

static void on_crash(int number, siginfo_t *info, void *context) {
    static words said;
    kbs_recording_place place;
    bool is_placed;
    (void)context;
    if (guard.recording.stage == KBS_FOREIGN_NOT) {
        give_back(number);
        if (info->si_code <= 0) /* sent, not caused: it would not come again */
            raise(number);
        return;
    }
    said.length = 0;
    if (guard.is_telling++ > 0) {
        add(&said, guard.lead);
        add(&said, guard.recording.sources);
        add(&said, ": it crashed, and has overwritten memory of kb-sim before");
        end(&said, KBT_TROUBLE);
    }
    const size_t row = row_of(number);
    add_start(&said, &place, &is_placed);
    add(&said, "it crashed");
    add_when(&said, &place, is_placed);
    add(&said, " (");
    add(&said, crashes[row].name);
    add(&said, ": ");
    if (is_stack_full(info)) {
        add(&said, "its stack is full, by calls without end or by a large array");
    } else {
        add(&said, crashes[row].what);
        if (number == SIGSEGV || number == SIGBUS) {
            add(&said, ", at address 0x");
            add_number(&said, (uint64_t)(uintptr_t)info->si_addr, 16);
        }
    }
    add(&said, guard.recording.stage == KBS_FOREIGN_UNLOADS ? ")" : "); no trace is written");
    end(&said, KBT_TROUBLE);
}

/* exit() or quick_exit() of a user's code: a run that ended so would look like one that is fine. */
static void on_exit_called(void) {
    static words said;
    kbs_recording_place place;
    bool is_placed;
    if (guard.recording.stage == KBS_FOREIGN_NOT)
        return;
    said.length = 0;
    add_start(&said, &place, &is_placed);
    add(&said, "it called exit()");
    add_when(&said, &place, is_placed);
    add(&said, ": a program ends by returning");
    end(&said, KBT_TROUBLE);
}

/* --- what never returns ------------------------------------------------------------------------ */

static _Noreturn void tell_stillness(const kbs_recording_place *place, bool is_placed) {
    static words said;
    kbs_recording_place again;
    said.length = 0;
    add_start(&said, &again, &is_placed);
    add(&said, "it has recorded nothing for ");
    add(&said, guard.timeout);
    add_when(&said, place, is_placed);
    add(&said, ", and does not return: does a loop never end? (--record-timeout) No trace is written");
    end(&said, KBT_TROUBLE);
}

static _Noreturn void tell_refusal(const kbs_recording_place *place) {
    static words said;
    said.length = 0;
    add(&said, guard.lead);
    add_place(&said, place);
    add(&said, "it records more than --record-memory allows (");
    add_number(&said, guard.most_bytes >> 20U, 10);
    add(&said, " MiB), and does not return: does a loop never end? No trace is written");
    end(&said, KBT_TROUBLE);
}

static _Noreturn void tell_interrupt(const kbs_recording_place *place, bool is_placed) {
    static words said;
    said.length = 0;
    add(&said, guard.lead);
    if (is_placed)
        add_place(&said, place);
    add(&said, "interrupted while it recorded; no trace is written");
    end(&said, KBT_NEGATIVE);
}

/* A mistake, after which all calls do nothing, in a program that calls on. */
static _Noreturn void tell_failure(const kb_trail *trail) {
    static words said;
    said.length = 0;
    add(&said, guard.lead);
    for (unsigned i = 0; i < trail->count; i++) {
        add(&said, i > 0 ? ": while " : "");
        add(&said, trail->text[i]);
    }
    add(&said, "; and it goes on, and does not return");
    end(&said, KBT_TROUBLE);
}

/* Ticks are counted, not time: of a tool that was stopped (^Z) for an hour one tick is missing. */
static void on_tick(int number) {
    kbs_recording_place place;
    (void)number;
    if (guard.recording.stage == KBS_FOREIGN_NOT || guard.is_telling > 0)
        return;
    const bool is_placed = kbs_recording_look(&guard.recording, &place);
    const uint64_t progress = is_placed ? place.progress : 0;
    guard.still_ticks = progress == guard.progress ? guard.still_ticks + 1 : 0;
    guard.progress = progress;
    guard.failed_ticks = is_placed && place.trail != NULL ? guard.failed_ticks + 1 : 0;
    if (sim_was_interrupted() && ++guard.interrupted_ticks >= INTERRUPTED_TICKS)
        tell_interrupt(&place, is_placed);
    if (guard.failed_ticks >= REFUSED_TICKS && guard.is_refused)
        tell_refusal(&place);
    if (guard.failed_ticks >= FAILED_TICKS)
        tell_failure(place.trail);
    if (guard.most_ticks > 0 && guard.still_ticks >= guard.most_ticks)
        tell_stillness(&place, is_placed);
}

/* --- a bound on memory ------------------------------------------------------------------------- */

/* Counts while users' code records, which one thread does. */
static void *resize(void *context, void *old, size_t old_size, size_t new_size) {
    const kb_alloc *heap = kb_alloc_heap();
    (void)context;
    if (guard.recording.stage == KBS_FOREIGN_RECORDS) {
        if (new_size > old_size && new_size - old_size > guard.most_bytes - guard.used_bytes) {
            guard.is_refused = true;
            return NULL;
        }
        const uint64_t kept = guard.used_bytes > old_size ? guard.used_bytes - old_size : 0;
        guard.used_bytes = kept + new_size;
    }
    return heap->resize(heap->context, old, old_size, new_size);
}

static uint64_t standard_bytes(void) {
    const uint64_t most = UINT64_C(4) << 30;
    const long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page_bytes <= 0)
        return most;
    const uint64_t half = (uint64_t)pages / 2 * (uint64_t)page_bytes;
    return half < most ? half : most;
}

/* --- begin and end ----------------------------------------------------------------------------- */

static void catch_crashes(void) {
    const stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    sigaltstack(&stack, NULL);
    action.sa_sigaction = on_crash;
    action.sa_flags = (int)(SA_SIGINFO | SA_ONSTACK | SA_NODEFER);
    for (size_t i = 0; i < CRASHES; i++)
        sigaction(crashes[i].number, &action, &guard.before[i]);
    memset(&action, 0, sizeof action);
    action.sa_handler = on_tick;
    action.sa_flags = (int)(SA_ONSTACK | SA_RESTART);
    sigaction(SIGALRM, &action, NULL);
}

static void tick_every(long ms) {
    const struct itimerval every = {{ms / 1000, ms % 1000 * 1000}, {ms / 1000, ms % 1000 * 1000}};
    setitimer(ITIMER_REAL, &every, NULL);
}

static kb_status read_timeout(const char *text, kb_trail *trail) {
    int64_t most_ps = 0;
    guard.timeout = text != NULL ? text : "60s";
    if (strcmp(guard.timeout, "0") != 0)
        KB_TRY(sim_read_time("--record-timeout", guard.timeout, &most_ps, trail));
    const int64_t tick_ps = INT64_C(1000000000) * TICK_MS;
    guard.most_ticks = most_ps / tick_ps + (most_ps % tick_ps != 0);
    return KB_OK;
}

/* "kb-sim: error: ", in its colours. */
static kb_status make_lead(const kbt_call *call, kb_trail *trail) {
    char lead[128];
    snprintf(lead, sizeof lead, "%s: %serror:%s ", call->tool->name, kbt_paint(call, stderr, KBT_RED),
             kbt_paint(call, stderr, KBT_PLAIN));
    return kb_arena_text(call->arena, lead, strlen(lead), &guard.lead, trail);
}

kb_status sim_guard_begin(const kbt_call *call, const sim_guard_values *values, kbs_run_options *options,
                          kb_trail *trail) {
    struct rlimit stack;
    KB_TRY(read_timeout(values->timeout, trail));
    KB_TRY(make_lead(call, trail));
    guard.recording = (kbs_recording){0};
    guard.alloc = (kb_alloc){resize, NULL};
    guard.most_bytes = values->memory_bytes > 0 ? values->memory_bytes : standard_bytes();
    guard.used_bytes = 0;
    guard.is_refused = false;
    guard.still_ticks = guard.failed_ticks = guard.interrupted_ticks = 0;
    guard.stack_top = __builtin_frame_address(0);
    guard.stack_bytes =
        getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur != RLIM_INFINITY ? (size_t)stack.rlim_cur : 0;
    if (!guard.is_ready && (atexit(on_exit_called) != 0 || at_quick_exit(on_exit_called) != 0))
        return kb_fail(trail, KB_E_MEMORY, "the system takes no function to call at exit");
    guard.is_ready = true;
    catch_crashes();
    tick_every(TICK_MS);
    options->recording = &guard.recording;
    options->most_commands = values->commands > 0 ? values->commands : MOST_COMMANDS;
    options->alloc = &guard.alloc;
    return KB_OK;
}

void sim_guard_removes(const char *object, const char *folder) {
    guard.object = object;
    guard.folder = folder;
}

void sim_guard_end(kb_status status, kb_trail *trail) {
    tick_every(0);
    sim_guard_removes(NULL, NULL);
    for (size_t i = 0; i < CRASHES; i++)
        give_back(crashes[i].number);
    if (status != KB_OK && guard.is_refused)
        kb_while(trail, status,
                 "recording more than --record-memory allows (does a loop record without end?)");
}
