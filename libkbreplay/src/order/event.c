/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, edges and the search along them; see event.h. */
#include "order/event.h"

#include <assert.h>
#include <string.h>

#include "op/op.h"

/* A barrier: what its members had seen when they came. */
typedef struct kbr_crowd {
    struct kbr_crowd *next;
    uint32_t group;
    uint64_t id;
    size_t inside;
    uint32_t *clock;
} kbr_crowd;

typedef struct kbr_reached {
    kbr_event *event;
    unsigned point;
} kbr_reached;

/* --- clocks ------------------------------------------------------------------------------------ */

static size_t clock_size(const kbr_order *order) {
    size_t size = order->streams * sizeof(uint32_t);
    return size < sizeof(void *) ? sizeof(void *) : size;
}

/* A copy of `from`, or all zero. */
static kb_status new_clock(kbr_order *order, const uint32_t *from, uint32_t **ret_clock, kb_trail *trail) {
    void *block = order->spare_clocks;
    if (block != NULL)
        memcpy(&order->spare_clocks, block, sizeof(void *));
    else
        KB_TRY(kb_new(order->pass->alloc, clock_size(order), &block, trail));
    if (from != NULL)
        memcpy(block, from, order->streams * sizeof(uint32_t));
    else
        memset(block, 0, clock_size(order));
    *ret_clock = block;
    return KB_OK;
}

static void free_clock(kbr_order *order, uint32_t **clock) {
    if (*clock == NULL)
        return;
    memcpy(*clock, &order->spare_clocks, sizeof(void *));
    order->spare_clocks = *clock;
    *clock = NULL;
}

static void join(const kbr_order *order, uint32_t *to, const uint32_t *from) {
    for (size_t i = 0; from != NULL && i < order->streams; i++)
        to[i] = from[i] > to[i] ? from[i] : to[i];
}

/* As join, into a clock that may not be there yet. */
static kb_status join_new(kbr_order *order, uint32_t **to, const uint32_t *from, kb_trail *trail) {
    if (*to == NULL)
        return new_clock(order, from, to, trail);
    join(order, *to, from);
    return KB_OK;
}

const uint32_t *kbr_order_now(const kbr_order *order, uint32_t stream) {
    return order->chains[stream].clock;
}

/* --- events ------------------------------------------------------------------------------------ */

static kbr_event *find(const kbr_order *order, uint32_t rank, uint64_t index) {
    return (kbr_event *)kbr_table_find(&order->events, rank, index);
}

void kbr_event_hold(kbr_event *event) {
    event->refs++;
}

/* Events whose last reference an edge held go with it; `next_open` strings them together. */
void kbr_event_drop(kbr_order *order, kbr_event *event) {
    kbr_event *going = NULL;
    assert(event->refs > 0);
    if (--event->refs == 0) {
        event->next_open = NULL;
        going = event;
    }
    while (going != NULL) {
        kbr_event *it = going;
        going = it->next_open;
        while (it->edges != NULL) {
            kbr_edge *edge = it->edges;
            it->edges = edge->next;
            if (edge->event != NULL && --edge->event->refs == 0) {
                edge->event->next_open = going;
                going = edge->event;
            }
            edge->next = order->spare_edges;
            order->spare_edges = edge;
        }
        free_clock(order, &it->clock);
        it->next_open = order->spare_events;
        order->spare_events = it;
    }
}

/* Nobody can claim it any more. */
static void unlist(kbr_order *order, kbr_event *event) {
    if (!event->listed)
        return;
    event->listed = false;
    kbr_table_remove(&order->events, &event->node);
    free_clock(order, &event->clock);
    kbr_event_drop(order, event);
}

static void unlist_if_over(kbr_order *order, kbr_event *event) {
    bool waited = event->blocks == KB_BLOCKS_DONE || event->fenced || (event->observed && !event->chained);
    bool claimed = event->kind != KB_OP_IPCQ_RELEASE && event->kind != KB_OP_LAUNCH &&
                   (event->kind != KB_OP_IPCQ_COPY || event->received);
    if (waited && claimed)
        unlist(order, event);
}

static bool is_composite(const kb_op *op) {
    return strcmp(kb_kind_describe(op->what->kind)->id_name, "composite") == 0;
}

/* Ops of its engine or composite that claim it may start after somebody has waited for it. */
static bool has_followers(const kbr_order *order, const kb_op *op) {
    uint32_t engine = op->what->engine;
    return (is_composite(op) && op->id != 0) ||
           (engine != KB_NONE && order->pass->defs->engines[engine].promise == KB_PROMISE_TOTAL);
}

static kb_status new_event(kbr_order *order, uint32_t rank, const kb_op *op, uint32_t number,
                           kbr_event **ret_event, kb_trail *trail) {
    kbr_event *it = order->spare_events;
    if (it != NULL) {
        order->spare_events = it->next_open;
    } else {
        void *block;
        KB_TRY(kb_new(order->pass->alloc, sizeof *it, &block, trail));
        it = block;
    }
    *it = (kbr_event){.node = {.rank = rank, .index = op->index},
                      .refs = 1,
                      .listed = true,
                      .blocks = op->what->blocks,
                      .kind = op->what->kind,
                      .stream = op->what->stream,
                      .number = number,
                      .composite = is_composite(op) ? op->id : 0,
                      .chained = has_followers(order, op),
                      .who = kbr_mention_of(rank, op)};
    kb_status status = kbr_table_add(&order->events, &it->node, trail);
    if (status != KB_OK) {
        it->next_open = order->spare_events;
        order->spare_events = it;
        return status;
    }
    *ret_event = it;
    return KB_OK;
}

/* --- edges ------------------------------------------------------------------------------------- */

static kb_status add_edge(kbr_order *order, kbr_event *from, unsigned point, const kbr_edge *like,
                          kb_trail *trail) {
    kbr_edge *edge = order->spare_edges;
    if (edge != NULL) {
        order->spare_edges = edge->next;
    } else {
        void *block;
        KB_TRY(kb_new(order->pass->alloc, sizeof *edge, &block, trail));
        edge = block;
    }
    *edge = *like;
    edge->point = (uint8_t)point;
    edge->next = from->edges;
    from->edges = edge;
    if (edge->event != NULL)
        kbr_event_hold(edge->event);
    return KB_OK;
}

static kb_status add_bulk(kbr_order *order, kbr_bulks *bulks, kbr_bulk bulk, kb_trail *trail) {
    void *items = bulks->items;
    KB_TRY(kb_grow(order->pass->alloc, sizeof bulk, bulks->count + 1, &bulks->capacity, &items, trail));
    bulks->items = items;
    bulks->items[bulks->count++] = bulk;
    return KB_OK;
}

/* The first that observes op `number`, for a later one says less; NULL where none does. */
static const kbr_bulk *find_bulk(const kbr_bulks *bulks, uint32_t number) {
    size_t first = 0, end = bulks->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (bulks->items[middle].below > number)
            end = middle;
        else
            first = middle + 1;
    }
    return first < bulks->count ? &bulks->items[first] : NULL;
}

/* All former ops of the stream are done before its issue number `issues` - 1, and before `clock`. */
static kb_status observe_stream(kbr_order *order, uint32_t stream, uint32_t below, uint32_t issues,
                                uint32_t *clock, kb_trail *trail) {
    kbr_chain *chain = &order->chains[stream];
    KB_TRY(add_bulk(order, &chain->fences, (kbr_bulk){below, stream, issues}, trail));
    join(order, clock, chain->async);
    free_clock(order, &chain->async);
    kbr_event **at = &chain->open;
    while (*at != NULL) {
        kbr_event *it = *at;
        if (it->number >= below) {
            at = &it->next_open;
            continue;
        }
        *at = it->next_open;
        it->next_open = NULL;
        it->fenced = true;
        unlist_if_over(order, it);
        kbr_event_drop(order, it);
    }
    return KB_OK;
}

/* All that a rank's PEs did in a launch is done before an issue of the host. */
static kb_status observe_launch(kbr_order *order, uint32_t host, uint64_t launch, uint32_t issues,
                                uint32_t *clock, kb_trail *trail) {
    uint32_t rank = order->pass->defs->streams[host].rank;
    for (uint32_t stream = 0; stream < order->streams; stream++) {
        kbr_chain *chain = &order->chains[stream];
        if (order->pass->defs->streams[stream].rank != rank || chain->launch != launch || stream == host)
            continue;
        KB_TRY(add_bulk(order, &chain->launches, (kbr_bulk){chain->issues, host, issues}, trail));
        join(order, clock, chain->clock);
        join(order, clock, chain->async);
    }
    return KB_OK;
}

/* --- issue ------------------------------------------------------------------------------------- */

/* Does anybody ask for the op later: as the last to touch bytes, or as what it claims? */
static bool matters(const kb_op *op) {
    const kb_template *what = op->what;
    return (what->operand_count != 0 && kbr_op_flow(what) != KBR_FLOW_NONE) ||
           what->blocks != KB_BLOCKS_DONE || what->kind == KB_OP_IPCQ_COPY ||
           what->kind == KB_OP_IPCQ_RELEASE || what->kind == KB_OP_LAUNCH;
}

static kb_status enter_crowd(kbr_order *order, const kb_op *op, const uint32_t *clock, kb_trail *trail) {
    kbr_crowd *it = order->crowds;
    while (it != NULL && (it->group != op->what->group || it->id != op->id))
        it = it->next;
    if (it == NULL) {
        void *block;
        KB_TRY(kb_new_zeroed(order->pass->alloc, sizeof *it, &block, trail));
        it = block;
        *it = (kbr_crowd){.next = order->crowds, .group = op->what->group, .id = op->id};
        order->crowds = it;
    }
    it->inside++;
    return join_new(order, &it->clock, clock, trail);
}

static kb_status claim_at_issue(kbr_order *order, uint32_t rank, const kb_op *op, uint32_t number,
                                kb_trail *trail) {
    kbr_chain *chain = &order->chains[op->what->stream];
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        const kb_claim *claim = &op->what->claims[i];
        if (claim->role == KB_ROLE_OBSERVED && claim->set == KB_SET_STREAM)
            KB_TRY(observe_stream(order, op->what->stream, number, number + 1, chain->clock, trail));
        if (claim->role != KB_ROLE_LAUNCH || claim->set != KB_SET_ONE || claim->rank != rank)
            continue;
        const kbr_event *launch = find(order, rank, op->claimed[i]);
        if (launch != NULL && launch->kind == KB_OP_LAUNCH)
            join(order, chain->clock,
                 launch->clock != NULL ? launch->clock : order->chains[launch->stream].clock);
        chain->launch = op->claimed[i] + 1;
    }
    return KB_OK;
}

kb_status kbr_order_issue(kbr_order *order, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kb_template *what = op->what;
    kbr_chain *chain = &order->chains[what->stream];
    uint32_t number = chain->issues++;
    if (chain->clock == NULL)
        KB_TRY(new_clock(order, NULL, &chain->clock, trail));
    chain->clock[what->stream] = chain->issues;
    if (chain->former != 0) {
        KB_TRY(observe_launch(order, what->stream, chain->former, chain->issues, chain->clock, trail));
        chain->former = 0;
    }
    KB_TRY(claim_at_issue(order, rank, op, number, trail));
    if (kbr_op_impl_of(what->kind)->joins)
        KB_TRY(enter_crowd(order, op, chain->clock, trail));
    if (!matters(op))
        return KB_OK;
    kbr_event *event;
    KB_TRY(new_event(order, rank, op, number, &event, trail));
    if (what->blocks == KB_BLOCKS_NO)
        KB_TRY(new_clock(order, chain->clock, &event->clock, trail));
    if (what->blocks != KB_BLOCKS_DONE) {
        kbr_event_hold(event);
        event->next_open = chain->open;
        chain->open = event;
    }
    return KB_OK;
}

/* --- start ------------------------------------------------------------------------------------- */

static void leave_crowd(kbr_order *order, const kb_op *op, uint32_t *clock) {
    kbr_crowd **at = &order->crowds;
    while (*at != NULL && ((*at)->group != op->what->group || (*at)->id != op->id))
        at = &(*at)->next;
    kbr_crowd *it = *at;
    if (it == NULL)
        return;
    join(order, clock, it->clock);
    if (--it->inside > 0)
        return;
    *at = it->next;
    free_clock(order, &it->clock);
    kb_delete(order->pass->alloc, it, sizeof *it);
}

/* One op that is claimed at the start; `here` is where the claim's edge leads to. */
static kb_status claim_one(kbr_order *order, kbr_event *whom, const kb_claim *claim, const kbr_edge *here,
                           uint32_t *clock, kb_trail *trail) {
    join(order, clock, whom->clock);
    KB_TRY(add_edge(order, whom, claim->point, here, trail));
    whom->received = whom->received || claim->role == KB_ROLE_COPY;
    bool done =
        claim->point == KB_POINT_DONE || whom->kind == KB_OP_IPCQ_COPY; /* nobody waits for it twice */
    whom->observed = whom->observed || (claim->role == KB_ROLE_AWAITED && done);
    if (claim->role == KB_ROLE_CREDIT && whom->kind == KB_OP_IPCQ_RELEASE)
        unlist(order, whom);
    else
        unlist_if_over(order, whom);
    return KB_OK;
}

static kb_status claim_at_start(kbr_order *order, const kb_op *op, const kbr_edge *here, uint32_t *clock,
                                bool *ret_joined, kb_trail *trail) {
    uint32_t stream = op->what->stream, issued = order->chains[stream].issues;
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        const kb_claim *claim = &op->what->claims[i];
        if (claim->role == KB_ROLE_OBSERVED || claim->role == KB_ROLE_LAUNCH ||
            claim->role == KB_ROLE_COMPLETION)
            continue;
        if (claim->set == KB_SET_STREAM &&
            here->event == NULL) /* a fence that does not block shows nothing */
            KB_TRY(observe_stream(order, stream, issued - 1, here->issues, clock, trail));
        if (claim->set != KB_SET_ONE)
            continue;
        kbr_event *whom = find(order, claim->rank, op->claimed[i]);
        if (whom == NULL)
            continue;
        if (whom->kind == KB_OP_LAUNCH && here->event == NULL)
            KB_TRY(observe_launch(order, stream, whom->node.index + 1, here->issues, clock, trail));
        *ret_joined = *ret_joined || whom->clock != NULL;
        KB_TRY(claim_one(order, whom, claim, here, clock, trail));
    }
    return KB_OK;
}

static bool completes(const kb_op *op, unsigned set) {
    for (uint32_t i = 0; i < op->what->claim_count; i++)
        if (op->what->claims[i].role == KB_ROLE_COMPLETION && op->what->claims[i].set == set)
            return set != KB_SET_LAUNCHED || op->what->blocks == KB_BLOCKS_DONE;
    return false;
}

/* What is open of a composite is done before the op that completes it is. */
static kb_status complete_composite(kbr_order *order, const kb_op *op, kbr_event *event, kb_trail *trail) {
    if (event->composite == 0 || !completes(op, KB_SET_COMPOSITE))
        return KB_OK;
    for (uint32_t stream = 0; stream < order->streams; stream++) {
        kbr_event *it =
            order->pass->defs->streams[stream].rank == event->node.rank ? order->chains[stream].open : NULL;
        for (; it != NULL; it = it->next_open)
            if (it->composite == event->composite && it != event)
                KB_TRY(
                    add_edge(order, it, KB_POINT_DONE, &(kbr_edge){.event = event, .to_done = true}, trail));
    }
    return KB_OK;
}

kb_status kbr_order_start(kbr_order *order, uint32_t rank, const kb_op *op, kbr_event **ret_event,
                          kbr_point *ret_start, kb_trail *trail) {
    const kb_template *what = op->what;
    kbr_chain *chain = &order->chains[what->stream];
    kbr_event *event = find(order, rank, op->index);
    uint32_t *clock = event != NULL && event->clock != NULL ? event->clock : chain->clock;
    uint32_t number = event != NULL ? event->number : chain->issues - 1;
    kbr_edge here = {.stream = what->stream, .issues = number + 2};
    if (event != NULL) /* its own edges go on from there */
        here = (kbr_edge){.event = event};
    bool joined = false;
    KB_TRY(claim_at_start(order, op, &here, clock, &joined, trail));
    if (kbr_op_impl_of(what->kind)->joins)
        leave_crowd(order, op, clock);
    if (joined && what->blocks == KB_BLOCKS_NO)
        KB_TRY(join_new(order, &chain->async, clock, trail));
    bool claimable = what->kind == KB_OP_IPCQ_COPY || what->kind == KB_OP_IPCQ_RELEASE;
    if (event != NULL && event->clock == NULL && claimable)
        KB_TRY(new_clock(order, clock, &event->clock, trail));
    if (event != NULL)
        KB_TRY(complete_composite(order, op, event, trail));
    chain->former = completes(op, KB_SET_LAUNCHED) ? op->index + 1 : chain->former;
    if (event != NULL)
        kbr_event_hold(event);
    *ret_event = event;
    *ret_start = (kbr_point){clock, event};
    return KB_OK;
}

void kbr_order_started(kbr_order *order, kbr_event *event) {
    if (event == NULL)
        return;
    unlist_if_over(order, event);
    kbr_event_drop(order, event);
}

/* --- search ------------------------------------------------------------------------------------ */

static kb_status push(kbr_order *order, size_t *count, kbr_event *event, unsigned point, kb_trail *trail) {
    uint64_t *seen = point == KB_POINT_SENT ? &event->seen_sent : &event->seen_done;
    if (*seen == order->search)
        return KB_OK;
    *seen = order->search;
    void *stack = order->stack;
    KB_TRY(
        kb_grow(order->pass->alloc, sizeof(kbr_reached), *count + 1, &order->stack_capacity, &stack, trail));
    order->stack = stack;
    order->stack[(*count)++] = (kbr_reached){event, point};
    return KB_OK;
}

/* Does a clock know the chain behind a point of the event, by what its own stream does? */
static bool stream_passes(const kbr_order *order, const kbr_event *it, unsigned point,
                          const uint32_t *clock) {
    const kbr_chain *chain = &order->chains[it->stream];
    bool blocks = it->blocks == KB_BLOCKS_DONE || (it->blocks == KB_BLOCKS_SENT && point == KB_POINT_SENT);
    if (blocks && clock[it->stream] >= it->number + 2)
        return true;
    const kbr_bulk *fence = find_bulk(&chain->fences, it->number);
    const kbr_bulk *launch = find_bulk(&chain->launches, it->number);
    return (fence != NULL && clock[fence->stream] >= fence->issues) ||
           (launch != NULL && clock[launch->stream] >= launch->issues);
}

kb_status kbr_order_reaches(kbr_order *order, kbr_event *from, unsigned point, const kbr_point *to,
                            bool *ret_reaches, kb_trail *trail) {
    size_t count = 0;
    order->search++;
    *ret_reaches = true;
    KB_TRY(push(order, &count, from, point, trail));
    while (count > 0) {
        kbr_reached at = order->stack[--count];
        if (stream_passes(order, at.event, at.point, to->clock))
            return KB_OK;
        for (const kbr_edge *edge = at.event->edges; edge != NULL; edge = edge->next) {
            if (edge->point < at.point)
                continue;
            bool there = edge->event == NULL ? to->clock[edge->stream] >= edge->issues
                                             : edge->event == to->event && !edge->to_done;
            if (there)
                return KB_OK;
            if (edge->event != NULL) /* from its start its sent is reached */
                KB_TRY(
                    push(order, &count, edge->event, edge->to_done ? KB_POINT_DONE : KB_POINT_SENT, trail));
        }
    }
    *ret_reaches = false;
    return KB_OK;
}

/* --- life -------------------------------------------------------------------------------------- */

kb_status kbr_order_init(kbr_order *order, const kbr_pass *pass, kb_trail *trail) {
    void *block;
    *order = (kbr_order){.pass = pass, .streams = pass->defs->stream_count};
    kbr_table_init(&order->events, pass->alloc);
    KB_TRY(kb_new_zeroed(pass->alloc, (order->streams + 1) * sizeof(kbr_chain), &block, trail));
    order->chains = block;
    return KB_OK;
}

static void free_clocks(kbr_order *order) {
    while (order->spare_clocks != NULL) {
        void *block = order->spare_clocks;
        memcpy(&order->spare_clocks, block, sizeof(void *));
        kb_delete(order->pass->alloc, block, clock_size(order));
    }
}

void kbr_order_fini(kbr_order *order) {
    const kb_alloc *alloc = order->pass->alloc;
    for (size_t i = 0; order->chains != NULL && i < order->streams; i++) {
        kbr_chain *chain = &order->chains[i];
        free_clock(order, &chain->clock);
        free_clock(order, &chain->async);
        while (chain->open != NULL) {
            kbr_event *it = chain->open;
            chain->open = it->next_open;
            it->next_open = NULL;
            kbr_event_drop(order, it);
        }
        kb_delete(alloc, chain->fences.items, chain->fences.capacity * sizeof(kbr_bulk));
        kb_delete(alloc, chain->launches.items, chain->launches.capacity * sizeof(kbr_bulk));
    }
    kbr_node *node;
    while ((node = kbr_table_take(&order->events)) != NULL)
        kbr_event_drop(order, (kbr_event *)node);
    kbr_table_fini(&order->events);
    while (order->crowds != NULL) {
        kbr_crowd *it = order->crowds;
        order->crowds = it->next;
        free_clock(order, &it->clock);
        kb_delete(alloc, it, sizeof *it);
    }
    free_clocks(order);
    for (kbr_event *it = order->spare_events, *next; it != NULL; it = next) {
        next = it->next_open;
        kb_delete(alloc, it, sizeof *it);
    }
    for (kbr_edge *it = order->spare_edges, *next; it != NULL; it = next) {
        next = it->next;
        kb_delete(alloc, it, sizeof *it);
    }
    kb_delete(alloc, order->stack, order->stack_capacity * sizeof(kbr_reached));
    kb_delete(alloc, order->chains, (order->streams + 1) * sizeof(kbr_chain));
}
