/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer as a whole: its making, samples, its end. Ops are in writer_put.c; what is said of
 * definitions, templates and the end is in writer_say.c; files and threads are output.h's and
 * press.h's.
 */
#include <assert.h>
#include <string.h>

#include "ground/text.h"
#include "wire/folder.h"
#include "words/defs_check.h"
#include "write/writer_parts.h"

enum { LEVEL = 3 };

/* Open packets of all ranks together: docs/decisions/0007 has the measurements behind it. */
enum { OPEN_BYTES_A_RANK = 3 << 10, OPEN_BYTES_LEAST = 768 << 10, OPEN_BYTES_MOST = 4 << 20 };

static size_t default_open_bytes(uint32_t ranks) {
    size_t wanted = (size_t)ranks * OPEN_BYTES_A_RANK;
    if (wanted < OPEN_BYTES_LEAST)
        return OPEN_BYTES_LEAST;
    return wanted < OPEN_BYTES_MOST ? wanted : OPEN_BYTES_MOST;
}

/* --- making ----------------------------------------------------------------------------------- */

static kb_status make_files(kb_writer *writer, const char *path, kb_trail *trail) {
    void *block;
    size_t length = strlen(path);
    bool folder = length > 0 && path[length - 1] == '/';
    size_t wanted = folder ? writer->run.ranks : 1;
    if (folder)
        KB_TRY(kb_folder_prepare(writer->alloc, writer->fs, path, trail));
    KB_TRY(kb_new_zeroed(writer->alloc, wanted * sizeof(kb_out_file), &block, trail));
    writer->files = block;
    writer->file_capacity = wanted;
    writer->folder = folder;
    for (size_t i = 0; i < wanted; i++) {
        kb_out_file *file = &writer->files[i];
        char *name = NULL;
        if (folder)
            KB_TRY(kb_path_of_rank(writer->alloc, path, (uint32_t)i, &name, trail));
        file->first_rank = folder ? (uint32_t)i : 0;
        file->rank_count = folder ? 1 : writer->run.ranks;
        const bool keep_open = i == 0; /* of a folder the first: it keeps other runs away from all */
        kb_status status =
            kb_output_init(&file->output, writer->alloc, writer->fs, folder ? name : path, keep_open, trail);
        kb_path_delete(writer->alloc, name);
        writer->file_count += status == KB_OK;
        KB_TRY(status);
        kb_out_file_init(file, writer->alloc);
    }
    return KB_OK;
}

static kb_status make_ranks(kb_writer *writer, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new_zeroed(writer->alloc, writer->run.ranks * sizeof(kb_out_rank), &block, trail));
    writer->ranks = block;
    KB_TRY(kb_new_zeroed(writer->alloc, writer->run.ranks * sizeof(kb_put_rank), &block, trail));
    writer->puts = block;
    for (uint32_t i = 0; i < writer->run.ranks; i++) {
        kb_packet_init(&writer->ranks[i].packet, writer->alloc, i);
        kb_rank_digester_init(&writer->ranks[i].digester, writer->alloc);
    }
    return KB_OK;
}

static kb_status copy_run(kb_writer *writer, const kb_run *run, const char *path, kb_trail *trail) {
    const char *const texts[] = {run->model_version, run->memory_model, run->producer, run->bench, path};
    const char *copies[5];
    for (size_t i = 0; i < 4; i++)
        if (texts[i] != NULL && !kb_text_is_utf8(texts[i], strlen(texts[i])))
            return kb_fail(trail, KB_E_ARGUMENT,
                           "a text of the run is not UTF-8: other readers would refuse it");
    for (size_t i = 0; i < 5; i++)
        KB_TRY(kb_arena_text(&writer->arena, texts[i] ? texts[i] : "", texts[i] ? strlen(texts[i]) : 0,
                             &copies[i], trail));
    writer->run = *run;
    writer->run.model_version = copies[0];
    writer->run.memory_model = copies[1];
    writer->run.producer = copies[2];
    writer->run.bench = copies[3];
    writer->path = copies[4];
    return KB_OK;
}

static uint64_t run_tag(const kb_run *run) {
    uint64_t tag = 0;
    for (unsigned i = 0; i < 8; i++)
        tag |= (uint64_t)run->run_id.bytes[i] << (8 * i);
    return tag;
}

/* Where the system gives no thread the work is done in the caller's: slower, and the same. */
static kb_status make_stages(kb_writer *writer, bool beside, kb_trail *trail) {
    if (beside)
        KB_TRY(kb_beside_create(writer->alloc, kb_writer_encode, writer, &writer->beside, trail));
    for (size_t i = 0; i < (writer->beside != NULL ? 2u : 1u); i++)
        KB_TRY(
            kb_stage_init(&writer->stages[i], writer->alloc, writer->run.ranks, writer->open_limit, trail));
    writer->stage = &writer->stages[0];
    return KB_OK;
}

static kb_status note_first_rows(kb_writer *writer, kb_trail *trail) {
    kb_buffer *rows = &writer->stage->rows;
    KB_TRY(kb_defs_check(writer->defs, writer->run.ranks, KB_E_ARGUMENT, trail));
    KB_TRY(kb_row_log_note(writer->defs, writer->noted, rows, trail));
    KB_TRY(kb_row_log_add(&writer->files[0].rows, rows, trail));
    kb_buffer_fini(rows); /* many at first, and few later */
    return KB_OK;
}

static kb_status begin(kb_writer *writer, const kb_writer_options *options, kb_trail *trail) {
    KB_TRY(make_ranks(writer, trail));
    KB_TRY(make_stages(writer, options->threads > 1, trail));
    KB_TRY(make_files(writer, writer->path, trail));
    KB_TRY(kb_press_init(&writer->press, writer->alloc, options->level ? options->level : LEVEL,
                         run_tag(&writer->run), trail));
    KB_TRY(note_first_rows(writer, trail));
    for (size_t i = 0; i < writer->file_count; i++) {
        KB_TRY(kb_output_begin(&writer->files[i].output, trail));
        KB_TRY(kb_writer_say_header(writer, &writer->files[i], trail));
    }
    return KB_OK;
}

kb_status kb_writer_create(const kb_writer_options *options, const kb_run *run, const kb_defs *defs,
                           kb_writer **ret_writer, kb_trail *trail) {
    const kb_alloc *alloc = options->alloc ? options->alloc : kb_alloc_heap();
    void *block;
    if (run->ranks == 0 || run->ranks > KB_RANKS_MAX)
        return kb_fail(trail, KB_E_ARGUMENT, "a trace of %u ranks cannot be written: 1 to %u can", run->ranks,
                       KB_RANKS_MAX);
    KB_TRY(kb_new_zeroed(alloc, sizeof(kb_writer), &block, trail));
    kb_writer *writer = block;
    writer->alloc = alloc;
    writer->fs = options->fs ? options->fs : kb_fs_posix();
    writer->defs = defs;
    writer->open_limit = options->open_bytes ? options->open_bytes : default_open_bytes(run->ranks);
    kb_arena_init(&writer->arena, alloc, 0);
    kb_arena_init(&writer->place.forms, alloc, 0);
    kb_intern_init(&writer->intern, alloc);
    kb_buffer_init(&writer->raw, alloc);
    kb_packet_init(&writer->late_packet, alloc, 0);
    kb_status status = copy_run(writer, run, options->path, trail);
    if (status == KB_OK)
        status = begin(writer, options, trail);
    if (status != KB_OK) {
        kb_writer_destroy(writer);
        return kb_while(trail, status, "beginning the trace %s", options->path);
    }
    *ret_writer = writer;
    return KB_OK;
}

void kb_writer_destroy(kb_writer *writer) {
    if (writer == NULL)
        return;
    kb_beside_destroy(writer->beside);
    kb_press_fini(&writer->press);
    for (size_t i = 0; i < writer->file_count; i++) {
        kb_output_fini(&writer->files[i].output);
        kb_out_file_fini(&writer->files[i]);
    }
    kb_delete(writer->alloc, writer->files, writer->file_capacity * sizeof *writer->files);
    for (uint32_t i = 0; writer->ranks != NULL && i < writer->run.ranks; i++) {
        kb_packet_fini(&writer->ranks[i].packet);
        kb_rank_digester_fini(&writer->ranks[i].digester);
        kb_delete(writer->alloc, writer->ranks[i].late,
                  writer->ranks[i].late_capacity * sizeof *writer->ranks[i].late);
    }
    kb_delete(writer->alloc, writer->ranks, writer->ranks ? writer->run.ranks * sizeof *writer->ranks : 0);
    kb_delete(writer->alloc, writer->puts, writer->puts ? writer->run.ranks * sizeof *writer->puts : 0);
    kb_delete(writer->alloc, writer->place.fields, writer->field_capacity * sizeof *writer->place.fields);
    for (size_t i = 0; i < 2; i++)
        kb_stage_fini(&writer->stages[i]);
    kb_delete(writer->alloc, writer->counters, writer->counter_capacity * sizeof *writer->counters);
    kb_delete(writer->alloc, writer->sampled_ps, writer->sampled_capacity * sizeof *writer->sampled_ps);
    kb_packet_fini(&writer->late_packet);
    kb_buffer_fini(&writer->raw);
    kb_intern_fini(&writer->intern);
    kb_arena_fini(&writer->place.forms);
    kb_arena_fini(&writer->arena);
    kb_delete(writer->alloc, writer, sizeof *writer);
}

kb_out_file *kb_writer_file_of(kb_writer *writer, uint32_t rank) {
    return &writer->files[writer->folder ? rank : 0];
}

/* --- samples ---------------------------------------------------------------------------------- */

/* The caller's side of a sample: nothing here is read where stages are encoded. */
static kb_status check_sample(kb_writer *writer, uint32_t counter, int64_t time_ps, kb_trail *trail) {
    if (counter >= writer->defs->counter_count || writer->defs->counters[counter].rank >= writer->run.ranks)
        return kb_fail(trail, KB_E_ARGUMENT, "a sample of counter %u, which is not defined", counter);
    if (time_ps < 0 || time_ps > KB_TIME_MAX_PS)
        return kb_fail(trail, KB_E_ARGUMENT, "a sample at %lld ps; 0 to %lld can be written",
                       (long long)time_ps, (long long)KB_TIME_MAX_PS);
    const size_t before = writer->sampled_capacity;
    void *sampled = writer->sampled_ps;
    KB_TRY(kb_grow(writer->alloc, sizeof *writer->sampled_ps, (size_t)counter + 1, &writer->sampled_capacity,
                   &sampled, trail));
    writer->sampled_ps = sampled;
    if (writer->sampled_capacity > before)
        memset(writer->sampled_ps + before, 0,
               (writer->sampled_capacity - before) * sizeof *writer->sampled_ps);
    if (time_ps < writer->sampled_ps[counter])
        return kb_fail(trail, KB_E_ARGUMENT, "a sample of counter %u at %lld ps after one at %lld ps",
                       counter, (long long)time_ps, (long long)writer->sampled_ps[counter]);
    writer->sampled_ps[counter] = time_ps;
    return KB_OK;
}

kb_status kb_writer_take_sample(kb_writer *writer, const kb_staged_sample *sample, kb_trail *trail) {
    const size_t before = writer->counter_capacity;
    void *counters = writer->counters;
    KB_TRY(kb_grow(writer->alloc, sizeof *writer->counters, (size_t)sample->counter + 1,
                   &writer->counter_capacity, &counters, trail));
    writer->counters = counters;
    if (writer->counter_capacity > before)
        memset(writer->counters + before, 0, (writer->counter_capacity - before) * sizeof *writer->counters);
    kb_counter_state *state = &writer->counters[sample->counter];
    if (state->round != writer->round)
        *state = (kb_counter_state){.round = writer->round};
    kb_out_file *file = kb_writer_file_of(writer, sample->rank);
    KB_TRY(kb_out_file_sample(file, sample->counter, sample->time_ps - state->time_ps, sample->value,
                              state->value, trail));
    *state = (kb_counter_state){writer->round, sample->time_ps, sample->value};
    writer->place.size += 4;
    return KB_OK;
}

kb_status kb_writer_sample(kb_writer *writer, uint32_t counter, int64_t time_ps, int64_t value,
                           kb_trail *trail) {
    enum { STAGE_SAMPLES = 2048 }; /* as many as ops */
    if (writer->failed != KB_OK)
        return kb_fail(trail, writer->failed, "the trace %s failed earlier", writer->path);
    kb_status status = check_sample(writer, counter, time_ps, trail);
    if (status == KB_OK) {
        const kb_staged_sample sample = {time_ps, value, counter, writer->defs->counters[counter].rank};
        status = kb_buffer_append(&writer->stage->samples, &sample, sizeof sample, trail);
    }
    writer->samples += status == KB_OK;
    if (status == KB_OK && writer->stage->samples.size >= STAGE_SAMPLES * sizeof(kb_staged_sample))
        status = kb_writer_hand_over(writer, trail);
    writer->failed = status;
    return status;
}

/* --- the end ---------------------------------------------------------------------------------- */

static kb_status commit_files(kb_writer *writer, size_t *ret_done, kb_trail *trail) {
    for (size_t i = 0; i < writer->file_count; i++, ++*ret_done)
        KB_TRY(kb_output_commit(&writer->files[i].output, trail));
    return KB_OK;
}

/* A folder's files get their names as a set: all of them, or the former ones stay. */
static kb_status commit(kb_writer *writer, kb_trail *trail) {
    kb_former former;
    size_t done = 0;
    if (!writer->folder)
        return commit_files(writer, &done, trail);
    KB_TRY(kb_former_set_aside(&former, writer->alloc, writer->fs, writer->path, trail));
    kb_status status = commit_files(writer, &done, trail);
    if (status == KB_OK) {
        kb_former_forget(&former);
        return KB_OK;
    }
    while (done > 0)
        kb_fs_unlink(writer->fs, writer->files[--done].output.path);
    kb_former_put_back(&former);
    return status;
}

static kb_status finish(kb_writer *writer, const kb_ending *ending, kb_trail *trail) {
    KB_TRY(kb_writer_drain(writer, trail));
    KB_TRY(kb_writer_flush(writer, trail));
    KB_TRY(kb_writer_make_footer(writer, ending, trail));
    for (size_t i = 0; i < writer->file_count; i++)
        KB_TRY(kb_writer_say_end(writer, &writer->files[i], trail));
    for (size_t i = 0; i < writer->file_count; i++)
        KB_TRY(kb_output_end(&writer->files[i].output, trail));
    return commit(writer, trail);
}

kb_status kb_writer_finish(kb_writer *writer, const kb_ending *ending, const kb_footer **ret_footer,
                           kb_trail *trail) {
    if (writer->failed != KB_OK)
        return kb_fail(trail, writer->failed, "the trace %s failed earlier", writer->path);
    kb_status status = finish(writer, ending, trail);
    if (status != KB_OK) {
        writer->failed = status;
        return kb_while(trail, status, "finishing the trace %s", writer->path);
    }
    writer->failed = KB_E_ARGUMENT; /* nothing may follow */
    if (ret_footer != NULL)
        *ret_footer = &writer->footer;
    return KB_OK;
}

void kb_writer_measure(const kb_writer *writer, kb_writer_stats *ret_stats) {
    if (writer->beside != NULL)
        (void)kb_beside_wait(writer->beside, NULL);
    kb_writer_stats stats = {.ops = writer->ops, .packets = writer->packets, .raw_bytes = writer->raw_bytes};
    for (size_t i = 0; i < writer->file_count; i++) {
        stats.templates += writer->files[i].known_count;
        stats.frames += writer->files[i].frames;
        stats.file_bytes += writer->files[i].output.size_bytes;
    }
    *ret_stats = stats;
}
