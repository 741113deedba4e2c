/* SPDX-License-Identifier: Apache-2.0 */
/* Findings, summary and verdict of a replay; see print.h. */
#include "replay/print.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/time.h"

enum { COMMAND_CHARS = 8192 }; /* of `see:` */

/* --- for people -------------------------------------------------------------------------------- */

static const char *plural(uint64_t count) {
    return count == 1 ? "" : "s";
}

static void print_head(const kbt_replayed *it, const kbr_finding *finding) {
    char text[256];
    fprintf(stdout, "%sE-", kbt_paint(it->call, stdout, KBT_RED));
    for (const char *at = finding->check; *at != '\0'; at++)
        fputc(toupper((unsigned char)*at), stdout);
    fprintf(stdout, "%s %s", kbt_paint(it->call, stdout, KBT_PLAIN), finding->rule);
    if (finding->rank != KB_NONE)
        fprintf(stdout, "  rank %" PRIu32, finding->rank);
    if (finding->where[0] != '\0')
        fprintf(stdout, "%s%s", finding->rank != KB_NONE ? " " : "  ", finding->where);
    for (uint32_t i = 0; i < finding->op_count; i++)
        fprintf(stdout, "%s%s", i == 0 ? "  " : "  and  ",
                kbr_mention_text(it->defs, &finding->ops[i], finding->rank, text, sizeof text));
    fputc('\n', stdout);
}

/* The tensor's element that shows it first: the finding's own, or that of what follows from it. */
static const kbr_finding *first_affected(const kbt_replayed *it, size_t cause) {
    const kbr_finding *all = it->result->findings;
    for (size_t i = cause; i < it->result->finding_count && all[i].cause == cause; i++)
        if (all[i].tensor < it->defs->tensor_count)
            return &all[i];
    return NULL;
}

static void print_element(const kbt_replayed *it, const kbr_finding *finding, const kbr_finding *shows) {
    const kb_tensor *tensor = &it->defs->tensors[shows->tensor];
    fprintf(stdout, "; first affected element %s[%" PRIu64 "]", tensor->name, shows->element);
    if (tensor->rank != KB_NONE && tensor->rank != finding->rank)
        fprintf(stdout, " of rank %" PRIu32, tensor->rank);
}

static bool same_rule(const kbr_finding *a, const kbr_finding *b) {
    return strcmp(a->check, b->check) == 0 && strcmp(a->rule, b->rule) == 0;
}

/* "also: order read/write x 12, value source x 976" */
static void print_consequences(const kbt_replayed *it, size_t cause) {
    enum { NAMED_MOST = 6 };
    const kbr_finding *all = it->result->findings;
    size_t named = 0, left = 0, end = cause + 1;
    while (end < it->result->finding_count && all[end].cause == cause)
        end++;
    for (size_t i = cause + 1; i < end; i++) {
        uint64_t count = 0;
        bool told = false;
        for (size_t j = cause + 1; j < end; j++) {
            told = told || (j < i && same_rule(&all[i], &all[j]));
            count += same_rule(&all[i], &all[j]) ? all[j].count : 0;
        }
        if (told)
            continue;
        if (named == NAMED_MOST) {
            left++;
            continue;
        }
        fprintf(stdout, "%s%s %s", named++ == 0 ? "        also: " : ", ", all[i].check, all[i].rule);
        if (count > 1)
            fprintf(stdout, " x %" PRIu64, count);
    }
    if (left != 0)
        fprintf(stdout, ", and %zu more", left);
    if (named != 0)
        fputc('\n', stdout);
}

/* Adds a word of a command, quoted where a shell would take it for something else. */
static void add_word(char *command, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
    enum { QUOTE_CHARS = 8 }; /* what one character may become, and the end */
    size_t used = strlen(command);
    bool quoted = word[0] == '\0' || word[strspn(word, plain)] != '\0';
    used += (size_t)snprintf(command + used, COMMAND_CHARS - used, "%s", quoted ? " '" : " ");
    for (; *word != '\0' && used + QUOTE_CHARS < COMMAND_CHARS; word++) {
        char one[] = {*word, '\0'};
        used += (size_t)snprintf(command + used, COMMAND_CHARS - used, "%s", *word == '\'' ? "'\\''" : one);
    }
    snprintf(command + used, COMMAND_CHARS - used, "%s", quoted ? "'" : "");
}

/* The command that shows the op; false where there is none, or where the names of files are too long. */
static bool say_command(const kbt_replayed *it, const kbr_finding *finding, char command[COMMAND_CHARS]) {
    enum { REST_CHARS = 128 };
    if (finding->op_count == 0 || !finding->ops[0].known || finding->issue_ps < 0)
        return false;
    snprintf(command, COMMAND_CHARS, "kb-export");
    size_t used = 0;
    for (size_t i = 0; i < it->call->words.count && used + REST_CHARS < COMMAND_CHARS; i++) {
        add_word(command, it->call->words.items[i]);
        used = strlen(command);
    }
    const kb_kind_info *kind = kb_kind_describe(finding->ops[0].kind);
    snprintf(command + used, COMMAND_CHARS - used,
             " --to jsonl --ranks %" PRIu32 " --kinds %s --range %" PRId64 ":%" PRId64, finding->ops[0].rank,
             kind != NULL ? kind->name : "?", finding->issue_ps, finding->issue_ps + 1);
    return used + REST_CHARS < COMMAND_CHARS;
}

static void print_finding(const kbt_replayed *it, size_t cause) {
    const kbr_finding *finding = &it->result->findings[cause], *shows = first_affected(it, cause);
    char command[COMMAND_CHARS];
    print_head(it, finding);
    fprintf(stdout, "        %s", finding->message);
    if (shows != NULL)
        print_element(it, finding, shows);
    if (finding->count > 1)
        fprintf(stdout, "; %" PRIu64 " of its kind", finding->count);
    fputc('\n', stdout);
    print_consequences(it, cause);
    if (say_command(it, finding, command))
        fprintf(stdout, "        see: %s\n", command);
}

static void print_summary(const kbt_replayed *it) {
    const kbr_result *result = it->result;
    char digest[33];
    fprintf(stdout, "%s: %s, %" PRIu32 " rank%s, %" PRIu64 " op%s executed", it->trace, it->run->bench,
            it->run->ranks, plural(it->run->ranks), result->ops, plural(result->ops));
    if (result->unfinished != 0)
        fprintf(stdout, ", %" PRIu64 " not finished", result->unfinished);
    fputc('\n', stdout);
    fprintf(stdout, "memory digest  %s", kb_digest_text(&it->digest, digest));
    if (it->timed) {
        fputs(", at ", stdout);
        kbt_print_time(stdout, it->at_ps);
        fprintf(stdout, " with %" PRIu64 " op%s in flight", it->in_flight, plural(it->in_flight));
    }
    fputc('\n', stdout);
    if (it->footer != NULL)
        fprintf(stdout, "record digest  %s\n", kb_digest_text(&it->footer->record_digest, digest));
    if (it->verified) {
        fprintf(stdout, "collectives    %" PRIu64 ", %" PRIu64 " element%s of their outputs compared: ",
                result->collectives, result->compared, plural(result->compared));
        if (result->compared == 0)
            fputs("nothing to say\n", stdout);
        else if (result->worst_error == 0.0 && result->bound == 0.0)
            fputs("equal to the bit\n", stdout);
        else
            fprintf(stdout, "worst error %.6g, bound %.6g\n", result->worst_error, result->bound);
    }
    for (size_t i = 0; i < result->unchecked_count && it->verified; i++)
        fprintf(stdout, "not checked    %s\n", result->unchecked[i]);
}

/* "verified", "replayed", "replayed to 1.500 us" */
static void print_doing(const kbt_replayed *it, kbt_color color) {
    fprintf(stdout, "%s%s", kbt_paint(it->call, stdout, color), it->verified ? "verified" : "replayed");
    if (it->timed && !it->verified) {
        fputs(" to ", stdout);
        kbt_print_time(stdout, it->at_ps);
    }
    fprintf(stdout, ": %s%s", it->pass ? "pass" : "fail", kbt_paint(it->call, stdout, KBT_PLAIN));
}

static void print_verdict(const kbt_replayed *it) {
    const kbr_result *result = it->result;
    if (it->pass) {
        print_doing(it, KBT_GREEN);
        fputc('\n', stdout);
        return;
    }
    uint64_t count = result->cause_count + result->finding_overflow;
    print_doing(it, KBT_RED);
    if (count != 0)
        fprintf(stdout, ", %" PRIu64 " finding%s", count, plural(count));
    fprintf(stdout, "%s\n",
            it->complete ? ""
            : count != 0 ? ", and the trace is incomplete"
                         : ": the trace is incomplete");
}

void kbt_replay_print(const kbt_replayed *it, bool brief) {
    for (size_t i = 0; i < it->result->finding_count; i++)
        if (it->result->findings[i].cause == i)
            print_finding(it, i);
    if (it->result->finding_overflow != 0)
        fprintf(stdout, "… and %" PRIu64 " more\n", it->result->finding_overflow);
    if (brief)
        return;
    print_summary(it);
    print_verdict(it);
}

/* --- JSON -------------------------------------------------------------------------------------- */

static void put_op(kbt_json *json, const kbt_replayed *it, const kbr_mention *op) {
    kbt_json_begin(json, NULL, '{');
    kbt_json_uint(json, "rank", op->rank);
    kbt_json_uint(json, "index", op->index);
    if (op->known) {
        const kb_kind_info *kind = kb_kind_describe(op->kind);
        kbt_json_text(json, "kind", kind != NULL ? kind->name : NULL);
        if (op->func != 0)
            kbt_json_text(json, "func", kb_word_name(KB_VOC_FUNC, op->func));
        kbt_json_text(json, "file", kb_defs_text(it->defs, op->file));
        kbt_json_uint(json, "line", op->line);
        kbt_json_text(json, "step", kb_defs_text(it->defs, op->label));
        kbt_json_uint(json, "step_number", op->step);
        kbt_json_int(json, "start_ps", op->time_ps);
    }
    kbt_json_end(json);
}

/* Its keys, but for the end. */
static void put_finding(kbt_json *json, const kbt_replayed *it, const kbr_finding *finding) {
    kbt_json_begin(json, NULL, '{');
    kbt_json_text(json, "check", finding->check);
    kbt_json_text(json, "rule", finding->rule);
    kbt_json_text(json, "message", finding->message);
    if (finding->rank != KB_NONE)
        kbt_json_uint(json, "rank", finding->rank);
    else
        kbt_json_null(json, "rank");
    kbt_json_text(json, "pe", finding->pe < it->defs->pe_count ? it->defs->pes[finding->pe].name : NULL);
    kbt_json_text(json, "where", finding->where[0] != '\0' ? finding->where : NULL);
    kbt_json_begin(json, "ops", '[');
    for (uint32_t i = 0; i < finding->op_count; i++)
        put_op(json, it, &finding->ops[i]);
    kbt_json_end(json);
    bool tensor = finding->tensor < it->defs->tensor_count;
    kbt_json_text(json, "tensor", tensor ? it->defs->tensors[finding->tensor].name : NULL);
    if (tensor)
        kbt_json_uint(json, "element", finding->element);
    else
        kbt_json_null(json, "element");
    kbt_json_int(json, "time_ps", finding->time_ps);
    kbt_json_uint(json, "count", finding->count);
}

/* A cause, with what follows from it inside. */
static void put_cause(kbt_json *json, const kbt_replayed *it, size_t cause) {
    const kbr_finding *all = it->result->findings;
    char command[COMMAND_CHARS];
    put_finding(json, it, &all[cause]);
    kbt_json_text(json, "see", say_command(it, &all[cause], command) ? command : NULL);
    kbt_json_begin(json, "consequences", '[');
    for (size_t i = cause + 1; i < it->result->finding_count && all[i].cause == cause; i++) {
        put_finding(json, it, &all[i]);
        kbt_json_end(json);
    }
    kbt_json_end(json);
    kbt_json_end(json);
}

void kbt_replay_print_json(const kbt_replayed *it) {
    const kbr_result *result = it->result;
    char digest[33];
    kbt_json json;
    kbt_json_init(&json, stdout);
    kbt_json_begin(&json, NULL, '{');
    kbt_json_uint(&json, "version", 1);
    kbt_json_text(&json, "verdict", it->pass ? "pass" : "fail");
    kbt_json_bool(&json, "verified", it->verified);
    kbt_json_bool(&json, "complete", it->complete);
    kbt_json_begin(&json, "findings", '[');
    for (size_t i = 0; i < result->finding_count; i++)
        if (result->findings[i].cause == i)
            put_cause(&json, it, i);
    kbt_json_end(&json);
    kbt_json_uint(&json, "findings_dropped", result->finding_overflow);
    kbt_json_uint(&json, "ops", result->ops);
    kbt_json_uint(&json, "unfinished", result->unfinished);
    kbt_json_uint(&json, "collectives", result->collectives);
    kbt_json_uint(&json, "compared", result->compared);
    kbt_json_text(&json, "digest", it->nothing ? NULL : kb_digest_text(&it->digest, digest));
    if (it->timed) {
        kbt_json_int(&json, "at_ps", it->at_ps);
        kbt_json_uint(&json, "in_flight", it->in_flight);
    } else {
        kbt_json_null(&json, "at_ps");
        kbt_json_null(&json, "in_flight");
    }
    kbt_json_text(&json, "record_digest",
                  it->footer != NULL ? kb_digest_text(&it->footer->record_digest, digest) : NULL);
    kbt_json_real(&json, "worst_error", result->worst_error);
    kbt_json_real(&json, "bound", result->bound);
    kbt_json_begin(&json, "unchecked", '[');
    for (size_t i = 0; i < result->unchecked_count; i++)
        kbt_json_text(&json, NULL, result->unchecked[i]);
    kbt_json_end(&json);
    kbt_json_begin(&json, "warnings", '[');
    for (size_t i = 0; i < it->call->warnings.count; i++)
        kbt_json_text(&json, NULL, it->call->warnings.items[i]);
    kbt_json_end(&json);
    kbt_json_end(&json);
}
