# SPDX-License-Identifier: Apache-2.0
"""Packets as trains of flits in SimPy: trains.py TRAFFIC TIMES. One process a packet, one grant a hop."""
import heapq

import network


class Link(network.Arbiter):
    def __init__(self, env, flit_bytes, flit_ps, latency_ps):
        super().__init__(env)
        self.flit_bytes, self.flit_ps, self.latency_ps = flit_bytes, flit_ps, latency_ps
        self.free_ps = 0

    def request(self, channel, key):
        granted = self.env.event()
        heapq.heappush(self.waiting[channel], (key, granted))
        if not self.deciding:
            self.decide_after(max(0, self.free_ps - self.env.now))
        return granted

    def hold(self, size, tail_before_ps):
        """From now on; returns when the tail has left."""
        whole = (size - 1) // self.flit_bytes
        part = -(-self.flit_ps * (size - whole * self.flit_bytes) // self.flit_bytes)
        self.free_ps = max(self.env.now + whole * self.flit_ps + part, tail_before_ps)
        if self.waiting[0] or self.waiting[1]:
            self.decide_after(self.free_ps - self.env.now)
        return self.free_ps


def packet(env, message, number, size, sent):
    tail_ps = 0
    for link in message.route:
        yield link.request(message.channel, (env.now, message.rank, message.op, number))
        tail_ps = link.hold(size, tail_ps)
        if sent is not None:
            sent.succeed(tail_ps)
            sent = None
        tail_ps += link.latency_ps
        if link is not message.route[-1]:
            yield env.timeout(link.latency_ps)
    yield env.timeout(tail_ps - env.now)


def send(env, message):
    packets = []
    for number, size in enumerate(message.packets):
        sent = env.event()
        packets.append(env.process(packet(env, message, number, size, sent)))
        message.sent_ps = yield sent
        if number + 1 < len(message.packets):
            yield env.timeout(message.sent_ps - env.now)
    yield env.all_of(packets)


if __name__ == "__main__":
    network.main(Link, lambda flit_bytes: send)
