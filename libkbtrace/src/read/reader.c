/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader: which files make up the trace, whether they are of one run, where each rank's ops
 * are, and a few unpacked frames at hand. Ops themselves are cursor.c's.
 */
#include <stdio.h>
#include <string.h>

#include "read/reader_parts.h"
#include "wire/folder.h"
#include "words/defs_check.h"

enum { MAX_MEMORY = 192 << 20, MAX_FRAME = 64 << 20, OPEN_FILES = 64 };

/*
 * A long trace may take more than the standard: its templates are kept, and where no two ops are alike (ranks
 * that all talk to all) they take some 30 times what they take in the file.
 */
enum { MEMORY_A_BYTE = 48 };

/* --- files ------------------------------------------------------------------------------------ */

typedef struct paths {
    const char **items;
    size_t count, capacity;
} paths;

static kb_status add_path(kb_reader *reader, paths *to, const char *path, kb_trail *trail) {
    const char *copy;
    void *items = to->items;
    KB_TRY(kb_arena_text(&reader->arena, path, strlen(path), &copy, trail));
    KB_TRY(kb_grow(reader->alloc, sizeof *to->items, to->count + 1, &to->capacity, &items, trail));
    to->items = items;
    to->items[to->count++] = copy;
    return KB_OK;
}

static kb_status add_folder(kb_reader *reader, paths *to, const char *folder, kb_trail *trail) {
    uint32_t *ranks;
    size_t count;
    KB_TRY(kb_folder_ranks(&reader->arena, reader->fs, folder, &ranks, &count, trail));
    if (count == 0)
        return kb_fail(trail, KB_E_ARGUMENT, "the folder %s holds no rank's trace (rank-00000.zst …)",
                       folder);
    for (size_t i = 0; i < count; i++) {
        char *path;
        KB_TRY(kb_path_of_rank(reader->alloc, folder, ranks[i], &path, trail));
        kb_status status = add_path(reader, to, path, trail);
        kb_path_delete(reader->alloc, path);
        KB_TRY(status);
    }
    return KB_OK;
}

static kb_status expand(kb_reader *reader, const char *const *given, size_t count, paths *to,
                        kb_trail *trail) {
    for (size_t i = 0; i < count; i++) {
        kb_file_type type = KB_FILE_OTHER;
        uint64_t size;
        if (strcmp(given[i], "-") != 0)
            KB_TRY(kb_fs_stat(reader->fs, given[i], &type, &size, trail));
        if (type == KB_FILE_NONE)
            return kb_fail(trail, KB_E_IO, "cannot open %s: there is no such file or folder", given[i]);
        if (type == KB_FILE_FOLDER)
            KB_TRY(add_folder(reader, to, given[i], trail));
        else
            KB_TRY(add_path(reader, to, given[i], trail));
    }
    return to->count > 0 ? KB_OK : kb_fail(trail, KB_E_ARGUMENT, "no trace was named");
}

/* The standard limit follows the files' sizes: what a hostile one can take is in proportion to it. */
static kb_status find_limit(kb_reader *reader, const paths *all, kb_trail *trail) {
    uint64_t total = 0;
    for (size_t i = 0; i < all->count; i++) {
        kb_file_type type;
        uint64_t size = 0;
        KB_TRY(kb_fs_stat(reader->fs, all->items[i], &type, &size, trail));
        total += type == KB_FILE_REGULAR ? size : 0;
    }
    if (total > MAX_MEMORY / MEMORY_A_BYTE && total <= SIZE_MAX / MEMORY_A_BYTE) {
        reader->options.max_memory = total * MEMORY_A_BYTE;
        reader->bounded.limit_size = (size_t)reader->options.max_memory;
        reader->defs.arena.limit_size = (size_t)reader->options.max_memory;
    }
    return KB_OK;
}

static kb_status open_inputs(kb_reader *reader, const char *const *given, size_t count, kb_trail *trail) {
    paths all = {.count = 0};
    void *block;
    kb_status status = expand(reader, given, count, &all, trail);
    if (status == KB_OK && reader->limit_follows)
        status = find_limit(reader, &all, trail);
    if (status == KB_OK)
        status = kb_new_zeroed(reader->alloc, all.count * sizeof(kb_input), &block, trail);
    if (status == KB_OK) {
        reader->inputs = block;
        reader->input_capacity = all.count;
    }
    kb_input_limits limits = {
        .alloc = reader->alloc,
        .fs = reader->fs,
        .max_frame = reader->options.max_frame,
        .arena_limit = (size_t)reader->options.max_memory,
        .recover = reader->options.recover,
        .keep_open = all.count <= OPEN_FILES,
    };
    for (size_t i = 0; status == KB_OK && i < all.count; i++) {
        status = kb_input_open(&reader->inputs[i], all.items[i], &reader->loader, &limits, trail);
        reader->input_count += status == KB_OK;
    }
    kb_delete(reader->alloc, all.items, all.capacity * sizeof *all.items);
    return status;
}

/* --- one run ---------------------------------------------------------------------------------- */

static kb_status claim_rank(kb_reader *reader, kb_input *input, uint32_t rank, kb_trail *trail) {
    if (reader->ranks[rank].input != NULL)
        return kb_fail(trail, KB_E_CORRUPT, "%s and %s both hold the ops of rank %u (give one of them)",
                       reader->ranks[rank].input->shown, input->shown, rank);
    reader->ranks[rank].input = input;
    return KB_OK;
}

static kb_status check_one_run(kb_reader *reader, kb_trail *trail) {
    const kb_run *run = &reader->inputs[0].header.run;
    for (size_t i = 1; i < reader->input_count; i++) {
        const kb_input *input = &reader->inputs[i];
        char one[33], other[33];
        if (!kb_digest_equal(&input->header.run.run_id, &run->run_id) ||
            input->header.run.ranks != run->ranks)
            return kb_fail(trail, KB_E_CORRUPT,
                           "%s is of another run (%.8s…) than %s (%.8s…): files of two runs are mixed",
                           input->shown, kb_digest_text(&input->header.run.run_id, other),
                           reader->inputs[0].shown, kb_digest_text(&run->run_id, one));
    }
    reader->run = *run;
    return KB_OK;
}

static kb_status place_ranks(kb_reader *reader, kb_trail *trail) {
    void *block;
    KB_TRY(kb_arena_new(&reader->arena, reader->run.ranks * sizeof(kb_rank_place), &block, trail));
    reader->ranks = block;
    for (size_t i = 0; i < reader->input_count; i++) {
        kb_input *input = &reader->inputs[i];
        if (input->header.one_rank) {
            KB_TRY(claim_rank(reader, input, input->header.rank, trail));
            continue;
        }
        for (uint32_t rank = 0; rank < reader->run.ranks; rank++)
            KB_TRY(claim_rank(reader, input, rank, trail));
    }
    for (uint32_t rank = 0; rank < reader->run.ranks; rank++)
        if (reader->ranks[rank].input == NULL)
            return kb_fail(trail, KB_E_CORRUPT,
                           "the file of rank %u (" KB_RANK_FILE_FORMAT
                           ") is missing: of a run of %u ranks %zu files "
                           "are here",
                           rank, rank, reader->run.ranks, reader->input_count);
    return KB_OK;
}

static kb_status read_definitions(kb_reader *reader, kb_trail *trail) {
    for (size_t i = 0; i < reader->input_count; i++) {
        kb_input *input = &reader->inputs[i];
        if (!input->header.definitions_here)
            continue;
        KB_TRY(kb_input_definitions(input, &reader->defs, trail));
        kb_status status = kb_defs_check(&reader->defs, reader->run.ranks, KB_E_CORRUPT, trail);
        if (status != KB_OK)
            return kb_while(trail, status, "checking the definitions of %s, which begin at byte %llu",
                            input->shown, (unsigned long long)input->places[0].offset);
        return KB_OK;
    }
    return kb_fail(trail, KB_E_CORRUPT, "no file of the trace has definitions");
}

/* --- where ops are ---------------------------------------------------------------------------- */

static kb_status check_packet(const kb_reader *reader, const kb_input *input, const kb_frame_entry *entry,
                              size_t i, uint64_t expected, kb_trail *trail) {
    uint32_t rank = entry->ranks[i];
    if (rank >= reader->run.ranks || reader->ranks[rank].input != input)
        return kb_input_bad(input, input->places[entry->number].offset, trail,
                            "frame %u holds ops of rank %u", entry->number, rank);
    if (entry->counts[i] == 0 || entry->firsts[i] != expected)
        return kb_input_bad(input, input->places[entry->number].offset, trail,
                            "rank %u goes on with op %llu in frame %u, where op %llu belongs", rank,
                            (unsigned long long)entry->firsts[i], entry->number,
                            (unsigned long long)expected);
    return KB_OK;
}

/* Two passes over the entries: count each rank's packets, then put them in place. */
static kb_status place_ops(kb_reader *reader, kb_trail *trail) {
    void *block, *ops_block;
    size_t total = 0;
    for (size_t f = 0; f < reader->input_count; f++)
        for (size_t e = 0; e < reader->inputs[f].entry_count; e++) {
            const kb_frame_entry *entry = &reader->inputs[f].entries[e];
            for (size_t i = 0; i < entry->rank_count; i++, total++)
                if (entry->ranks[i] < reader->run.ranks)
                    reader->ranks[entry->ranks[i]].span_count++;
        }
    KB_TRY(kb_arena_new(&reader->arena, total * sizeof(kb_span_of_ops), &block, trail));
    KB_TRY(kb_arena_new(&reader->arena, reader->run.ranks * sizeof(uint64_t), &ops_block, trail));
    uint64_t *ops = ops_block;
    reader->spans = block;
    size_t first = 0;
    for (uint32_t rank = 0; rank < reader->run.ranks; rank++) {
        reader->ranks[rank].first_span = first;
        first += reader->ranks[rank].span_count;
        reader->ranks[rank].span_count = 0;
    }
    for (size_t f = 0; f < reader->input_count; f++)
        for (size_t e = 0; e < reader->inputs[f].entry_count; e++) {
            const kb_frame_entry *entry = &reader->inputs[f].entries[e];
            for (size_t i = 0; i < entry->rank_count; i++) {
                uint32_t rank = entry->ranks[i];
                KB_TRY(check_packet(reader, &reader->inputs[f], entry, i,
                                    rank < reader->run.ranks ? ops[rank] : 0, trail));
                kb_rank_place *place = &reader->ranks[rank];
                reader->spans[place->first_span + place->span_count++] =
                    (kb_span_of_ops){entry->number, entry->counts[i], entry->firsts[i], entry->first_ps[i]};
                ops[rank] += entry->counts[i];
            }
        }
    for (size_t f = 0; f < reader->input_count; f++)
        kb_input_forget_packets(&reader->inputs[f]);
    return KB_OK;
}

/* --- opening ---------------------------------------------------------------------------------- */

static kb_status open_all(kb_reader *reader, const char *const *given, size_t count, kb_trail *trail) {
    KB_TRY(kb_loader_init(&reader->loader, reader->alloc, trail));
    KB_TRY(open_inputs(reader, given, count, trail));
    KB_TRY(check_one_run(reader, trail));
    KB_TRY(place_ranks(reader, trail));
    KB_TRY(place_ops(reader, trail));
    KB_TRY(read_definitions(reader, trail));
    KB_TRY(kb_reader_gather_late(reader, trail));
    KB_TRY(kb_reader_conclude(reader, trail));
    if (reader->options.threads > 1 && reader->input_count == 1)
        return kb_ahead_create(reader->alloc, &reader->ahead, trail);
    return KB_OK;
}

kb_status kb_reader_open(const char *const *given, size_t count, const kb_reader_options *options,
                         kb_reader **ret_reader, kb_trail *trail) {
    const kb_alloc *outer = options->alloc ? options->alloc : kb_alloc_heap();
    void *block;
    KB_TRY(kb_new_zeroed(outer, sizeof(kb_reader), &block, trail));
    kb_reader *reader = block;
    reader->outer = outer;
    reader->options = *options;
    reader->limit_follows = options->max_memory == 0;
    if (options->max_memory == 0)
        reader->options.max_memory = MAX_MEMORY;
    if (options->max_frame == 0)
        reader->options.max_frame = MAX_FRAME;
    kb_bounded_init(&reader->bounded, outer, (size_t)reader->options.max_memory);
    reader->alloc = &reader->bounded.alloc;
    reader->fs = options->fs ? options->fs : kb_fs_posix();
    reader->log = options->log;
    kb_arena_init(&reader->arena, reader->alloc, 0);
    kb_defs_init(&reader->defs, reader->alloc, (size_t)reader->options.max_memory);
    kb_status status = kb_reader_explain(reader, open_all(reader, given, count, trail), trail);
    if (status != KB_OK) {
        kb_reader_destroy(reader);
        return kb_while(trail, status, "opening the trace%s%.200s", count > 0 ? " " : "",
                        count > 0 ? given[0] : "");
    }
    *ret_reader = reader;
    return KB_OK;
}

kb_status kb_reader_explain(kb_reader *reader, kb_status status, kb_trail *trail) {
    if (status != KB_E_MEMORY || reader->bounded.refused_size == 0)
        return status;
    reader->bounded.refused_size = 0;
    if (trail != NULL)
        trail->status = KB_E_LIMIT;
    return kb_while(trail, KB_E_LIMIT,
                    "keeping within max_memory, %llu bytes (raise it if the trace is sound: --max-memory)",
                    (unsigned long long)reader->options.max_memory);
}

void kb_reader_destroy(kb_reader *reader) {
    if (reader == NULL)
        return;
    kb_ahead_destroy(reader->ahead);
    for (size_t i = 0; i < KB_CACHED_FRAMES; i++)
        kb_raw_frame_fini(&reader->cache[i].raw, reader->alloc);
    for (size_t i = 0; i < reader->input_count; i++)
        kb_input_close(&reader->inputs[i]);
    kb_delete(reader->alloc, reader->inputs, reader->input_capacity * sizeof *reader->inputs);
    kb_loader_fini(&reader->loader);
    kb_defs_fini(&reader->defs);
    kb_arena_fini(&reader->arena);
    kb_delete(reader->outer, reader, sizeof *reader);
}

kb_reader_state kb_reader_condition(const kb_reader *reader, const char **ret_words) {
    if (ret_words != NULL)
        *ret_words = reader->words;
    return reader->state;
}

const kb_run *kb_reader_run(const kb_reader *reader) {
    return &reader->run;
}

const kb_defs *kb_reader_defs(const kb_reader *reader) {
    return &reader->defs;
}

const kb_footer *kb_reader_footer(const kb_reader *reader) {
    return reader->has_footer ? &reader->footer : NULL;
}

uint64_t kb_reader_op_count(const kb_reader *reader) {
    uint64_t sum = 0;
    for (uint32_t rank = 0; rank < reader->run.ranks; rank++) {
        const kb_rank_place *place = &reader->ranks[rank];
        for (size_t i = 0; i < place->span_count; i++)
            sum += reader->spans[place->first_span + i].count;
    }
    return sum;
}

void kb_reader_measure(const kb_reader *reader, kb_reader_stats *ret_stats) {
    kb_reader_stats stats = {.files = reader->input_count,
                             .raw_bytes = reader->raw_bytes,
                             .peak_memory = reader->bounded.peak_size};
    for (size_t i = 0; i < reader->input_count; i++) {
        stats.frames += reader->inputs[i].place_count;
        stats.file_bytes += reader->inputs[i].size_bytes;
    }
    *ret_stats = stats;
}

/* --- frames at hand --------------------------------------------------------------------------- */

/* From the thread that works ahead, if it has the frame; and sends it on to the next one. */
static kb_status obtain(kb_reader *reader, kb_input *input, uint32_t frame, kb_raw_frame *raw,
                        kb_trail *trail) {
    if (reader->ahead == NULL)
        return kb_input_load(input, frame, raw, trail);
    if (!kb_ahead_take(reader->ahead, input, frame, raw))
        KB_TRY(kb_input_load(input, frame, raw, trail));
    if (frame + 1 < input->entry_count)
        kb_ahead_send(reader->ahead, input, frame + 1);
    return KB_OK;
}

kb_status kb_reader_frame(kb_reader *reader, kb_input *input, uint32_t frame, const kb_raw_frame **ret_raw,
                          kb_trail *trail) {
    kb_cached *oldest = &reader->cache[0];
    for (size_t i = 0; i < KB_CACHED_FRAMES; i++) {
        kb_cached *cached = &reader->cache[i];
        if (cached->input == input && cached->frame == frame) {
            cached->used = ++reader->clock;
            *ret_raw = &cached->raw;
            return KB_OK;
        }
        if (cached->used < oldest->used)
            oldest = cached;
    }
    oldest->input = NULL;
    KB_TRY(obtain(reader, input, frame, &oldest->raw, trail));
    reader->raw_bytes += oldest->raw.size;
    *oldest = (kb_cached){input, frame, ++reader->clock, oldest->raw};
    *ret_raw = &oldest->raw;
    return KB_OK;
}

kb_status kb_reader_packet(kb_reader *reader, kb_input *input, uint32_t frame, uint32_t rank,
                           kb_span *ret_body, kb_trail *trail) {
    const kb_raw_frame *raw;
    KB_TRY(kb_reader_frame(reader, input, frame, &raw, trail));
    size_t low = 0, high = raw->packet_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (raw->packets[middle].rank < rank)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == raw->packet_count || raw->packets[low].rank != rank)
        return kb_input_bad(input, input->places[frame].offset, trail, "frame %u holds no ops of rank %u",
                            frame, rank);
    *ret_body = raw->packets[low].body;
    return KB_OK;
}

kb_status kb_reader_templates(kb_reader *reader, kb_input *input, uint32_t frame, kb_trail *trail) {
    if (frame < input->template_frame)
        return KB_OK;
    size_t from = kb_input_first_templates(input, frame);
    for (size_t i = from; i <= frame; i++) {
        const kb_raw_frame *raw;
        if (input->entries[i].new_templates == 0 && !(i == from && input->entries[i].restated))
            continue;
        KB_TRY(kb_reader_frame(reader, input, (uint32_t)i, &raw, trail));
        KB_TRY(kb_input_take_templates(input, (uint32_t)i, raw, &reader->defs, trail));
    }
    if (input->template_count < input->entries[frame].templates)
        return kb_input_bad(input, input->places[frame].offset, trail,
                            "%u templates should be known here, %zu are", input->entries[frame].templates,
                            input->template_count);
    input->template_frame = (size_t)frame + 1;
    return KB_OK;
}

kb_decode_scope kb_reader_scope(const kb_reader *reader, uint32_t rank) {
    const kb_rank_place *place = &reader->ranks[rank];
    return (kb_decode_scope){
        .rank = rank,
        .ranks = reader->run.ranks,
        .defs = &reader->defs,
        .templates = place->input->templates,
        .template_count = place->input->template_count,
    };
}

/* --- samples ---------------------------------------------------------------------------------- */

/* A counter's last sample in the packet of number `packet`. */
typedef struct last_sample {
    uint64_t packet;
    uint64_t time_ps, value;
} last_sample;

typedef struct sampling {
    kb_reader *reader;
    kb_sample_fn each;
    void *user;
    kb_arena *arena; /* of the packet */
    last_sample *last;
    uint64_t packet, count;
} sampling;

static kb_status take_sample(sampling *to, uint32_t counter, int64_t later_ps, int64_t more,
                             kb_trail *trail) {
    size_t counters = to->reader->defs.counter_count;
    if (counter >= counters)
        return kb_fail(trail, KB_E_CORRUPT, "a sample of counter %u of %zu", counter, counters);
    last_sample *last = &to->last[counter];
    if (last->packet != to->packet)
        *last = (last_sample){.packet = to->packet};
    last->time_ps += (uint64_t)later_ps;
    last->value += (uint64_t)more;
    if (later_ps < 0 || last->time_ps > (uint64_t)KB_TIME_MAX_PS)
        return kb_fail(trail, KB_E_CORRUPT, "a sample of counter %u at %lld ps", counter,
                       (long long)last->time_ps);
    to->count++;
    return to->each(to->user, counter, (int64_t)last->time_ps, (int64_t)last->value, trail);
}

static kb_status take_samples(void *user, enum kb_packet_kind kind, kb_span body, kb_trail *trail) {
    sampling *to = user;
    kb_samples samples;
    if (kind != KB_PACKET_SAMPLES)
        return KB_OK;
    kb_arena_reset(to->arena);
    KB_TRY(kb_message_decode(&kb_message_samples, body, to->arena, &samples, trail));
    if (samples.counter_count != samples.time_count || samples.counter_count != samples.value_count)
        return kb_fail(trail, KB_E_CORRUPT, "samples with columns of different lengths");
    to->packet++;
    for (size_t i = 0; i < samples.counter_count; i++)
        KB_TRY(take_sample(to, samples.counters[i], samples.times[i], samples.values[i], trail));
    return KB_OK;
}

static kb_status sample_all(sampling *to, kb_trail *trail) {
    kb_reader *reader = to->reader;
    for (size_t f = 0; f < reader->input_count; f++)
        for (uint32_t e = 0; e < reader->inputs[f].entry_count; e++) {
            const kb_raw_frame *raw;
            kb_input *input = &reader->inputs[f];
            if (!input->entries[e].samples)
                continue;
            KB_TRY(kb_reader_frame(reader, input, e, &raw, trail));
            kb_status status =
                kb_walk_packets((kb_span){raw->bytes, raw->bytes + raw->size}, take_samples, to, trail);
            if (status != KB_OK)
                return kb_while(trail, status, "reading samples in frame %u of %s at byte %llu", e,
                                input->shown, (unsigned long long)input->places[e].offset);
        }
    if (reader->has_footer && to->count != reader->footer.samples)
        return kb_input_bad(&reader->inputs[0],
                            reader->inputs[0].places[reader->inputs[0].place_count - 1].offset, trail,
                            "the footer tells of %llu samples, %llu are there",
                            (unsigned long long)reader->footer.samples, (unsigned long long)to->count);
    return KB_OK;
}

kb_status kb_reader_samples(kb_reader *reader, kb_sample_fn each, void *user, kb_trail *trail) {
    kb_arena arena;
    void *block;
    size_t size = reader->defs.counter_count * sizeof(last_sample);
    kb_status status = kb_new_zeroed(reader->alloc, size, &block, trail);
    if (status != KB_OK)
        return kb_reader_explain(reader, status, trail);
    kb_arena_init(&arena, reader->alloc, 0);
    sampling to = {.reader = reader, .each = each, .user = user, .arena = &arena, .last = block};
    status = kb_reader_explain(reader, sample_all(&to, trail), trail);
    kb_arena_fini(&arena);
    kb_delete(reader->alloc, block, size);
    return status;
}
