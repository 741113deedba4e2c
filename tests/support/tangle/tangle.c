/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing and recording programs of messages; see tangle.h. */
#include "support/tangle/tangle.h"

#include <stdlib.h>
#include <string.h>

#include "support/random.h"

/* --- drawing --------------------------------------------------------------------------------- */

static tangle_event *add(tangle_plan *p, tangle_kind kind, uint32_t seat, uint64_t key) {
    static tangle_event beyond; /* what finds no room is left out */
    tangle_event *event = p->event_count < TANGLE_EVENTS ? &p->events[p->event_count++] : &beyond;
    *event = (tangle_event){.key = key, .kind = kind, .seat = seat};
    return event;
}

typedef struct pair {
    uint32_t from, to, channel;
} pair;

static void add_end(tangle_plan *p, tangle_kind kind, const pair *of, uint64_t key) {
    const bool sends = kind <= TANGLE_SEND_ASYNC;
    tangle_event *event = add(p, kind, sends ? of->from : of->to, key);
    event->peer = sends ? of->to : of->from;
    event->channel = of->channel;
}

/* Both ends of a message; now and then one of them is forgotten. */
static void add_message(tangle_plan *p, random_source *random, const pair *of, uint64_t send_key,
                        uint64_t receive_key, uint64_t forgets) {
    if (forgets == 0 || !random_once_in(random, forgets))
        add_end(p, random_once_in(random, 2) ? TANGLE_SEND_ASYNC : TANGLE_SEND, of, send_key);
    if (forgets == 0 || !random_once_in(random, forgets))
        add_end(p, random_once_in(random, 4) ? TANGLE_RECEIVE_LATER : TANGLE_RECEIVE, of, receive_key);
}

/* A message with its ends a little out of turn, or an exchange: both send, and then receive. */
static void add_messages(tangle_plan *p, random_source *random, uint64_t key, uint64_t disorder,
                         uint64_t forgets) {
    pair of = {.from = (uint32_t)random_below(random, p->seats), .channel = random_once_in(random, 6)};
    of.to = (of.from + 1 + (uint32_t)random_below(random, p->seats - 1)) % p->seats;
    if (!random_once_in(random, 4)) {
        add_message(p, random, &of, key + random_below(random, disorder),
                    key + 1 + random_below(random, disorder), forgets);
        return;
    }
    const pair back = {of.to, of.from, of.channel};
    const uint64_t count = random_below(random, 4) + 1;
    for (uint64_t i = 0; i < count; i++) {
        add_message(p, random, &of, key, key + 1, forgets);
        add_message(p, random, &back, key, key + 1, forgets);
    }
}

/* All members of a group come, some perhaps between other events than the others. */
static void add_barrier(tangle_plan *p, random_source *random, uint64_t key, uint64_t disorder) {
    const uint32_t group = (uint32_t)random_below(random, p->group_count);
    const uint32_t pe = (uint32_t)random_below(random, p->pes); /* those of one number meet */
    for (uint32_t i = 0; i < p->group_ranks[group]; i++)
        add(p, TANGLE_BARRIER, p->groups[group][i] * p->pes + pe, key + random_below(random, disorder))
            ->group = group;
}

static void draw_groups(tangle_plan *p, random_source *random) {
    p->group_count = (uint32_t)random_between(random, 1, TANGLE_GROUPS);
    for (uint32_t g = 0; g < p->group_count; g++)
        for (uint32_t rank = 0; rank < p->ranks; rank++)
            if (g == 0 || rank == g % p->ranks || random_once_in(random, 2))
                p->groups[g][p->group_ranks[g]++] = rank;
}

static void draw_launches(tangle_plan *p, random_source *random) {
    p->launches = (uint32_t)random_between(random, 1, TANGLE_LAUNCHES);
    for (uint32_t i = 0; i < p->launches; i++) {
        const bool is_last = i + 1 == p->launches; /* in which all that was left over is done */
        p->of_launch[i].group =
            !is_last && random_once_in(random, 3) ? (uint32_t)random_below(random, p->group_count) : 0;
        p->of_launch[i].is_async = random_once_in(random, 2);
        p->of_launch[i].waits_late = random_once_in(random, 2);
        p->of_launch[i].has_barrier = random_once_in(random, 4);
        p->of_launch[i].until_sent = random_once_in(random, 3);
    }
}

static int compare(const void *a, const void *b) {
    const tangle_event *one = a, *other = b;
    if (one->key != other->key)
        return one->key < other->key ? -1 : 1;
    if (one->seat != other->seat)
        return one->seat < other->seat ? -1 : 1;
    return (int)one->kind - (int)other->kind;
}

static bool has_rank(const tangle_plan *p, uint32_t group, uint32_t rank) {
    for (uint32_t i = 0; i < p->group_ranks[group]; i++)
        if (p->groups[group][i] == rank)
            return true;
    return false;
}

/* Keys go through the launches in order; what a PE has no part in, it does in the next. */
static void place(tangle_plan *p, uint64_t keys) {
    for (uint32_t i = 0; i < p->event_count; i++) {
        tangle_event *event = &p->events[i];
        const uint64_t launch = event->key * p->launches / (keys + 1);
        event->launch = launch < p->launches ? (uint32_t)launch : p->launches - 1;
        while (event->launch < p->launches &&
               !has_rank(p, p->of_launch[event->launch].group, event->seat / p->pes))
            event->launch++;
    }
}

void tangle_draw(tangle_plan *p, uint64_t seed) {
    random_source source, *random = &source;
    memset(p, 0, sizeof *p);
    p->seed = seed;
    random_init(random, seed);
    p->pes = random_once_in(random, 4) ? 2 : 1;
    p->ranks = (uint32_t)random_between(random, 2, TANGLE_SEATS / p->pes);
    p->seats = p->ranks * p->pes;
    p->slots = (uint64_t)random_between(random, 1, 4);
    p->depth = (uint64_t)random_between(random, 1, 4);
    p->longest = random_once_in(random, 3) ? 300 : 24; /* of 32 in a slot */
    draw_groups(p, random);
    draw_launches(p, random);
    const uint64_t messages = (uint64_t)random_between(random, 1, 40);
    const uint64_t disorder = random_once_in(random, 3) ? random_below(random, 14) + 1 : 1;
    const uint64_t forgets = random_once_in(random, 6) ? 40 : 0,
                   barriers = random_once_in(random, 2) ? 12 : 0;
    for (uint64_t i = 0; i < messages; i++) {
        add_messages(p, random, 4 * i, disorder, forgets);
        if (barriers > 0 && random_once_in(random, barriers))
            add_barrier(p, random, 4 * i, random_once_in(random, 3) ? disorder : 1);
        if (random_once_in(random, 10))
            add(p, TANGLE_FENCE, (uint32_t)random_below(random, p->seats), 4 * i + random_below(random, 4));
        if (random_once_in(random, 4))
            add(p, TANGLE_WAIT, (uint32_t)random_below(random, p->seats), 4 * i + random_below(random, 4));
    }
    qsort(p->events, p->event_count, sizeof p->events[0], compare);
    place(p, 4 * messages);
}

/* --- recording ------------------------------------------------------------------------------- */

typedef struct arguments {
    const tangle_plan *plan;
    uint32_t launch;
} arguments;

/* What a PE keeps of one launch. */
typedef struct course {
    tl_kernel *k;
    const arguments *a;
    tl_view from, into;
    tl_token tokens[TANGLE_EVENTS];
    uint32_t token_first, token_count;
    uint32_t open[TANGLE_SEATS][2]; /* messages of each queue that are received and not released */
} course;

/* Elements of the n-th message of a queue: both ends reckon them. */
static uint64_t length_of(const tangle_plan *p, uint32_t from, uint32_t to, uint32_t channel, uint32_t n) {
    random_source random;
    random_init(&random, p->seed ^ ((uint64_t)from << 40U | (uint64_t)to << 32U | channel << 24U | n));
    return random_below(&random, p->longest) + 1;
}

/* How many such messages the PE had before this event, in this launch and those before. */
static uint32_t number_of(const tangle_plan *p, const tangle_event *event) {
    const bool sends = event->kind <= TANGLE_SEND_ASYNC;
    uint32_t number = 0;
    for (uint32_t launch = 0; launch <= event->launch; launch++)
        for (const tangle_event *e = p->events; e < p->events + p->event_count; e++) {
            if (launch == event->launch && e == event)
                return number;
            number += e->launch == launch && e->seat == event->seat && e->peer == event->peer &&
                      e->channel == event->channel && e->kind <= TANGLE_RECEIVE_LATER &&
                      (e->kind <= TANGLE_SEND_ASYNC) == sends;
        }
    return number;
}

static tl_queue queue_from(course *c, uint32_t peer, uint32_t channel) {
    const uint32_t pes = c->k->pes;
    return tl_queue_from_pe_at(c->k->stream, peer / pes, peer % pes, channel, TL_HERE);
}

static tl_queue queue_to(course *c, uint32_t peer, uint32_t channel) {
    const uint32_t pes = c->k->pes;
    return tl_queue_to_pe_at(c->k->stream, peer / pes, peer % pes, channel, TL_HERE);
}

static void release_open(course *c, uint32_t peer, uint32_t channel) {
    for (; c->open[peer][channel] > 0; c->open[peer][channel]--)
        tl_release(c->k, queue_from(c, peer, channel));
}

static void receive(course *c, const tangle_event *e, uint64_t elements) {
    const bool is_long = elements * 2 > TANGLE_SLOT_BYTES;
    if (is_long || c->open[e->peer][e->channel] == 3)
        release_open(c, e->peer, e->channel);
    tl_copy(c->k, tl_slice(c->k, c->into, 0, elements), tl_recv(c->k, queue_from(c, e->peer, e->channel)));
    c->open[e->peer][e->channel]++;
    if (is_long || e->kind == TANGLE_RECEIVE)
        release_open(c, e->peer, e->channel);
}

static void perform(course *c, const tangle_event *e) {
    const tangle_plan *p = c->a->plan;
    const bool sends = e->kind <= TANGLE_SEND_ASYNC;
    const uint64_t elements =
        length_of(p, sends ? e->seat : e->peer, sends ? e->peer : e->seat, e->channel, number_of(p, e));
    switch (e->kind) {
    case TANGLE_SEND:
        tl_send(c->k, queue_to(c, e->peer, e->channel), tl_slice(c->k, c->from, 0, elements));
        break;
    case TANGLE_SEND_ASYNC:
        c->tokens[c->token_count++] =
            tl_send_async(c->k, queue_to(c, e->peer, e->channel), tl_slice(c->k, c->from, 0, elements));
        break;
    case TANGLE_RECEIVE:
    case TANGLE_RECEIVE_LATER: receive(c, e, elements); break;
    case TANGLE_FENCE: tl_fence(c->k); break;
    case TANGLE_BARRIER:
        tl_barrier_of(c->k, tl_group_of(c->k, p->groups[e->group], p->group_ranks[e->group]));
        break;
    case TANGLE_WAIT:
        if (c->token_first < c->token_count)
            tl_wait_sent(c->k, c->tokens[c->token_first++]);
        break;
    }
}

static void kernel(tl_kernel *k) {
    static course kept;
    course *c = &kept;
    memset(c, 0, sizeof *c);
    c->k = k;
    c->a = k->args;
    c->from = tl_scratch(k, KB_DTYPE_F16, 512); /* undefined: it is moved, and nothing is computed from it */
    c->into = tl_scratch(k, KB_DTYPE_F16, 512);
    for (uint32_t i = 0; i < c->a->plan->event_count; i++) {
        const tangle_event *event = &c->a->plan->events[i];
        if (event->launch == c->a->launch && event->seat == k->rank * k->pes + k->pe)
            perform(c, event);
    }
    for (uint32_t peer = 0; peer < k->ranks * k->pes; peer++)
        for (uint32_t channel = 0; channel < 2; channel++)
            if (c->open[peer][channel] > 0)
                release_open(c, peer, channel);
    while (c->token_first < c->token_count)
        tl_wait(k, c->tokens[c->token_first++]);
}

static void wait_for(kb_host *h, tl_token token, bool until_sent) {
    if (until_sent)
        tl_wait_sent(h, token);
    else
        kb_wait(h, token);
}

void tangle_host(kb_host *h, void *context) {
    const tangle_plan *p = context;
    tl_token tokens[TANGLE_LAUNCHES];
    bool waits[TANGLE_LAUNCHES] = {false};
    arguments a = {.plan = p};
    for (uint32_t i = 0; i < p->launches; i++) {
        const uint32_t g = p->of_launch[i].group;
        const tl_group group = kb_group_of(h, p->groups[g], p->group_ranks[g]);
        a.launch = i;
        if (!p->of_launch[i].is_async) {
            kb_launch_on(h, group, kernel, &a, sizeof a);
        } else {
            tokens[i] = kb_launch_on_async(h, group, kernel, &a, sizeof a);
            waits[i] = true;
            if (!p->of_launch[i].waits_late) {
                wait_for(h, tokens[i], p->of_launch[i].until_sent);
                waits[i] = false;
            }
        }
        if (p->of_launch[i].has_barrier)
            kb_barrier(h);
    }
    for (uint32_t i = 0; i < p->launches; i++)
        if (waits[i])
            wait_for(h, tokens[i], p->of_launch[i].until_sent);
}
