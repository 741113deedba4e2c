/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ops said again. What is amended waits until the open packets are closed: a template's prediction
 * serves one packet at a time.
 */
#include <endian.h>
#include <string.h>

#include "write/writer_parts.h"

/* Where an op stands or would stand: amended ops are kept by index, and come nearly in that order. */
static size_t late_place(const kb_out_rank *of, uint64_t index) {
    size_t low = 0, high = of->late_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (of->late[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static kb_status check(const kb_writer *writer, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kb_out_rank *of = &writer->ranks[rank];
    if (op->index >= writer->puts[rank].ops)
        return kb_fail(trail, KB_E_ARGUMENT, "op %llu of rank %u is amended before it was put",
                       (unsigned long long)op->index, rank);
    if (op->payload_size != 0)
        return kb_fail(trail, KB_E_ARGUMENT, "op %llu of rank %u carries bytes and cannot be amended",
                       (unsigned long long)op->index, rank);
    size_t at = late_place(of, op->index);
    if (at < of->late_count && of->late[at].index == op->index)
        return kb_fail(trail, KB_E_ARGUMENT, "op %llu of rank %u is amended a second time",
                       (unsigned long long)op->index, rank);
    return KB_OK;
}

static kb_status remember(kb_writer *writer, uint32_t rank, uint64_t index, const kb_digest *digest,
                          kb_trail *trail) {
    kb_out_rank *of = &writer->ranks[rank];
    void *late = of->late;
    KB_TRY(kb_grow(writer->alloc, sizeof *of->late, of->late_count + 1, &of->late_capacity, &late, trail));
    of->late = late;
    size_t at = late_place(of, index);
    memmove(of->late + at + 1, of->late + at, (of->late_count - at) * sizeof *of->late);
    of->late[at] = (kb_late_digest){index, *digest};
    of->late_count++;
    return KB_OK;
}

static kb_status amend(kb_writer *writer, uint32_t rank, const kb_op *op, kb_trail *trail) {
    kb_known *known;
    void *block, *words;
    KB_TRY(kb_writer_drain(writer, trail));
    KB_TRY(kb_writer_find(writer, rank, op->what, &known, trail));
    KB_TRY(kb_writer_check_op(writer, known, op, trail));
    KB_TRY(check(writer, rank, op, trail));
    const size_t size = (known->canonical_count + KB_PUT_BEYOND) * sizeof(uint64_t);
    KB_TRY(kb_arena_new(&writer->place.forms, sizeof(kb_amendment), &block, trail));
    KB_TRY(kb_arena_new(&writer->place.forms, size, &words, trail));
    kb_canonical_put(words, &known->digest, &known->key, op);
    if (known->id == KB_NONE)
        KB_TRY(kb_writer_learn(writer, known, trail));
    if (!known->has_nominal)
        kb_put_to_fields(known, &(kb_put){.index = op->index, .words = words}, op->issue_ps, known->nominal);
    known->has_nominal = true;
    const kb_digest digest = kb_digest_of(words, known->canonical_count * sizeof(uint64_t));
    KB_TRY(remember(writer, rank, op->index, &digest, trail));
    kb_amendment *amendment = block;
    *amendment = (kb_amendment){.rank = rank, .known = known, .index = op->index, .words = words};
    kb_out_file *file = kb_writer_file_of(writer, rank);
    if (file->late_last != NULL)
        file->late_last->next = amendment;
    else
        file->late = amendment;
    file->late_last = amendment;
    writer->place.size += 32 + 2 * (size_t)known->layout.count;
    return KB_OK;
}

kb_status kb_writer_amend(kb_writer *writer, uint32_t rank, const kb_op *op, kb_trail *trail) {
    if (writer->failed != KB_OK)
        return kb_fail(trail, writer->failed, "the trace %s failed earlier", writer->path);
    kb_status status = amend(writer, rank, op, trail);
    if (status == KB_OK && writer->place.size >= writer->open_limit)
        status = kb_writer_flush(writer, trail);
    if (status != KB_OK) {
        writer->failed = status;
        return kb_while(trail, status, "writing the trace %s", writer->path);
    }
    return KB_OK;
}

kb_status kb_writer_say_late(kb_writer *writer, kb_out_file *file, kb_trail *trail) {
    for (kb_amendment *late = file->late; late != NULL; late = late->next) {
        kb_packet *packet = &writer->late_packet;
        const kb_put put = {.index = late->index, .words = late->words};
        const int64_t issue_ps = (int64_t)le64toh(late->words[KB_CANONICAL_ISSUE]);
        packet->rank = late->rank;
        kb_packet_open(packet, ++writer->packets, late->index, issue_ps);
        KB_TRY(kb_packet_add(packet, late->known, &put, &writer->place, trail));
        KB_TRY(kb_packet_close(packet, KB_PACKET_LATE, &writer->raw, trail));
    }
    file->late = file->late_last = NULL;
    return KB_OK;
}
