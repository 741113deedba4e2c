/* SPDX-License-Identifier: Apache-2.0 */
/* Events and edges: what each op joins as it is issued and starts; see event.h. */
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
    uint32_t chain; /* which all who came have joined */
} kbr_crowd;

/* --- events ------------------------------------------------------------------------------------ */

static kbr_event *find(const kbr_order *order, uint32_t rank, uint64_t index) {
    return (kbr_event *)kbr_table_find(&order->events, rank, index);
}

kbr_mention kbr_event_mention(const kbr_event *event) {
    return kbr_mention_of_number(event->node.rank, event->node.index);
}

void kbr_event_hold(kbr_event *event) {
    event->refs++;
}

static void forget_claims(kbr_order *order, kbr_event *event) {
    if (event->more == NULL)
        return;
    *(void **)event->more = order->spare_claimables;
    order->spare_claimables = event->more;
    event->more = NULL;
    event->search = 0;
}

/* Events whose last reference an edge held go with it; `node.next` strings them together. */
static void forget(kbr_order *order, kbr_event *event) {
    event->node.next = NULL;
    for (kbr_event *going = event; going != NULL;) {
        kbr_event *it = going;
        going = (kbr_event *)it->node.next;
        while (it->edges != NULL) {
            kbr_edge *edge = it->edges;
            it->edges = edge->next;
            if (edge->event != NULL && --edge->event->refs == 0) {
                edge->event->node.next = (kbr_node *)going;
                going = edge->event;
            }
            edge->next = order->spare_edges;
            order->spare_edges = edge;
        }
        forget_claims(order, it);
        it->node.next = (kbr_node *)order->spare_events;
        order->spare_events = it;
    }
}

void kbr_event_drop(kbr_order *order, kbr_event *event) {
    assert(event->refs > 0);
    if (--event->refs == 0)
        forget(order, event);
}

static void enter_open(kbr_chain *chain, kbr_event *event) {
    kbr_event_hold(event);
    event->more->opened = true;
    event->more->next_open = chain->open;
    if (chain->open != NULL)
        chain->open->more->former_open = event;
    chain->open = event;
}

static void leave_open(kbr_order *order, kbr_event *event) {
    kbr_claimable *more = event->more;
    if (!more->opened)
        return;
    more->opened = false;
    if (more->former_open != NULL)
        more->former_open->more->next_open = more->next_open;
    else
        order->chains[event->stream].open = more->next_open;
    if (more->next_open != NULL)
        more->next_open->more->former_open = more->former_open;
    kbr_event_drop(order, event);
}

/* Nobody can claim it any more; one of a composite is still waited for by what completes that. */
static void unlist(kbr_order *order, kbr_event *event) {
    if (!event->listed)
        return;
    event->listed = false;
    kbr_claimable *more = event->more;
    if (more != NULL) {
        kbr_table_remove(&order->events, &event->node);
        more->past = (kbr_past){.count = 0};
        if (more->composite == 0)
            leave_open(order, event);
        if (!more->opened && event->kind != KB_OP_IPCQ_COPY)
            forget_claims(order, event);
    }
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

/* The id of the op's composite, or 0. */
static uint64_t composite_of(const kb_op *op) {
    return op->id != 0 && is_composite(op) ? op->id : 0;
}

/* Ops of its engine or composite that claim it may start after somebody has waited for it. */
static bool has_followers(const kbr_order *order, const kb_op *op) {
    uint32_t engine = op->what->engine;
    return composite_of(op) != 0 ||
           (engine != KB_NONE && order->pass->defs->engines[engine].promise == KB_PROMISE_TOTAL);
}

/* Others find it: not one that holds its stream until it is done, which only that stream asks for. */
static bool is_claimed(const kb_op *op) {
    const kb_template *what = op->what;
    return what->blocks != KB_BLOCKS_DONE || what->reached != KB_POINT_DONE ||
           what->kind == KB_OP_IPCQ_COPY || what->kind == KB_OP_IPCQ_RELEASE || what->kind == KB_OP_LAUNCH;
}

/* Many at once, so that they lie on lines of their own. */
static kb_status more_events(kbr_order *order, kb_trail *trail) {
    enum { MANY = 255 };
    void *block;
    KB_TRY(kb_arena_new(&order->arena, (MANY + 1) * sizeof(kbr_event), &block, trail));
    size_t past = (uintptr_t)block % KBR_EVENT_SIZE;
    kbr_event *events = (void *)((char *)block + (past != 0 ? KBR_EVENT_SIZE - past : 0));
    for (size_t i = MANY; i-- > 0;) {
        events[i].node.next = (kbr_node *)order->spare_events;
        order->spare_events = &events[i];
    }
    return KB_OK;
}

static kb_status new_claimable(kbr_order *order, const kb_op *op, kbr_claimable **ret_more, kb_trail *trail) {
    void *block = order->spare_claimables;
    if (block != NULL)
        order->spare_claimables = *(void **)block;
    else
        KB_TRY(kb_arena_new(&order->arena, sizeof(kbr_claimable), &block, trail));
    *ret_more = block;
    **ret_more = (kbr_claimable){.composite = composite_of(op)};
    return KB_OK;
}

static kb_status new_event(kbr_order *order, uint32_t rank, const kb_op *op, uint32_t number,
                           kbr_event **ret_event, kb_trail *trail) {
    kbr_claimable *more = NULL;
    if (order->spare_events == NULL)
        KB_TRY(more_events(order, trail));
    if (is_claimed(op))
        KB_TRY(new_claimable(order, op, &more, trail));
    kbr_event *it = order->spare_events;
    order->spare_events = (kbr_event *)it->node.next;
    *it = (kbr_event){.node = {.rank = rank, .index = op->index},
                      .refs = 1,
                      .listed = true,
                      .blocks = op->what->blocks,
                      .kind = op->what->kind,
                      .stream = op->what->stream,
                      .number = number,
                      .chained = has_followers(order, op),
                      .time = order->pasts.time,
                      .more = more};
    if (more != NULL)
        KB_TRY(kbr_table_add(&order->events, &it->node, trail));
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
        KB_TRY(kb_arena_new(&order->arena, sizeof *edge, &block, trail));
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
    if (bulks->count > 0 && bulks->items[bulks->count - 1].below >= bulk.below)
        return KB_OK; /* as much was observed before */
    KB_TRY(kb_grow(order->pass->alloc, sizeof bulk, bulks->count + 1, &bulks->capacity, &items, trail));
    bulks->items = items;
    bulks->items[bulks->count++] = bulk;
    return KB_OK;
}

/* --- what is observed -------------------------------------------------------------------------- */

/* What something joins: the past of an event, or else a stream's chain. */
typedef struct joined {
    kbr_event *event;
    uint32_t stream;
} joined;

static kb_status join(kbr_order *order, const joined *to, const kbr_past *from, kb_trail *trail) {
    return to->event != NULL ? kbr_past_join(&order->pasts, &to->event->more->past, from, trail)
                             : kbr_pasts_join_chain(&order->pasts, to->stream, from, trail);
}

/* All former ops of the stream are done before its issue number `issues` - 1, and before what is joined. */
static kb_status observe_stream(kbr_order *order, uint32_t stream, uint32_t below, uint32_t issues,
                                const joined *to, kb_trail *trail) {
    kbr_chain *chain = &order->chains[stream];
    KB_TRY(add_bulk(order, &chain->fences, (kbr_bulk){below, stream, issues}, trail));
    KB_TRY(join(order, to, &chain->async, trail));
    chain->async = (kbr_past){.count = 0};
    for (kbr_event *it = chain->open, *next; it != NULL; it = next) {
        next = it->more->next_open;
        if (it->number >= below)
            continue;
        it->fenced = true;
        kbr_event_hold(it);
        leave_open(order, it);
        unlist_if_over(order, it);
        kbr_event_drop(order, it);
    }
    return KB_OK;
}

/* What a stream did in a launch, or NULL where it has no part in it that is not observed. */
static kbr_left *find_left(kbr_chain *chain, uint64_t launch) {
    for (size_t i = 0; i < chain->left_count; i++)
        if (chain->left[i].launch == launch)
            return &chain->left[i];
    return NULL;
}

/* A stream begins another launch: what it did in the one before is kept until its host observes it. */
static kb_status leave_launch(kbr_order *order, uint32_t stream, kb_trail *trail) {
    kbr_chain *chain = &order->chains[stream];
    if (chain->launch == 0 || chain->observed)
        return KB_OK;
    void *left = chain->left;
    KB_TRY(kb_grow(order->pass->alloc, sizeof *chain->left, chain->left_count + 1, &chain->left_capacity,
                   &left, trail));
    chain->left = left;
    kbr_left *it = &chain->left[chain->left_count++];
    *it = (kbr_left){.launch = chain->launch,
                     .below = kbr_pasts_issues(&order->pasts, stream),
                     .past = kbr_past_of_chain(&order->pasts, stream)};
    return kbr_past_join(&order->pasts, &it->past, &chain->async, trail);
}

/* All that a stream did in a launch is done before an issue of its host. */
static kb_status observe_stream_of(kbr_order *order, uint32_t stream, uint64_t launch, uint32_t host,
                                   uint32_t issues, const joined *to, kb_trail *trail) {
    kbr_chain *chain = &order->chains[stream];
    kbr_left *left = find_left(chain, launch);
    kbr_past past = kbr_past_of_chain(&order->pasts, stream);
    uint32_t below = kbr_pasts_issues(&order->pasts, stream);
    if (left != NULL) {
        past = left->past;
        below = left->below;
        memmove(left, left + 1, (size_t)(chain->left + --chain->left_count - left) * sizeof *left);
    } else if (chain->launch == launch) {
        chain->observed = true;
        KB_TRY(join(order, to, &chain->async, trail));
    } else {
        return KB_OK;
    }
    KB_TRY(add_bulk(order, &chain->launches, (kbr_bulk){below, host, issues}, trail));
    return join(order, to, &past, trail);
}

/* All that a rank's PEs did in a launch is done before an issue of the host. */
static kb_status observe_launch(kbr_order *order, uint32_t host, uint64_t launch, uint32_t issues,
                                const joined *to, kb_trail *trail) {
    uint32_t rank = order->pass->defs->streams[host].rank, stream = order->first_streams[rank];
    for (; stream != KB_NONE; stream = order->chains[stream].next_stream)
        if (stream != host)
            KB_TRY(observe_stream_of(order, stream, launch, host, issues, to, trail));
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

static kb_status enter_crowd(kbr_order *order, const kb_op *op, kb_trail *trail) {
    kbr_crowd *it = order->crowds;
    while (it != NULL && (it->group != op->what->group || it->id != op->id))
        it = it->next;
    if (it == NULL) {
        uint32_t chain;
        void *block;
        KB_TRY(kbr_pasts_add_chain(&order->pasts, &chain, trail));
        KB_TRY(kb_new(order->pass->alloc, sizeof *it, &block, trail));
        it = block;
        *it = (kbr_crowd){.next = order->crowds, .group = op->what->group, .id = op->id, .chain = chain};
        order->crowds = it;
    }
    it->inside++;
    kbr_past past = kbr_past_of_chain(&order->pasts, op->what->stream);
    kbr_pasts_issue(&order->pasts, it->chain);
    return kbr_pasts_join_chain(&order->pasts, it->chain, &past, trail);
}

static kb_status claim_at_issue(kbr_order *order, uint32_t rank, const kb_op *op, uint32_t number,
                                kb_trail *trail) {
    uint32_t stream = op->what->stream;
    const joined to = {NULL, stream};
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        const kb_claim *claim = &op->what->claims[i];
        if (claim->role == KB_ROLE_OBSERVED && claim->set == KB_SET_STREAM)
            KB_TRY(observe_stream(order, stream, number, number + 1, &to, trail));
        if (claim->role != KB_ROLE_LAUNCH || claim->set != KB_SET_ONE || claim->rank != rank)
            continue;
        const kbr_event *launch = find(order, rank, op->claimed[i]);
        if (launch != NULL && launch->kind == KB_OP_LAUNCH) {
            const kbr_past *own = &launch->more->past;
            kbr_past past = own->count != 0 ? *own : kbr_past_of_chain(&order->pasts, launch->stream);
            KB_TRY(join(order, &to, &past, trail));
        }
        order->chains[stream].launch = op->claimed[i] + 1;
        order->chains[stream].observed = false;
    }
    return KB_OK;
}

static bool begins_launch(const kb_op *op, uint32_t rank) {
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        const kb_claim *claim = &op->what->claims[i];
        if (claim->role == KB_ROLE_LAUNCH && claim->set == KB_SET_ONE && claim->rank == rank)
            return true;
    }
    return false;
}

kb_status kbr_order_issue(kbr_order *order, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kb_template *what = op->what;
    kbr_chain *chain = &order->chains[what->stream];
    if (begins_launch(op, rank))
        KB_TRY(leave_launch(order, what->stream, trail));
    kbr_pasts_issue(&order->pasts, what->stream);
    uint32_t issues = kbr_pasts_issues(&order->pasts, what->stream), number = issues - 1;
    if (chain->former != 0) {
        const joined to = {NULL, what->stream};
        KB_TRY(observe_launch(order, what->stream, chain->former, issues, &to, trail));
        chain->former = 0;
    }
    KB_TRY(claim_at_issue(order, rank, op, number, trail));
    if (kbr_op_impl_of(what->kind)->joins)
        KB_TRY(enter_crowd(order, op, trail));
    if (!matters(op))
        return KB_OK;
    kbr_event *event;
    KB_TRY(new_event(order, rank, op, number, &event, trail));
    chain->latest = event;
    if (what->blocks == KB_BLOCKS_NO)
        event->more->past = kbr_past_of_chain(&order->pasts, what->stream);
    if (what->blocks != KB_BLOCKS_DONE)
        enter_open(chain, event);
    return KB_OK;
}

/* --- start ------------------------------------------------------------------------------------- */

static kb_status leave_crowd(kbr_order *order, const kb_op *op, const joined *to, kb_trail *trail) {
    kbr_crowd **at = &order->crowds;
    while (*at != NULL && ((*at)->group != op->what->group || (*at)->id != op->id))
        at = &(*at)->next;
    kbr_crowd *it = *at;
    if (it == NULL)
        return KB_OK;
    kbr_past past = kbr_past_of_chain(&order->pasts, it->chain);
    KB_TRY(join(order, to, &past, trail));
    if (--it->inside > 0)
        return KB_OK;
    *at = it->next;
    kb_delete(order->pass->alloc, it, sizeof *it);
    return KB_OK;
}

/* One op that is claimed at the start; `here` is where the claim's edge leads to. */
static kb_status claim_one(kbr_order *order, kbr_event *whom, const kb_claim *claim, const kbr_edge *here,
                           const joined *to, kb_trail *trail) {
    KB_TRY(join(order, to, &whom->more->past, trail));
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

static kb_status claim_at_start(kbr_order *order, const kb_op *op, const kbr_edge *here, const joined *to,
                                bool *ret_joined, kb_trail *trail) {
    uint32_t stream = op->what->stream, issued = kbr_pasts_issues(&order->pasts, stream);
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        const kb_claim *claim = &op->what->claims[i];
        if (claim->role == KB_ROLE_OBSERVED || claim->role == KB_ROLE_LAUNCH ||
            claim->role == KB_ROLE_COMPLETION)
            continue;
        if (claim->set == KB_SET_STREAM &&
            here->event == NULL) /* a fence that does not block shows nothing */
            KB_TRY(observe_stream(order, stream, issued - 1, here->issues, to, trail));
        if (claim->set != KB_SET_ONE)
            continue;
        kbr_event *whom = find(order, claim->rank, op->claimed[i]);
        if (whom == NULL)
            continue;
        if (whom->kind == KB_OP_LAUNCH && here->event == NULL)
            KB_TRY(observe_launch(order, stream, whom->node.index + 1, here->issues, to, trail));
        *ret_joined = *ret_joined || whom->more->past.count != 0;
        KB_TRY(claim_one(order, whom, claim, here, to, trail));
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
    uint64_t composite = composite_of(op);
    if (composite == 0 || !completes(op, KB_SET_COMPOSITE))
        return KB_OK;
    uint32_t stream = order->first_streams[event->node.rank];
    for (; stream != KB_NONE; stream = order->chains[stream].next_stream)
        for (kbr_event *it = order->chains[stream].open; it != NULL; it = it->more->next_open)
            if (it->more->composite == composite && it != event)
                KB_TRY(
                    add_edge(order, it, KB_POINT_DONE, &(kbr_edge){.event = event, .to_done = true}, trail));
    return KB_OK;
}

/* The event of an op that is to start; NULL where it is none. */
static kbr_event *event_of(const kbr_order *order, uint32_t rank, const kb_op *op) {
    kbr_event *latest = order->chains[op->what->stream].latest;
    if (!matters(op))
        return NULL;
    if (latest != NULL && latest->listed && latest->node.index == op->index && latest->node.rank == rank)
        return latest;
    return find(order, rank, op->index);
}

kb_status kbr_order_start(kbr_order *order, uint32_t rank, const kb_op *op, kbr_event **ret_event,
                          kbr_point *ret_start, kb_trail *trail) {
    const kb_template *what = op->what;
    kbr_chain *chain = &order->chains[what->stream];
    kbr_event *event = event_of(order, rank, op);
    kbr_claimable *more = event != NULL ? event->more : NULL;
    joined to = {more != NULL && more->past.count != 0 ? event : NULL, what->stream};
    uint32_t number = event != NULL ? event->number : kbr_pasts_issues(&order->pasts, what->stream) - 1;
    kbr_edge here = {.stream = what->stream, .issues = number + 2};
    if (event != NULL) /* its own edges go on from there */
        here = (kbr_edge){.event = event};
    if (to.event == NULL)
        kbr_pasts_start(&order->pasts, what->stream);
    bool has_joined = false;
    KB_TRY(claim_at_start(order, op, &here, &to, &has_joined, trail));
    if (kbr_op_impl_of(what->kind)->joins)
        KB_TRY(leave_crowd(order, op, &to, trail));
    ret_start->past = to.event != NULL ? more->past : kbr_past_of_chain(&order->pasts, what->stream);
    ret_start->event = event;
    if (has_joined && what->blocks == KB_BLOCKS_NO)
        KB_TRY(kbr_past_join(&order->pasts, &chain->async, &ret_start->past, trail));
    bool claimable = what->kind == KB_OP_IPCQ_COPY || what->kind == KB_OP_IPCQ_RELEASE;
    if (more != NULL && claimable)
        more->past = ret_start->past;
    if (event != NULL)
        KB_TRY(complete_composite(order, op, event, trail));
    chain->former = completes(op, KB_SET_LAUNCHED) ? op->index + 1 : chain->former;
    if (event != NULL)
        kbr_event_hold(event);
    *ret_event = event;
    return KB_OK;
}

void kbr_order_started(kbr_order *order, kbr_event *event) {
    if (event == NULL)
        return;
    unlist_if_over(order, event);
    kbr_event_drop(order, event);
}

/* --- life -------------------------------------------------------------------------------------- */

kb_status kbr_order_init(kbr_order *order, const kbr_pass *pass, kb_trail *trail) {
    void *block;
    size_t ranks = pass->run->ranks;
    *order = (kbr_order){.pass = pass, .streams = pass->defs->stream_count};
    kbr_table_init(&order->events, pass->alloc);
    kb_arena_init(&order->arena, pass->alloc, 0);
    KB_TRY(kbr_pasts_init(&order->pasts, pass->alloc, order->streams, pass->limit_size / 4, trail));
    KB_TRY(kb_new_zeroed(pass->alloc, (order->streams + 1) * sizeof(kbr_chain), &block, trail));
    order->chains = block;
    KB_TRY(kb_new(pass->alloc, (ranks + 1) * sizeof(uint32_t), &block, trail));
    order->first_streams = block;
    for (size_t i = 0; i < ranks; i++)
        order->first_streams[i] = KB_NONE;
    for (uint32_t i = (uint32_t)order->streams; i-- > 0;) {
        uint32_t rank = pass->defs->streams[i].rank;
        order->chains[i].next_stream = rank < ranks ? order->first_streams[rank] : KB_NONE;
        if (rank < ranks)
            order->first_streams[rank] = i;
    }
    return KB_OK;
}

void kbr_order_fini(kbr_order *order) {
    const kb_alloc *alloc = order->pass->alloc;
    for (size_t i = 0; order->chains != NULL && i < order->streams; i++) {
        kbr_chain *chain = &order->chains[i];
        kb_delete(alloc, chain->fences.items, chain->fences.capacity * sizeof(kbr_bulk));
        kb_delete(alloc, chain->launches.items, chain->launches.capacity * sizeof(kbr_bulk));
        kb_delete(alloc, chain->left, chain->left_capacity * sizeof(kbr_left));
    }
    while (order->crowds != NULL) {
        kbr_crowd *it = order->crowds;
        order->crowds = it->next;
        kb_delete(alloc, it, sizeof *it);
    }
    kbr_table_fini(&order->events);
    kbr_pasts_fini(&order->pasts);
    kb_arena_fini(&order->arena);
    kb_delete(alloc, order->stack, order->stack_capacity * sizeof(kbr_reached));
    kb_delete(alloc, order->chains, (order->streams + 1) * sizeof(kbr_chain));
    kb_delete(alloc, order->first_streams, (order->pass->run->ranks + 1) * sizeof(uint32_t));
}
