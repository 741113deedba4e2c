# SPDX-License-Identifier: Apache-2.0
"""Dataflow order: the ops of a trace one after another as the edges of docs/memory-model.md allow (sections 2
and 3). Times are never looked at."""
from collections import defaultdict, deque

POINTS = {"issue": 0, "start": 1, "sent": 2, "done": 3}
ENDS = {"observed": 0, "launch": 0, "copy": 1, "credit": 1, "engine": 1, "awaited": 1, "stage": 1,
        "completion": 3}
COMPOSITES = {"dma_read", "dma_write", "gemm", "math"}


class Graph:
    """Node 4 n + p is point p of op n; joins of many have numbers above those."""

    def __init__(self, ops):
        self.after = [[] for _ in range(4 * len(ops))]
        self.before = [0] * (4 * len(ops))

    def join(self):
        self.after.append([])
        self.before.append(0)
        return len(self.after) - 1

    def edge(self, first, second):
        self.after[first].append(second)
        self.before[second] += 1


class Sets:
    """What claims of many ops name: nodes that come after the done of each of them."""

    def __init__(self, graph, ops, streams):
        self.graph, self.ops = graph, ops
        self.earlier = {}                      # op -> node: all before it in its stream are done
        self.launched = defaultdict(list)      # (rank, launch's index) -> its ops
        self.composites = defaultdict(list)    # (rank, id) -> its ops
        for line in streams.values():
            self._walk(line)
        for n, op in enumerate(ops):
            if op["id"] != 0 and op["kind"] in COMPOSITES:
                self.composites[op["rank"], op["id"]].append(n)

    def _walk(self, line):
        launch, former = None, None
        for n in line:
            node = self.graph.join()
            if former is not None:
                self.graph.edge(self.earlier[former], node)
                self.graph.edge(4 * former + 3, node)
            self.earlier[n], former = node, n
            for claim in self.ops[n]["claims"]:
                if claim["role"] == "launch":
                    launch = (claim["rank"], claim["op"])
            if launch is not None:
                self.launched[launch].append(n)

    def nodes(self, n, claim):
        op = self.ops[n]
        if claim["set"] == "stream":
            return [self.earlier[n]]
        if claim["set"] == "launched":
            return [4 * m + 3 for m in self.launched[op["rank"], op["index"]]]
        return [4 * m + 3 for m in self.composites[op["rank"], op["id"]] if m != n]


def graph_of(ops):
    graph = Graph(ops)
    number = {(op["rank"], op["index"]): n for n, op in enumerate(ops)}
    streams, barriers = defaultdict(list), {}
    for n, op in enumerate(ops):
        streams[op["stream"]].append(n)
        for point in range(3):
            graph.edge(4 * n + point, 4 * n + point + 1)
        if op["kind"] == "barrier":
            meeting = barriers.setdefault((op["group"], op["id"]), None) or graph.join()
            barriers[op["group"], op["id"]] = meeting
            graph.edge(4 * n, meeting)
            graph.edge(meeting, 4 * n + 1)
    for line in streams.values():
        for a, b in zip(line, line[1:]):
            graph.edge(4 * a, 4 * b)
            if ops[a]["blocks"] != "no":
                graph.edge(4 * a + POINTS[ops[a]["blocks"]], 4 * b)
    sets = Sets(graph, ops, streams)
    for n, op in enumerate(ops):
        for claim in op["claims"]:
            nodes = sets.nodes(n, claim) if claim["set"] != "one" else \
                [4 * number[claim["rank"], claim["op"]] + POINTS[claim["point"]]]
            for node in nodes:
                graph.edge(node, 4 * n + ENDS[claim["role"]])
    return graph


def dataflow(ops):
    """The ops in an order that the edges allow, by their starts; those that can never start are left out."""
    graph = graph_of(ops)
    before, ready, found = graph.before, deque(), []
    ready.extend(node for node, count in enumerate(before) if count == 0)
    while ready:
        node = ready.popleft()
        if node < 4 * len(ops) and node % 4 == POINTS["start"]:
            found.append(ops[node // 4])
        for later in graph.after[node]:
            before[later] -= 1
            if before[later] == 0:
                ready.append(later)
    return found
