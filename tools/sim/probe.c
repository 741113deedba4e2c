/* SPDX-License-Identifier: Apache-2.0 */
/* kb-sim probe: what transfers take on a machine, beside their closed forms. */
#include "kbsim/probe.h"

#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/time.h"
#include "sim/config.h"

/* --- sizes ----------------------------------------------------------------------------------- */

enum { SIZES_MAX = 64 };

/* "1,4Ki,1Mi"; without any, 1 byte to 1 MiB by x4. */
static kb_status read_sizes(const char *text, uint64_t sizes[SIZES_MAX], size_t *ret, kb_trail *trail) {
    static const uint64_t most_bytes = UINT64_C(1) << 30;
    size_t count = 0;
    if (text == NULL) {
        for (uint64_t size = 1; size <= UINT64_C(1) << 20; size *= 4)
            sizes[count++] = size;
        *ret = count;
        return KB_OK;
    }
    for (const char *at = text;; at++) {
        char word[24];
        const size_t length = strcspn(at, ",");
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        if (count == SIZES_MAX)
            return kb_fail(trail, KB_E_ARGUMENT, "--sizes: more than %d sizes", SIZES_MAX);
        if (length >= sizeof word || !kbt_number(word, &sizes[count]) || sizes[count] == 0 ||
            sizes[count] > most_bytes)
            return kb_fail(trail, KB_E_ARGUMENT,
                           "--sizes: '%.*s' is no number of bytes from 1 to 1Gi (try 1,4Ki,1Mi)", (int)length,
                           at);
        count++;
        at += length;
        if (*at == '\0')
            break;
    }
    *ret = count;
    return KB_OK;
}

/* --- tables ---------------------------------------------------------------------------------- */

/* Bytes a picosecond are TB/s. */
static double gbps_of(uint64_t bytes, int64_t time_ps) {
    return time_ps > 0 ? (double)bytes * 1000 / (double)time_ps : 0;
}

static bool is_same_way(const kbs_probe_row *a, const kbs_probe_row *b) {
    return a->target == b->target && strcmp(a->what, b->what) == 0;
}

static void print_rows(kbt_call *call, const kbs_probe_result *result) {
    for (size_t i = 0; i < result->row_count; i++) {
        const kbs_probe_row *row = &result->rows[i];
        if (i == 0 || !is_same_way(row - 1, row))
            printf("%s%s: %s (%s > %s)\n%12s %16s %10s %16s %12s\n", i > 0 ? "\n" : "", row->what,
                   row->target, row->from, row->to, "bytes", "ps", "GB/s", "form, ps", "difference");
        const int64_t difference_ps = row->took_ps - row->form_ps;
        printf("%12" PRIu64 " %16" PRId64 " %10.3f %16" PRId64 " %s%12" PRId64 "%s\n", row->size_bytes,
               row->took_ps, gbps_of(row->size_bytes, row->took_ps), row->form_ps,
               kbt_paint(call, stdout, difference_ps != 0 ? KBT_RED : KBT_PLAIN), difference_ps,
               kbt_paint(call, stdout, KBT_PLAIN));
    }
}

static void print_crowds(const kbs_probe_result *result) {
    if (result->crowd_count > 0)
        printf("\n%-38s %6s %12s %16s %10s %13s %10s %8s\n", "at once", "PEs", "bytes", "ps", "GB/s",
               "channels GB/s", "PEs GB/s", "fairness");
    for (size_t i = 0; i < result->crowd_count; i++) {
        const kbs_probe_crowd *crowd = &result->crowds[i];
        printf("%-38s %6u %12" PRIu64 " %16" PRId64 " %10.1f %13.1f %10.1f %8.3f\n", crowd->what, crowd->pes,
               crowd->size_bytes, crowd->took_ps, gbps_of(crowd->size_bytes, crowd->took_ps),
               crowd->channels_gbps, crowd->ports_gbps, (double)crowd->first_ps / (double)crowd->last_ps);
    }
}

static void print_text(kbt_call *call, const kbs_probe_result *result) {
    print_rows(call, result);
    print_crowds(result);
    printf("\n%zu transfers, of which %zu differ from their closed form", result->row_count,
           result->different);
    if (result->left_out > 0)
        printf("; %zu were left out: no room in a memory, or no closed form", result->left_out);
    printf("\n");
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void print_json(const kbs_probe_result *result) {
    kbt_json json;
    kbt_json_init(&json, stdout);
    kbt_json_begin(&json, NULL, '{');
    kbt_json_int(&json, "version", 1);
    kbt_json_begin(&json, "transfers", '[');
    for (size_t i = 0; i < result->row_count; i++) {
        const kbs_probe_row *row = &result->rows[i];
        kbt_json_begin(&json, NULL, '{');
        kbt_json_text(&json, "what", row->what);
        kbt_json_text(&json, "target", row->target);
        kbt_json_text(&json, "from", row->from);
        kbt_json_text(&json, "to", row->to);
        kbt_json_uint(&json, "bytes", row->size_bytes);
        kbt_json_int(&json, "time_ps", row->took_ps);
        kbt_json_int(&json, "form_ps", row->form_ps);
        kbt_json_int(&json, "difference_ps", row->took_ps - row->form_ps);
        kbt_json_real(&json, "gbps", gbps_of(row->size_bytes, row->took_ps));
        kbt_json_end(&json);
    }
    kbt_json_end(&json);
    kbt_json_begin(&json, "at_once", '[');
    for (size_t i = 0; i < result->crowd_count; i++) {
        const kbs_probe_crowd *crowd = &result->crowds[i];
        kbt_json_begin(&json, NULL, '{');
        kbt_json_text(&json, "what", crowd->what);
        kbt_json_uint(&json, "pes", crowd->pes);
        kbt_json_uint(&json, "slices", crowd->slices);
        kbt_json_uint(&json, "bytes", crowd->size_bytes);
        kbt_json_int(&json, "time_ps", crowd->took_ps);
        kbt_json_int(&json, "first_done_ps", crowd->first_ps);
        kbt_json_int(&json, "last_done_ps", crowd->last_ps);
        kbt_json_real(&json, "gbps", gbps_of(crowd->size_bytes, crowd->took_ps));
        kbt_json_real(&json, "channels_gbps", crowd->channels_gbps);
        kbt_json_real(&json, "pes_gbps", crowd->ports_gbps);
        kbt_json_end(&json);
    }
    kbt_json_end(&json);
    kbt_json_uint(&json, "different", result->different);
    kbt_json_uint(&json, "left_out", result->left_out);
    kbt_json_uint(&json, "events", result->events);
    kbt_json_end(&json);
}

/* --- the command ----------------------------------------------------------------------------- */

static kb_status probe(const kbt_call *call, sim_setup *setup, kbs_probe_result *ret, kb_trail *trail) {
    const sim_probe_values *values = call->values;
    uint64_t sizes[SIZES_MAX];
    kbs_probe_options options = {.machine = &setup->machine,
                                 .pe = (uint32_t)values->pe,
                                 .sizes = sizes,
                                 .alone = values->alone,
                                 .log = &call->log};
    KB_TRY(read_sizes(values->sizes, sizes, &options.size_count, trail));
    KB_TRY(sim_setup_init(setup, call, &values->config, trail));
    KB_TRY(kbs_machine_check(&setup->machine, trail));
    return kbs_probe(&options, ret, trail);
}

int sim_probe(kbt_call *call) {
    sim_setup setup;
    kbs_probe_result result;
    kb_trail trail;
    kb_trail_init(&trail);
    memset(&setup, 0, sizeof setup);
    const kb_status status = probe(call, &setup, &result, &trail);
    sim_setup_fini(&setup);
    if (status != KB_OK)
        return kbt_fail(call, &trail);
    if (call->common->json)
        print_json(&result);
    else if (!call->common->quiet)
        print_text(call, &result);
    const bool differs = result.different > 0;
    kbs_probe_fini(&result);
    return differs ? KBT_NEGATIVE : KBT_FINE;
}
