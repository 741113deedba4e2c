/* SPDX-License-Identifier: Apache-2.0 */
/* Showing how far a replay is; see progress.h. */
#include "replay/progress.h"

#include <inttypes.h>

#include "common/time.h"

enum { TIMES_A_SECOND = 5 };

static void begin(kbt_progress *it, double now_s) {
    it->begin_s = it->shown_s = now_s;
    it->last = 0;
}

static void show(const kbt_progress *it, double spent_s) {
    fprintf(stderr, "\r%s: ", it->doing);
    double share = it->all != 0 ? (double)it->last / (double)it->all : 0;
    if (it->all != 0)
        fprintf(stderr, "%.0f%% of ", share < 1 ? 100 * share : 100.0);
    double rate = (double)it->last * 1e-3 / spent_s;
    bool fast = rate >= 1000;
    fprintf(stderr, "%" PRIu64 " ops (%.*f %s/s)", it->all != 0 ? it->all : it->last, fast ? 1 : 0,
            fast ? rate * 1e-3 : rate, fast ? "M" : "k");
    if (share > 0.01 && share < 1) {
        fprintf(stderr, ", about ");
        kbt_print_duration(stderr, spent_s / share * (1 - share));
        fprintf(stderr, " left");
    }
    fprintf(stderr, "\033[K");
}

static bool tell(void *user, uint64_t ops) {
    kbt_progress *it = user;
    double now_s = kbt_seconds_now();
    if (ops < it->last) { /* a wrong value is followed back through the ops that made it */
        it->doing = "tracing back";
        begin(it, now_s);
    }
    it->last = ops;
    if (now_s - it->shown_s < 1.0 / TIMES_A_SECOND)
        return true;
    it->shown_s = now_s;
    it->shown = true;
    show(it, now_s - it->begin_s);
    return true;
}

kbr_progress kbt_progress_begin(kbt_progress *progress, const kbt_call *call, const char *doing,
                                uint64_t all) {
    *progress = (kbt_progress){.doing = doing, .all = all};
    begin(progress, kbt_seconds_now());
    return kbt_shows_progress(call) ? (kbr_progress){tell, progress} : (kbr_progress){NULL, NULL};
}

void kbt_progress_end(kbt_progress *progress) {
    if (progress->shown)
        fprintf(stderr, "\r\033[K");
    progress->shown = false;
}
