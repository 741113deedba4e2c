/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peer: an OTF2 archive, a location a rank. Ops of a stream overlap, which enter and leave events
 * cannot say, so that a record is a metric event at its issue, whose values are the record's
 * numbers, and whose metric class says how many there are of each. What many records share is a
 * text among the definitions, whose number is the first value: more than OTF2 asks for, and the
 * smallest that it can be. What is lost: OTF2's own tools see numbers, not operands, claims, waiting.
 */
#include <stdio.h>
#include <stdlib.h>

#include <otf2/otf2.h>

#include "common/folder.h"
#include "common/must.h"
#include "peers/peer.h"

enum { FIXED = 11, PER_WHY = 4, VALUES = FIXED + BENCH_OPERANDS + BENCH_CLAIMS + PER_WHY * BENCH_WHYS };
enum { CLASSES = (BENCH_OPERANDS + 1) * (BENCH_CLAIMS + 1) * (BENCH_WHYS + 1), TEXT_CHARS = 2048 };

static void must(OTF2_ErrorCode code) {
    bench_must(code == OTF2_SUCCESS, OTF2_Error_GetName(code));
}

static uint32_t class_of(uint32_t operands, uint32_t claims, uint32_t whys) {
    return operands + (BENCH_OPERANDS + 1) * (claims + (BENCH_CLAIMS + 1) * whys);
}

/* --- writing --------------------------------------------------------------------------------------- */

typedef struct writing {
    OTF2_Archive *archive;
    const char *path;
    uint32_t ranks;
    OTF2_EvtWriter **writers;
    uint64_t *events;          /* of each rank */
    const kb_template **whats; /* by number */
    size_t what_capacity;
    OTF2_Type types[VALUES];
} writing;

static OTF2_FlushType before_flush(void *data, OTF2_FileType type, OTF2_LocationRef location, void *caller,
                                   bool final) {
    (void)data, (void)type, (void)location, (void)caller, (void) final;
    return OTF2_FLUSH;
}

static OTF2_TimeStamp after_flush(void *data, OTF2_FileType type, OTF2_LocationRef location) {
    (void)data, (void)type, (void)location;
    return 0;
}

static void *begin(const bench_ring *ring, const char *path) {
    static const OTF2_FlushCallbacks flush = {before_flush, after_flush};
    writing *to = bench_new(sizeof *to);
    to->path = path;
    to->ranks = bench_ring_run(ring)->ranks;
    to->archive =
        OTF2_Archive_Open(path, "trace", OTF2_FILEMODE_WRITE, OTF2_CHUNK_SIZE_MIN,
                          OTF2_CHUNK_SIZE_DEFINITIONS_DEFAULT, OTF2_SUBSTRATE_POSIX, OTF2_COMPRESSION_NONE);
    bench_must(to->archive != NULL, "opening an OTF2 archive");
    must(OTF2_Archive_SetFlushCallbacks(to->archive, &flush, NULL));
    must(OTF2_Archive_SetSerialCollectiveCallbacks(to->archive));
    must(OTF2_Archive_OpenEvtFiles(to->archive));
    to->writers = bench_new(to->ranks * sizeof(OTF2_EvtWriter *));
    to->events = bench_new(to->ranks * sizeof *to->events);
    for (uint32_t rank = 0; rank < to->ranks; rank++)
        to->writers[rank] = OTF2_Archive_GetEvtWriter(to->archive, rank);
    for (size_t i = 0; i < VALUES; i++)
        to->types[i] = OTF2_TYPE_UINT64;
    return to;
}

static void remember(writing *to, uint32_t number, const kb_template *what) {
    if (number >= to->what_capacity) {
        size_t capacity = 2 * (size_t)number + 64;
        to->whats = realloc(to->whats, capacity * sizeof(kb_template *));
        bench_must(to->whats != NULL, "allocating memory");
        for (; to->what_capacity < capacity; to->what_capacity++)
            to->whats[to->what_capacity] = NULL;
    }
    to->whats[number] = what;
}

static uint8_t fill(OTF2_MetricValue *value, const bench_record *record) {
    const kb_op *op = &record->op;
    const kb_template *what = op->what;
    const uint64_t fixed[FIXED] = {record->what,
                                   (uint64_t)(op->start_ps - op->issue_ps),
                                   (uint64_t)(op->sent_ps - op->start_ps),
                                   (uint64_t)(op->done_ps - op->sent_ps),
                                   op->step,
                                   op->sequence,
                                   op->id,
                                   op->tile,
                                   op->collective,
                                   op->value,
                                   op->payload_size};
    uint8_t count = 0;
    for (size_t i = 0; i < FIXED; i++)
        value[count++].unsigned_int = fixed[i];
    for (uint32_t i = 0; i < what->operand_count; i++)
        value[count++].unsigned_int = op->offsets[i];
    for (uint32_t i = 0; i < what->claim_count; i++)
        value[count++].unsigned_int = op->claimed[i];
    for (uint32_t i = 0; i < what->why_count; i++) {
        value[count++].unsigned_int = (uint64_t)op->blames[i].ps;
        value[count++].unsigned_int = (uint64_t)op->blames[i].resource + 1;
        value[count++].unsigned_int = op->blames[i].rank;
        value[count++].unsigned_int = op->blames[i].op;
    }
    return count;
}

static void put(void *state, const bench_record *records, size_t count) {
    writing *to = state;
    for (size_t i = 0; i < count; i++) {
        const bench_record *record = &records[i];
        const kb_template *what = record->op.what;
        OTF2_MetricValue values[VALUES];
        remember(to, record->what, what);
        uint8_t filled = fill(values, record);
        must(OTF2_EvtWriter_Metric(to->writers[record->rank], NULL, (OTF2_TimeStamp)record->op.issue_ps,
                                   class_of(what->operand_count, what->claim_count, what->why_count), filled,
                                   to->types, values));
        to->events[record->rank]++;
    }
}

/* Every number of a template, as text. */
static void describe(const kb_template *what, char *text) {
    size_t at = (size_t)snprintf(text, TEXT_CHARS, "%u %u %u %u %u %u %u %u %u %u %u %u %u %u", what->kind,
                                 what->blocks, what->reached, what->stream, what->engine, what->queue,
                                 what->route, what->group, what->func, what->flags, what->step, what->kernel,
                                 what->file, what->line);
    for (uint32_t i = 0; i < what->operand_count; i++) {
        const kb_operand *o = &what->operands[i];
        at += (size_t)snprintf(text + at, TEXT_CHARS - at, ", %u %u %u", o->memory, o->access, o->dtype);
        for (uint32_t d = 0; d < o->dims; d++)
            at += (size_t)snprintf(text + at, TEXT_CHARS - at, " %llux%lld", (unsigned long long)o->shape[d],
                                   (long long)o->stride[d]);
    }
    for (uint32_t i = 0; i < what->claim_count; i++)
        at += (size_t)snprintf(text + at, TEXT_CHARS - at, ", %u %u %u %u", what->claims[i].rank,
                               what->claims[i].role, what->claims[i].point, what->claims[i].set);
    for (uint32_t i = 0; i < what->why_count; i++)
        at += (size_t)snprintf(text + at, TEXT_CHARS - at, ", %u %u %u", what->whys[i].cause,
                               what->whys[i].resource, what->whys[i].blames);
}

static void define_metrics(OTF2_GlobalDefWriter *defs) {
    OTF2_MetricMemberRef members[VALUES];
    for (uint8_t i = 0; i < VALUES; i++) {
        members[i] = i;
        must(OTF2_GlobalDefWriter_WriteMetricMember(defs, i, 0, 0, OTF2_METRIC_TYPE_USER,
                                                    OTF2_METRIC_ABSOLUTE_POINT, OTF2_TYPE_UINT64,
                                                    OTF2_BASE_DECIMAL, 0, 0));
    }
    for (uint32_t whys = 0; whys <= BENCH_WHYS; whys++)
        for (uint32_t claims = 0; claims <= BENCH_CLAIMS; claims++)
            for (uint32_t operands = 0; operands <= BENCH_OPERANDS; operands++)
                must(OTF2_GlobalDefWriter_WriteMetricClass(
                    defs, class_of(operands, claims, whys),
                    (uint8_t)(FIXED + operands + claims + PER_WHY * whys), members, OTF2_METRIC_ASYNCHRONOUS,
                    OTF2_RECORDER_KIND_CPU));
}

static void define(writing *to, const bench_ring *ring) {
    OTF2_GlobalDefWriter *defs = OTF2_Archive_GetGlobalDefWriter(to->archive);
    char text[TEXT_CHARS];
    must(OTF2_GlobalDefWriter_WriteClockProperties(
        defs, 1000000000000, 0, (uint64_t)bench_ring_end_ps(ring) + 1, OTF2_UNDEFINED_TIMESTAMP));
    must(OTF2_GlobalDefWriter_WriteString(defs, 0, ""));
    for (size_t i = 0; i < to->what_capacity; i++) {
        if (to->whats[i] == NULL)
            continue;
        describe(to->whats[i], text);
        must(OTF2_GlobalDefWriter_WriteString(defs, (OTF2_StringRef)(i + 1), text));
    }
    must(OTF2_GlobalDefWriter_WriteSystemTreeNode(defs, 0, 0, 0, OTF2_UNDEFINED_SYSTEM_TREE_NODE));
    for (uint32_t rank = 0; rank < to->ranks; rank++) {
        must(OTF2_GlobalDefWriter_WriteLocationGroup(defs, rank, 0, OTF2_LOCATION_GROUP_TYPE_PROCESS, 0,
                                                     OTF2_UNDEFINED_LOCATION_GROUP));
        must(OTF2_GlobalDefWriter_WriteLocation(defs, rank, 0, OTF2_LOCATION_TYPE_CPU_THREAD,
                                                to->events[rank], rank));
    }
    define_metrics(defs);
    must(OTF2_Archive_CloseGlobalDefWriter(to->archive, defs));
}

static uint64_t finish(void *state, const bench_ring *ring) {
    writing *to = state;
    for (uint32_t rank = 0; rank < to->ranks; rank++)
        must(OTF2_Archive_CloseEvtWriter(to->archive, to->writers[rank]));
    must(OTF2_Archive_CloseEvtFiles(to->archive));
    define(to, ring);
    must(OTF2_Archive_Close(to->archive));
    uint64_t bytes = bench_size_of(to->path);
    free(to->writers);
    free(to->events);
    free(to->whats);
    free(to);
    return bytes;
}

/* --- reading --------------------------------------------------------------------------------------- */

typedef struct reading {
    bench_sum *sum;
    uint64_t *indices; /* of each rank's next record */
    uint64_t *locations;
    size_t location_count;
} reading;

static OTF2_CallbackCode take_location(void *data, OTF2_LocationRef self, OTF2_StringRef name,
                                       OTF2_LocationType type, uint64_t events, OTF2_LocationGroupRef group) {
    (void)name, (void)type, (void)events, (void)group;
    reading *to = data;
    to->locations[to->location_count++] = self;
    return OTF2_CALLBACK_SUCCESS;
}

static OTF2_CallbackCode take_record(OTF2_LocationRef location, OTF2_TimeStamp time, uint64_t position,
                                     void *data, OTF2_AttributeList *attributes, OTF2_MetricRef class,
                                     uint8_t count, const OTF2_Type *types, const OTF2_MetricValue *v) {
    (void)position, (void)attributes, (void)types;
    reading *to = data;
    uint32_t operands = class % (BENCH_OPERANDS + 1),
             claims = class / (BENCH_OPERANDS + 1) % (BENCH_CLAIMS + 1);
    uint64_t start = time + v[1].unsigned_int, sent = start + v[2].unsigned_int,
             done = sent + v[3].unsigned_int;
    uint64_t sum = bench_four(location, to->indices[location]++, time, start) +
                   bench_four(v[4].unsigned_int, v[5].unsigned_int, sent, done) +
                   bench_four(v[6].unsigned_int, v[7].unsigned_int, v[8].unsigned_int, v[9].unsigned_int) +
                   v[10].unsigned_int;
    uint32_t i = FIXED;
    for (uint32_t end = i + operands; i < end; i++)
        sum += 3 * v[i].unsigned_int;
    for (uint32_t end = i + claims; i < end; i++)
        sum += 5 * v[i].unsigned_int;
    for (; i < count; i += PER_WHY)
        sum += bench_four(v[i + 2].unsigned_int, v[i].unsigned_int, (uint32_t)(v[i + 1].unsigned_int - 1),
                          v[i + 3].unsigned_int);
    to->sum->records++;
    to->sum->numbers += sum;
    to->sum->words += v[0].unsigned_int;
    return OTF2_CALLBACK_SUCCESS;
}

static void learn_locations(OTF2_Reader *reader, reading *to) {
    uint64_t count, done;
    must(OTF2_Reader_GetNumberOfLocations(reader, &count));
    to->locations = bench_new(count * sizeof *to->locations);
    to->indices = bench_new(count * sizeof *to->indices);
    OTF2_GlobalDefReader *defs = OTF2_Reader_GetGlobalDefReader(reader);
    OTF2_GlobalDefReaderCallbacks *calls = OTF2_GlobalDefReaderCallbacks_New();
    must(OTF2_GlobalDefReaderCallbacks_SetLocationCallback(calls, take_location));
    must(OTF2_Reader_RegisterGlobalDefCallbacks(reader, defs, calls, to));
    OTF2_GlobalDefReaderCallbacks_Delete(calls);
    must(OTF2_Reader_ReadAllGlobalDefinitions(reader, defs, &done));
}

static void read_all(const char *path, bench_sum *sum) {
    char anchor[4096];
    reading to = {.sum = sum};
    uint64_t done;
    snprintf(anchor, sizeof anchor, "%s/trace.otf2", path);
    OTF2_Reader *reader = OTF2_Reader_Open(anchor);
    bench_must(reader != NULL, anchor);
    must(OTF2_Reader_SetSerialCollectiveCallbacks(reader));
    learn_locations(reader, &to);
    for (size_t i = 0; i < to.location_count; i++)
        must(OTF2_Reader_SelectLocation(reader, to.locations[i]));
    must(OTF2_Reader_OpenEvtFiles(reader));
    OTF2_EvtReaderCallbacks *calls = OTF2_EvtReaderCallbacks_New();
    must(OTF2_EvtReaderCallbacks_SetMetricCallback(calls, take_record));
    for (size_t i = 0; i < to.location_count; i++) {
        OTF2_EvtReader *events = OTF2_Reader_GetEvtReader(reader, to.locations[i]);
        must(OTF2_Reader_RegisterEvtCallbacks(reader, events, calls, &to));
        must(OTF2_Reader_ReadAllLocalEvents(reader, events, &done));
        must(OTF2_Reader_CloseEvtReader(reader, events));
    }
    OTF2_EvtReaderCallbacks_Delete(calls);
    must(OTF2_Reader_CloseEvtFiles(reader));
    must(OTF2_Reader_Close(reader));
    free(to.locations);
    free(to.indices);
}

const bench_peer bench_otf2 = {
    .name = "OTF2",
    .about =
        "an archive with a location a rank and a metric event a record; a text a template; uncompressed, as "
        "Debian builds it",
    .folder = true,
    .own_words = true,
    .begin = begin,
    .put = put,
    .finish = finish,
    .read = read_all,
};
