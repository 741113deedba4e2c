# SPDX-License-Identifier: Apache-2.0
"""What both SimPy models share: files of traffic (see shapes.h), and who is let in on a link."""
import heapq
import sys
import time

import simpy

AT_THE_END = 2  # of an instant: behind SimPy's own priorities, URGENT and NORMAL


class Arbiter:
    """Lets one holder in at a time, when all that asked at this instant have asked.

    Turns go to the channel after the one served last, and within it by the order of the keys.
    """

    def __init__(self, env):
        self.env = env
        self.waiting = ([], [])
        self.turn = 0
        self.deciding = False

    def decide_after(self, delay):
        self.deciding = True
        decision = simpy.Event(self.env)
        decision._ok, decision._value = True, None
        decision.callbacks.append(self.decide)
        self.env.schedule(decision, AT_THE_END, delay)

    def decide(self, _):
        self.deciding = False
        channel = self.turn if self.waiting[self.turn] else 1 - self.turn
        self.turn = 1 - channel
        heapq.heappop(self.waiting[channel])[1].succeed()


class Message:
    """One line of the file; `done` is an event, the times are filled in."""

    def __init__(self, env, words, routes, packet_bytes):
        self.rank, self.op, route, self.channel, size, self.begin_ps, *self.after = map(int, words)
        self.route = routes[route]
        self.packets = [packet_bytes] * ((size - 1) // packet_bytes)
        self.packets.append(size - sum(self.packets))
        self.done = env.event()
        self.sent_ps = self.seen_ps = None


def read(env, path, make_link):
    with open(path, encoding="ascii") as file:
        flit_bytes, packet_bytes, links, routes, messages = map(int, next(file).split())
        link_of = []
        for _ in range(links):
            _, flit_ps, latency_ps = map(int, next(file).split())
            link_of.append(make_link(env, flit_bytes, flit_ps, latency_ps))
        route_of = [[link_of[int(word)] for word in next(file).split()] for _ in range(routes)]
        return flit_bytes, [Message(env, next(file).split(), route_of, packet_bytes) for _ in range(messages)]


def source(env, messages, send):
    for message in messages:
        if message.begin_ps > env.now:
            yield env.timeout(message.begin_ps - env.now)
        env.process(begin(env, messages, message, send))


def begin(env, messages, message, send):
    for other in message.after:
        yield messages[other].done
    yield from send(env, message)
    message.seen_ps = env.now
    message.done.succeed()


def main(make_link, send_with):
    """Runs the traffic of argv[1], writes times to argv[2], prints seconds."""
    env = simpy.Environment()
    flit_bytes, messages = read(env, sys.argv[1], make_link)
    env.process(source(env, messages, send_with(flit_bytes)))
    begun = time.process_time()
    env.run()
    print(f"{time.process_time() - begun:.6f}")
    with open(sys.argv[2], "w", encoding="ascii") as file:
        for message in messages:
            file.write(f"{message.sent_ps} {message.seen_ps}\n")
