/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON object a line, as docs/export.md says. Integers are written with all their digits. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/json.h"
#include "export/export.h"
#include "kbtrace/visit.h"

/* --- pieces -------------------------------------------------------------------------------------- */

static void put_word(kbt_json *json, const char *key, kb_vocabulary vocabulary, uint32_t value) {
    const char *name = kb_word_name(vocabulary, value);
    if (name != NULL)
        kbt_json_text(json, key, name);
    else
        kbt_json_uint(json, key, value);
}

static void put_id(kbt_json *json, const char *key, uint32_t id) {
    if (id == KB_NONE)
        kbt_json_null(json, key);
    else
        kbt_json_uint(json, key, id);
}

static void put_string(kbt_json *json, const char *key, const kb_defs *defs, uint32_t string) {
    kbt_json_text(json, key, string == KB_NONE ? NULL : kb_defs_text(defs, string));
}

static void put_digest(kbt_json *json, const char *key, const kb_digest *digest) {
    kbt_json_hex(json, key, digest->bytes, sizeof digest->bytes);
}

/* --- definitions, through the visitor -------------------------------------------------------------- */

/* The line's own id stands first; a row that has a field of that name is a counter. */
static const char *key_of(const char *name) {
    return name != NULL && strcmp(name, "id") == 0 ? "on_id" : name;
}

static void visit_number(void *user, const char *name, uint64_t number) {
    kbt_json_uint(user, key_of(name), number);
}

static void visit_integer(void *user, const char *name, int64_t number) {
    kbt_json_int(user, name, number);
}

static void visit_real(void *user, const char *name, double number) {
    if (isfinite(number))
        kbt_json_real(user, name, number);
    else
        kbt_json_text(user, name, isnan(number) ? "nan" : number > 0 ? "inf" : "-inf");
}

static void visit_truth(void *user, const char *name, bool truth) {
    kbt_json_bool(user, name, truth);
}

static void visit_nothing(void *user, const char *name) {
    kbt_json_null(user, name);
}

static void visit_word(void *user, const char *name, kb_vocabulary vocabulary, uint32_t value) {
    put_word(user, name, vocabulary, value);
}

static void visit_text(void *user, const char *name, const char *text) {
    kbt_json_text(user, name, text);
}

static void visit_bytes(void *user, const char *name, const uint8_t *bytes, size_t size) {
    kbt_json_hex(user, name, bytes, size);
}

static void visit_begin(void *user, const char *name, bool list) {
    kbt_json_begin(user, name, list ? '[' : '{');
}

static void visit_end(void *user) {
    kbt_json_end(user);
}

static kb_visitor visitor_of(kbt_json *json) {
    return (kb_visitor){json,       visit_number, visit_integer, visit_real,  visit_truth, visit_nothing,
                        visit_word, visit_text,   visit_bytes,   visit_begin, visit_end};
}

static void begin_line(kbt_json *json, const char *type) {
    kbt_json_begin(json, NULL, '{');
    kbt_json_text(json, "type", type);
}

static kb_status begin(kbt_export *it, kb_trail *trail) {
    void *block;
    KB_TRY(kb_arena_new(it->arena, sizeof(kbt_json), &block, trail));
    it->state = block;
    kbt_json *json = block;
    kbt_json_init(json, it->out);
    const kb_visitor visitor = visitor_of(json);
    begin_line(json, "run");
    kb_run_visit(it->run, &visitor);
    kbt_json_end(json);
    for (size_t table = 0; table < kb_defs_table_count(); table++)
        for (size_t row = 0; row < kb_defs_row_count(it->defs, table); row++) {
            begin_line(json, kb_defs_table_name(table));
            kbt_json_uint(json, "id", row);
            kb_defs_visit(it->defs, table, row, &visitor);
            kbt_json_end(json);
        }
    return KB_OK;
}

/* --- ops --------------------------------------------------------------------------------------------- */

static void put_flags(kbt_json *json, uint32_t flags) {
    static const char *const names[] = {"accumulate", "transpose_a", "transpose_b", "round"};
    kbt_json_begin(json, "flags", '[');
    for (uint32_t rest = flags; rest != 0; rest &= rest - 1) {
        const unsigned bit = (unsigned)__builtin_ctz(rest);
        char other[8];
        snprintf(other, sizeof other, "bit%u", bit);
        kbt_json_text(json, NULL, bit < sizeof names / sizeof names[0] ? names[bit] : other);
    }
    kbt_json_end(json);
}

static void put_operands(kbt_json *json, const kb_op *op) {
    const kb_template *what = op->what;
    const kb_kind_info *info = kb_kind_describe(what->kind);
    kbt_json_begin(json, "operands", '[');
    for (uint32_t i = 0; i < what->operand_count; i++) {
        const kb_operand *operand = &what->operands[i];
        const kb_role *role = info != NULL ? kb_kind_role(info, i) : NULL;
        kbt_json_begin(json, NULL, '{');
        kbt_json_text(json, "name", role != NULL ? role->name : NULL);
        kbt_json_uint(json, "memory", operand->memory);
        kbt_json_uint(json, "offset", op->offsets[i]);
        put_word(json, "access", KB_VOC_ACCESS, operand->access);
        put_word(json, "dtype", KB_VOC_DTYPE, operand->dtype);
        kbt_json_begin(json, "shape", '[');
        for (uint32_t d = 0; d < operand->dims; d++)
            kbt_json_uint(json, NULL, operand->shape[d]);
        kbt_json_end(json);
        kbt_json_begin(json, "stride", '[');
        for (uint32_t d = 0; d < operand->dims; d++)
            kbt_json_int(json, NULL, operand->stride[d]);
        kbt_json_end(json);
        kbt_json_end(json);
    }
    kbt_json_end(json);
}

static void put_claims(kbt_json *json, const kb_op *op) {
    const kb_template *what = op->what;
    kbt_json_begin(json, "claims", '[');
    for (uint32_t i = 0; i < what->claim_count; i++) {
        const kb_claim *claim = &what->claims[i];
        kbt_json_begin(json, NULL, '{');
        put_word(json, "role", KB_VOC_ROLE, claim->role);
        kbt_json_uint(json, "rank", claim->rank);
        if (claim->set == KB_SET_ONE)
            kbt_json_uint(json, "op", op->claimed[i]);
        else
            kbt_json_null(json, "op");
        put_word(json, "point", KB_VOC_POINT, claim->point);
        put_word(json, "set", KB_VOC_SET, claim->set);
        kbt_json_end(json);
    }
    kbt_json_end(json);
}

/* The trace's own table comes first: it names causes that are newer than this build. */
static void put_cause(kbt_json *json, const kb_defs *defs, uint32_t cause) {
    for (size_t i = 0; i < defs->cause_count; i++)
        if (defs->causes[i].cause == cause) {
            kbt_json_text(json, "cause", defs->causes[i].name);
            return;
        }
    put_word(json, "cause", KB_VOC_CAUSE, cause);
}

static void put_whys(kbt_json *json, const kb_defs *defs, const kb_op *op) {
    const kb_template *what = op->what;
    kbt_json_begin(json, "why", '[');
    for (uint32_t i = 0; i < what->why_count; i++) {
        const kb_blame *blame = &op->blames[i];
        kbt_json_begin(json, NULL, '{');
        put_cause(json, defs, what->whys[i].cause);
        kbt_json_int(json, "ps", blame->ps);
        put_word(json, "resource", KB_VOC_RESOURCE, what->whys[i].resource);
        put_id(json, "id", blame->resource);
        if (what->whys[i].blames != 0) {
            kbt_json_begin(json, "blames", '{');
            kbt_json_uint(json, "rank", blame->rank);
            kbt_json_uint(json, "op", blame->op);
            kbt_json_end(json);
        } else {
            kbt_json_null(json, "blames");
        }
        kbt_json_end(json);
    }
    kbt_json_end(json);
}

static void put_immediates(kbt_json *json, const kb_template *what) {
    kbt_json_begin(json, "immediates", '[');
    for (uint32_t i = 0; i < what->immediate_count; i++) {
        char text[24];
        snprintf(text, sizeof text, "0x%016" PRIx64, what->immediates[i]);
        kbt_json_text(json, NULL, text);
    }
    kbt_json_end(json);
}

static void put_shared(kbt_json *json, const kb_defs *defs, const kb_op *op) {
    const kb_template *what = op->what;
    put_word(json, "blocks", KB_VOC_BLOCKS, what->blocks);
    put_word(json, "reached", KB_VOC_POINT, what->reached);
    put_id(json, "engine", what->engine);
    put_id(json, "queue", what->queue);
    put_id(json, "route", what->route);
    put_id(json, "group", what->group);
    if (what->func != 0)
        put_word(json, "func", KB_VOC_FUNC, what->func);
    else
        kbt_json_null(json, "func");
    put_flags(json, what->flags);
    put_string(json, "step", defs, what->step);
    kbt_json_uint(json, "step_number", op->step);
    put_string(json, "kernel", defs, what->kernel);
    put_string(json, "file", defs, what->file);
    kbt_json_uint(json, "line", what->line);
}

static kb_status put_op(kbt_export *it, uint32_t rank, const kb_op *op, kb_trail *trail) {
    kbt_json *json = it->state;
    (void)trail;
    begin_line(json, "op");
    kbt_json_uint(json, "rank", rank);
    kbt_json_uint(json, "index", op->index);
    put_word(json, "kind", KB_VOC_KIND, op->what->kind);
    kbt_json_uint(json, "stream", op->what->stream);
    kbt_json_int(json, "issue_ps", op->issue_ps);
    kbt_json_int(json, "start_ps", op->start_ps);
    kbt_json_int(json, "sent_ps", op->sent_ps);
    kbt_json_int(json, "done_ps", op->done_ps);
    put_shared(json, it->defs, op);
    kbt_json_uint(json, "sequence", op->sequence);
    kbt_json_uint(json, "id", op->id);
    kbt_json_uint(json, "tile", op->tile);
    kbt_json_uint(json, "value", op->value);
    if (op->collective != 0)
        kbt_json_uint(json, "collective", op->collective - 1);
    else
        kbt_json_null(json, "collective");
    put_operands(json, op);
    put_claims(json, op);
    put_whys(json, it->defs, op);
    put_immediates(json, op->what);
    kbt_json_hex(json, "payload", op->payload, (size_t)op->payload_size);
    kbt_json_end(json);
    return KB_OK;
}

/* --- samples and the end ------------------------------------------------------------------------------- */

static kb_status put_sample(kbt_export *it, uint32_t counter, int64_t time_ps, int64_t value,
                            kb_trail *trail) {
    kbt_json *json = it->state;
    (void)trail;
    begin_line(json, "sample");
    kbt_json_uint(json, "counter", counter);
    kbt_json_int(json, "time_ps", time_ps);
    kbt_json_int(json, "value", value);
    kbt_json_end(json);
    return KB_OK;
}

static void put_summary(kbt_json *json, const kb_rank_summary *summary) {
    kbt_json_begin(json, NULL, '{');
    kbt_json_uint(json, "rank", summary->rank);
    kbt_json_uint(json, "ops", summary->ops);
    put_digest(json, "digest", &summary->digest);
    kbt_json_begin(json, "blocks", '[');
    for (size_t i = 0; i < summary->block_count; i++)
        put_digest(json, NULL, &summary->blocks[i]);
    kbt_json_end(json);
    kbt_json_uint(json, "late", summary->late);
    put_digest(json, "late_digest", &summary->late_digest);
    kbt_json_end(json);
}

static void put_footer(kbt_json *json, const kb_footer *footer) {
    static const char *const outcomes[] = {
        [KB_OUTCOME_COMPLETE] = "complete",
        [KB_OUTCOME_DEADLOCK] = "deadlock",
        [KB_OUTCOME_INTERRUPTED] = "interrupted",
        [KB_OUTCOME_FAILED] = "failed",
    };
    unsigned outcome = footer->ending.outcome;
    if (outcome < sizeof outcomes / sizeof outcomes[0] && outcomes[outcome] != NULL)
        kbt_json_text(json, "outcome", outcomes[outcome]);
    else
        kbt_json_uint(json, "outcome", outcome);
    kbt_json_text(json, "message", footer->ending.message);
    kbt_json_int(json, "time_ps", footer->ending.time_ps);
    kbt_json_uint(json, "ops", footer->ops);
    kbt_json_uint(json, "samples", footer->samples);
    put_digest(json, "record_digest", &footer->record_digest);
    put_digest(json, "definitions_digest", &footer->definitions_digest);
    kbt_json_begin(json, "ranks", '[');
    for (size_t i = 0; i < footer->rank_count; i++)
        put_summary(json, &footer->ranks[i]);
    kbt_json_end(json);
}

static kb_status end(kbt_export *it, kb_trail *trail) {
    static const char *const states[] = {
        [KB_TRACE_COMPLETE] = "complete",
        [KB_TRACE_UNFINISHED] = "unfinished",
        [KB_TRACE_CUT] = "cut",
        [KB_TRACE_DAMAGED] = "damaged",
    };
    kbt_json *json = it->state;
    const kb_footer *footer = kb_reader_footer(it->reader);
    (void)trail;
    begin_line(json, "footer");
    kbt_json_text(json, "state", states[kb_reader_condition(it->reader, NULL)]);
    if (footer != NULL)
        put_footer(json, footer);
    kbt_json_end(json);
    return KB_OK;
}

const kbt_exporter kbt_export_jsonl = {
    .begin = begin,
    .op = put_op,
    .sample = put_sample,
    .end = end,
};
