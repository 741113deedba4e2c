/* SPDX-License-Identifier: Apache-2.0 */
/* Who may get in line, by times; see line.h. */
#include "pe/line.h"

#include <assert.h>

#include "pe/sim.h"

bool kbs_line_enter(kbs_line *line, kbs_pe *pe, int64_t ready_ps) {
    const uint32_t depth = pe->sim->costs.depth;
    if (line->entered >= depth) {
        if (line->entered - depth >= line->begun) {
            pe->full = line;
            return false;
        }
        const int64_t room_ps = line->begins[line->enter_place]; /* that of the one `depth` before it */
        if (room_ps > ready_ps) {
            pe->full = NULL;
            pe->room_ps = room_ps;
            return false;
        }
    }
    line->entered++;
    line->enter_place = line->enter_place + 1 < depth ? line->enter_place + 1 : 0;
    return true;
}

/* Room for the begins of as many commands as have entered, and of no more than `depth`. */
static bool grow(kbs_line *line, kbs_sim *sim) {
    void *memory;
    uint32_t places = line->places > 0 ? line->places * 2 : 8;
    places = places < sim->costs.depth ? places : sim->costs.depth;
    const kb_status status = kb_arena_new(&sim->arena, places * sizeof(int64_t), &memory, &sim->trail);
    if (status != KB_OK) {
        kbs_sim_fail(sim, status);
        return false;
    }
    int64_t *begins = memory;
    for (uint32_t i = 0; i < line->places; i++)
        begins[i] = line->begins[i];
    line->begins = begins;
    line->places = places;
    return true;
}

void kbs_line_begin(kbs_line *line, kbs_pe *pe, int64_t begin_ps) {
    const uint32_t place = line->begin_place;
    assert(line->begun < line->entered);
    if (place >= line->places && !grow(line, pe->sim))
        return;
    line->begins[place] = begin_ps;
    line->begin_place = place + 1 < pe->sim->costs.depth ? place + 1 : 0;
    line->begun++;
    kbs_pe_room(pe, line, begin_ps);
}
