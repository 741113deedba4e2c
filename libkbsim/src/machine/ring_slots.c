/* SPDX-License-Identifier: Apache-2.0 */
/* The list of rings that have a size of their own, in the order of their queues' names; see ring_slots.h. */
#include "machine/ring_slots.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/number.h"

static const char group[] = "ipcq.slots_of.";

const char *kbs_below_ring_slots(const char *path) {
    return strncmp(path, group, sizeof group - 1) == 0 ? path + sizeof group - 1 : NULL;
}

/* Takes "peN", with N as it is written in names; returns what stands behind it, or NULL. */
static const char *take_pe(const char *at) {
    if (strncmp(at, "pe", 2) != 0)
        return NULL;
    at += 2;
    const size_t digits = strspn(at, "0123456789");
    return digits == 0 || digits > 9 || (digits > 1 && *at == '0') ? NULL : at + digits;
}

/* "pe0>pe1", or "pe0>pe1.2" of a channel other than 0. */
static bool is_name(const char *queue) {
    const char *at = take_pe(queue);
    if (at == NULL || *at != '>' || (at = take_pe(at + 1)) == NULL)
        return false;
    if (*at == '\0')
        return true;
    const size_t digits = strspn(at + 1, "0123456789");
    return *at == '.' && digits > 0 && digits <= 9 && at[1] != '0' && at[1 + digits] == '\0';
}

/* The first that does not come before it. */
static size_t place_of(const kbs_machine *machine, const char *queue) {
    size_t low = 0, high = machine->ring_slots_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(machine->ring_slots[middle].queue, queue) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const kbs_ring_slots *kbs_ring_slots_of(const kbs_machine *machine, const char *queue) {
    const size_t at = place_of(machine, queue);
    const bool there = at < machine->ring_slots_count && strcmp(machine->ring_slots[at].queue, queue) == 0;
    return there ? &machine->ring_slots[at] : NULL;
}

static kb_status parse(const char *queue, const char *value, uint64_t *ret, kb_trail *trail) {
    const kbs_param *slots = kbs_param_describe(kbs_param_find("ipcq.slots"));
    if (kbs_parse_quantity(value, slots->unit, 1, ret) != KBS_NUMBER_FINE)
        return kb_fail(trail, KB_E_ARGUMENT, "%s%s: '%.60s' is no number of slots", group, queue, value);
    if (*ret < strtoull(slots->least, NULL, 10) || *ret > strtoull(slots->most, NULL, 10))
        return kb_fail(trail, KB_E_ARGUMENT, "%s%s: %s is out of range (%s to %s slots)", group, queue, value,
                       slots->least, slots->most);
    return KB_OK;
}

kb_status kbs_ring_slots_set(kbs_machine *machine, const char *queue, const char *value,
                             const kbs_origin *origin, kb_trail *trail) {
    kbs_ring_slots row = {.origin = *origin};
    if (!is_name(queue) || strlen(queue) >= sizeof row.queue)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "%s%.60s: no queue has such a name (try %spe0>pe1, or %spe0>pe1.2 of channel 2)",
                       group, queue, group, group);
    snprintf(row.queue, sizeof row.queue, "%s", queue);
    KB_TRY(parse(queue, value, &row.slots, trail));
    const size_t at = place_of(machine, queue);
    if (kbs_ring_slots_of(machine, queue) == NULL) {
        if (machine->ring_slots_count == KBS_RING_SLOTS)
            return kb_fail(trail, KB_E_ARGUMENT,
                           "%s%s: at most %d rings have a size of their own (ipcq.slots is that of all)",
                           group, queue, KBS_RING_SLOTS);
        memmove(&machine->ring_slots[at + 1], &machine->ring_slots[at],
                (machine->ring_slots_count - at) * sizeof row);
        machine->ring_slots_count++;
    }
    machine->ring_slots[at] = row;
    return KB_OK;
}

const char *kbs_ring_slots_path(const kbs_ring_slots *ring, char buffer[KBS_RING_PATH_CHARS]) {
    snprintf(buffer, KBS_RING_PATH_CHARS, "%s%s", group, ring->queue);
    return buffer;
}
