# SPDX-License-Identifier: Apache-2.0
"""Every flit an event in SimPy: flits.py TRAFFIC TIMES. One process a packet and hop, which holds its link
from the head to the tail; flits come to it through a store, a latency after they set out."""
import heapq

import simpy

import network


class Link(network.Arbiter):
    def __init__(self, env, flit_bytes, flit_ps, latency_ps):
        super().__init__(env)
        self.flit_bytes, self.flit_ps, self.latency_ps = flit_bytes, flit_ps, latency_ps
        self.busy = False

    def request(self, channel, key):
        granted = self.env.event()
        heapq.heappush(self.waiting[channel], (key, granted))
        if not self.busy and not self.deciding:
            self.decide_after(0)
        return granted

    def decide(self, event):
        self.busy = True
        super().decide(event)

    def release(self):
        self.busy = False
        if self.waiting[0] or self.waiting[1]:
            self.decide_after(0)

    def time_of(self, size):
        return self.flit_ps if size == self.flit_bytes else -(-self.flit_ps * size // self.flit_bytes)


def carry(env, message, number, flits, link, come, leave):
    """Moves a packet's flits over one link: `come` says for each when it has wholly come."""
    whole_ps = yield come.get()
    yield link.request(message.channel, (env.now, message.rank, message.op, number))
    for index, size in enumerate(flits):
        if index > 0:
            whole_ps = yield come.get()
        end_ps = max(env.now + link.time_of(size), whole_ps)
        if leave is not None:
            flight = env.timeout(link.latency_ps, end_ps + link.latency_ps)
            flight.callbacks.append(lambda event: leave.put(event.value))
        yield env.timeout(end_ps - env.now)
    link.release()
    if leave is None:
        yield env.timeout(link.latency_ps)


def send_with(flit_bytes):
    def send(env, message):
        last = []
        for number, size in enumerate(message.packets):
            flits = [flit_bytes] * ((size - 1) // flit_bytes)
            flits.append(size - sum(flits))
            come = simpy.Store(env)
            for _ in flits:
                come.put(env.now)
            hops = []
            for link in message.route:
                leave = simpy.Store(env) if link is not message.route[-1] else None
                hops.append(env.process(carry(env, message, number, flits, link, come, leave)))
                come = leave
            last.append(hops[-1])
            yield hops[0]
            message.sent_ps = env.now - (message.route[0].latency_ps if len(hops) == 1 else 0)
        yield env.all_of(last)
    return send


if __name__ == "__main__":
    network.main(Link, send_with)
