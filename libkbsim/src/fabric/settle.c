/* SPDX-License-Identifier: Apache-2.0 */
/* Routes as steps: which links decide who goes on, follow, or let everything through; see link.h. */
#include <assert.h>

#include "fabric/link.h"

static void forget(const kbs_route *route) {
    for (uint32_t i = 0; i < route->link_count; i++) {
        kbs_link *link = route->links[i];
        link->channels = 0;
        link->is_entry = link->is_joint = false;
        link->before = NULL;
    }
}

static void learn(const kbs_route *route) {
    for (uint32_t i = 0; i < route->link_count; i++) {
        kbs_link *link = route->links[i];
        link->channels |= route->channels;
        if (i == 0)
            link->is_entry = true;
        else if (link->before == NULL)
            link->before = route->links[i - 1];
        else if (link->before != route->links[i - 1])
            link->is_joint = true;
    }
}

static uint8_t pass_of(const kbs_link *link, bool fuse) {
    if (!fuse || link->is_entry || link->is_joint || link->reserves)
        return KBS_DECIDES;
    if (link->flit_ps <= link->before->flit_ps)
        return KBS_LETS_THROUGH;
    const bool one_channel = (link->channels & (link->channels - 1)) == 0;
    return one_channel ? KBS_FOLLOWS : KBS_DECIDES;
}

static void find_steps(kbs_route *route) {
    route->step_count = route->spared = 0;
    for (uint32_t i = 0; i < route->link_count; i++) {
        kbs_link *link = route->links[i];
        if (link->pass == KBS_LETS_THROUGH)
            route->steps[route->step_count - 1].delay_ps += link->latency_ps;
        else
            route->steps[route->step_count++] = (kbs_step){link, link->latency_ps};
        route->spared += link->pass != KBS_DECIDES;
    }
    route->steps[route->step_count] = (kbs_step){NULL, 0};
}

kb_status kbs_routes_settle(kbs_route *const *routes, size_t count, bool fuse, kb_arena *arena,
                            kb_trail *trail) {
    for (size_t i = 0; i < count; i++)
        forget(routes[i]);
    for (size_t i = 0; i < count; i++)
        learn(routes[i]);
    for (size_t i = 0; i < count; i++) {
        kbs_route *route = routes[i];
        assert(route->link_count > 0 && route->channels != 0);
        void *steps;
        KB_TRY(kb_arena_new(arena, (route->link_count + 1) * sizeof(kbs_step), &steps, trail));
        route->steps = steps;
        for (uint32_t j = 0; j < route->link_count; j++)
            route->links[j]->pass = pass_of(route->links[j], fuse);
        find_steps(route);
    }
    return KB_OK;
}
