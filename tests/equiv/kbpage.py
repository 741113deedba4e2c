# SPDX-License-Identifier: Apache-2.0
"""A reader of traces that is written from docs/trace-format.md alone, with Debian's python3-protobuf.

It shares nothing with libkbtrace but the schema, so that it can disagree. It wants the module
kbtrace_pb2 (protoc --python_out), the command zstd, and libxxhash. Slow and whole in memory: a test.
"""
import ctypes
import ctypes.util
import os
import struct
import subprocess

import kbtrace_pb2 as pb

NONE = 2**32 - 1
WORD = 2**64 - 1
BLOCK = 16384


class Wrong(Exception):
    """The bytes are not what the page says."""


def demand(true, *what):
    if not true:
        raise Wrong(" ".join(str(w) for w in what))


# --- hashes --------------------------------------------------------------------------------------

class Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


_xxh = ctypes.CDLL(ctypes.util.find_library("xxhash") or "libxxhash.so.0")
_xxh.XXH64.restype = ctypes.c_uint64
_xxh.XXH64.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
_xxh.XXH3_128bits.restype = Hash128
_xxh.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def xxh64(data):
    return _xxh.XXH64(data, len(data), 0)


def digest(data):
    value = _xxh.XXH3_128bits(bytes(data), len(data))
    return struct.pack(">QQ", value.high, value.low)


def u64s(*numbers):
    return struct.pack(f"<{len(numbers)}Q", *(n & WORD for n in numbers))


# --- §2: the container -----------------------------------------------------------------------------

class Frame:
    def __init__(self, number, offset, run, packed, raw):
        self.number, self.offset, self.run, self.packed, self.raw = number, offset, run, packed, raw
        self.bytes = b""


def read_heads(data, cut):
    """Frames by their heads, and where they end: at the seek table, or (§14) at a frame that is cut."""
    frames, at = [], 0
    while data[at:at + 4] == struct.pack("<I", 0x184D2A5B):
        head = data[at:at + 44]
        if cut and (len(head) < 44 or at + 44 + struct.unpack_from("<I", head, 24)[0] > len(data)):
            break
        demand(len(head) == 44, "a cut head")
        _, size, tag, number, run, packed, raw, seal, check = struct.unpack("<II4sI8sIIQI", head)
        demand(size == 36 and tag == b"KBF1", "frame", number, "has no head of ours")
        demand(check == xxh64(head[:40]) & NONE, "the head of frame", number, "fails its check")
        demand(number == len(frames), "frame", number, "at place", len(frames))
        demand(at + 44 + packed <= len(data), "frame", number, "is cut")
        body = data[at + 44:at + 44 + packed]
        demand(xxh64(body) == seal, "the seal of frame", number)
        check_zstd(body, raw, number)
        frames.append(Frame(number, at, run, packed, raw))
        at += 44 + packed
    return frames, at


def check_zstd(body, raw, number):
    """RFC 8878: the frame header must tell the content size and a checksum."""
    magic, flags = struct.unpack_from("<IB", body)
    demand(magic == 0xFD2FB528, "frame", number, "holds no zstd frame")
    demand(flags & 4, "frame", number, "has no checksum")
    single = flags >> 5 & 1
    at = 5 + (0 if single else 1) + (0, 1, 2, 4)[flags & 3]
    width = (1 if single else 0, 2, 4, 8)[flags >> 6]
    demand(width, "frame", number, "does not tell its size")
    size = int.from_bytes(body[at:at + width], "little") + (256 if width == 2 else 0)
    demand(size == raw, "frame", number, "tells", size, "bytes, its head", raw)


def check_seek_table(data, at, frames):
    table = data[at:]
    demand(len(table) == 8 + 16 * len(frames) + 9, "the seek table has", len(table), "bytes")
    magic, size = struct.unpack_from("<II", table)
    demand(magic == 0x184D2A5E and size == len(table) - 8, "the seek table's head")
    for i, frame in enumerate(frames):
        entry = struct.unpack_from("<IIII", table, 8 + 16 * i)
        demand(entry == (44, 0, frame.packed, frame.raw), "seek entry", i, entry)
    count, flags, magic = struct.unpack_from("<IBI", table, len(table) - 9)
    demand((count, flags, magic) == (2 * len(frames), 0, 0x8F92EAB1), "the seek table's end")


def read_frames(path, cut=False):
    with open(path, "rb") as file:
        data = file.read()
    frames, at = read_heads(data, cut)
    if not cut:
        check_seek_table(data, at, frames)
    raw = subprocess.run(["zstd", "-qdc"], input=data[:at], check=True, stdout=subprocess.PIPE).stdout
    demand(len(raw) == sum(f.raw for f in frames), "zstd gives", len(raw), "bytes")
    at = 0
    for frame in frames:
        frame.bytes = raw[at:at + frame.raw]
        at += frame.raw
    return frames


# --- §13: packet by packet -----------------------------------------------------------------------

def packets(raw):
    at = 0
    while at < len(raw):
        demand(raw[at] == 0x0A, "no packet begins at byte", at)
        at += 1
        size = shift = 0
        while True:
            byte = raw[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        demand(at + size <= len(raw), "a packet leaves its frame")
        yield pb.Packet.FromString(raw[at:at + size])
        at += size


# --- §4: definitions -----------------------------------------------------------------------------

TABLES = [f.name for f in pb.Definitions.DESCRIPTOR.fields if f.message_type]


def take_definitions(said, tables):
    for name in TABLES:
        rows = list(getattr(said, name))
        if said.restated:
            demand(tables[name] == rows[:len(tables[name])], "a row of", name, "changed when said again")
            tables[name] = []
        tables[name] += rows


# --- §5, §6: templates and ops -----------------------------------------------------------------------

def optional(message, field):
    return getattr(message, field) if message.HasField(field) else NONE


class Template:
    def __init__(self, said):
        self.said = said
        self.ones = [i for i, claim in enumerate(said.claim) if claim.set == pb.SET_ONE]
        self.blaming = sum(why.blames for why in said.why)
        self.claims_at = 11 + len(said.operand)
        self.whys_at = self.claims_at + len(self.ones)
        self.fields = self.whys_at + 2 * len(said.why) + 2 * self.blaming
        self.masks = -(-self.fields // 64)
        demand(len(said.nominal) == self.fields, "a template has", len(said.nominal), "nominals")
        demand(len(said.operand) <= 16 and len(said.claim) <= 65535 and len(said.why) <= 255 and
               len(said.immediate) <= 16, "a template is too large")

    def class_of(self, field):
        if field < 4:
            return ("gap", "start", "sent", "done")[field]
        return "place" if field < self.claims_at else "claim" if field < self.whys_at else "why"


CLASSES = ("gap", "start", "sent", "done", "place", "claim", "why")


class Prediction:
    def __init__(self, template):
        self.last = [n & WORD for n in template.said.nominal]
        self.stride = [0] * template.fields
        self.step = [0] * template.fields

    def next(self, field, residual):
        value = (self.last[field] + self.stride[field] + residual) & WORD
        step = (value - self.last[field]) & WORD
        if step == self.step[field]:
            self.stride[field] = step
        self.step[field] = step
        self.last[field] = value
        return value


def rest_of(said):
    """The why-item that takes what the others leave: the first that blames, or the last."""
    return next((i for i, why in enumerate(said.why) if why.blames), len(said.why) - 1)


class Op:
    """A record with all its fields rebuilt; `shared` is its Template."""

    def __init__(self, shared, rank, index, values, resume, payload):
        self.shared, self.rank, self.index = shared, rank, index
        said = shared.said
        self.issue = (resume + values[0]) & WORD
        self.start = (self.issue + values[1]) & WORD
        self.sent = (self.start + values[2]) & WORD
        self.done = (self.sent + values[3]) & WORD
        demand(max(self.issue, self.start, self.sent, self.done) < 2**61, "times of op", index)
        self.step, self.sequence, self.id, self.tile, self.collective, self.value = values[4:10]
        self.offsets = values[11:shared.claims_at]
        self.payload = payload
        claimed = iter(values[shared.claims_at:shared.whys_at])
        self.claimed = [(index - next(claimed)) & WORD if c.set == pb.SET_ONE else 0 for c in said.claim]
        self.blames = []
        rest = iter(values[shared.whys_at:])
        for why in said.why:
            ps, resource = next(rest), (next(rest) - 1) % 2**32
            blame = (next(rest), (index - next(rest)) & WORD) if why.blames else (0, 0)
            self.blames.append((ps, resource) + blame)
        if said.why:
            taker = rest_of(said)
            left = self.done - self.issue - sum(b[0] for i, b in enumerate(self.blames) if i != taker)
            self.blames[taker] = ((self.blames[taker][0] + left) & WORD,) + self.blames[taker][1:]

    def check_sense(self):
        """What holds of every real run; random records need not heed it."""
        demand(self.issue <= self.start <= self.sent <= self.done, "the times of op", self.index, "fall")
        spent = sum(ps for ps, *_ in self.blames) & WORD
        demand(not self.blames or spent == self.done - self.issue, "the why-items of op", self.index)

    def resume(self):
        return {pb.BLOCKS_NO: self.issue, pb.BLOCKS_SENT: self.sent,
                pb.BLOCKS_DONE: self.done}[self.shared.said.blocks]


def read_forms(column, templates):
    column = iter(column)
    forms = []
    for number in column:
        demand(number < len(templates), "a form of template", number)
        template = templates[number]
        masks = sum(next(column) << 64 * word for word in range(template.masks))
        demand(masks >> template.fields == 0, "a mask with bits beyond the fields")
        forms.append((template, masks))
    return forms


def read_ops(said, templates):
    forms = read_forms(said.form, templates)
    columns = {name: iter(getattr(said, name)) for name in CLASSES}
    predictions, resumes, payload_at = {}, {}, 0
    demand(len(said.op) == said.count, "an ops packet of", said.count, "ops has", len(said.op))
    for place, number in enumerate(said.op):
        template, mask = forms[number]
        prediction = predictions.setdefault(id(template), None) or Prediction(template)
        predictions[id(template)] = prediction
        values = [prediction.next(field, next(columns[template.class_of(field)]) if mask >> field & 1 else 0)
                  for field in range(template.fields)]
        demand(values[10] <= 2**20, "a payload of", values[10])
        payload = said.payload[payload_at:payload_at + values[10]]
        payload_at += values[10]
        stream = template.said.stream
        op = Op(template, said.rank, said.first + place, values, resumes.get(stream, said.base_ps), payload)
        resumes[stream] = op.resume()
        yield op
    demand(payload_at == len(said.payload), "payload is left over")
    for name, column in columns.items():
        demand(next(column, None) is None, "the column", name, "has numbers left over")


# --- §9: digests -----------------------------------------------------------------------------------

def template_digest(template, strings):
    said = template.said
    out = u64s(said.kind, said.blocks, said.reached, said.stream, optional(said, "engine"),
               optional(said, "queue"), optional(said, "route"), optional(said, "group"), said.func,
               said.flags, len(said.operand), len(said.claim), len(said.why), len(said.immediate))
    for text in (optional(said, "step"), optional(said, "kernel")):
        out += bytes(16) if text == NONE else digest(strings[text].encode())
    for o in said.operand:
        out += u64s(o.memory, o.access, o.dtype, len(o.shape), *o.shape, *o.stride)
    for c in said.claim:
        out += u64s(c.rank, c.role, c.point, c.set)
    for w in said.why:
        out += u64s(w.cause, w.resource, w.blames)
    return digest(out + u64s(*said.immediate))


def op_bytes(op, of_template):
    out = of_template + u64s(op.issue, op.start, op.sent, op.done, op.step, op.sequence, op.id, op.tile,
                             op.collective, op.value, len(op.payload))
    if op.payload:
        out += digest(op.payload)
    whys = (n for why, blame in zip(op.shared.said.why, op.blames) for n in blame[:4 if why.blames else 2])
    return out + u64s(*op.offsets, *op.claimed, *whys)


def rank_digests(ops, late, strings):
    """Of a rank: its digest, those of its blocks, that of the ops said again."""
    known = {}

    def canonical(op):
        if id(op.shared) not in known:
            known[id(op.shared)] = template_digest(op.shared, strings)
        return op_bytes(op, known[id(op.shared)])
    blocks = b"".join(digest(b"".join(map(canonical, ops[at:at + BLOCK])))
                      for at in range(0, len(ops), BLOCK))
    if not late:
        return digest(blocks), blocks, bytes(16)
    again = digest(b"".join(u64s(index) + digest(canonical(op)) for index, op in sorted(late.items())))
    return digest(blocks + again), blocks, again


def definitions_digest(tables):
    return digest(pb.Definitions(**tables).SerializeToString())


def run_id(run):
    return digest(run.config_digest + run.program_digest + u64s(run.seed))


def config_digests(tables):
    of = {False: b"", True: b""}
    for row in tables["setting"]:
        of[row.path.startswith("program.")] += f"{row.path}={row.value}\n".encode()
    return digest(of[False]), digest(of[True])


# --- files and traces --------------------------------------------------------------------------------

ORDER = ["header", "definitions", "templates", "samples", "ops", "late", "index", "footer"]


class File:
    """One file: its header, packets by frame, footer."""

    def __init__(self, path, cut=False):
        self.frames = read_frames(path, cut)
        self.templates, self.ops, self.late, self.samples, self.index = [], {}, {}, [], []
        self.header = self.footer = None
        self.tables = {name: [] for name in TABLES}
        self.entries = []
        for frame in self.frames:
            self.take_frame(frame)
        demand(cut or self.footer is not None, "no footer")
        if self.footer is not None:
            self.check_index()

    def take_frame(self, frame):
        demand(self.footer is None, "a frame after the footer")
        entry = pb.Frame(number=frame.number)
        bodies = []
        for packet in packets(frame.bytes):
            body = packet.WhichOneof("body")
            if body is None:
                continue  # of a newer minor version
            bodies.append(body)
            said = getattr(packet, body)
            demand(self.header or (body == "header" and frame.number == 0), "no header first")
            getattr(self, "take_" + body)(said, frame, entry)
        places = [ORDER.index(b) for b in bodies]
        demand(places == sorted(places), "frame", frame.number, "has its packets in the order", bodies)
        demand(frame.run == self.header.run.run_id[:8], "frame", frame.number, "is of another run")
        entry.templates = len(self.templates)
        if not {"index", "footer"} & set(bodies):
            self.entries.append(entry)

    def take_header(self, said, frame, entry):
        demand(said.format_major == 1, "major version", said.format_major)
        self.header = said

    def take_definitions(self, said, frame, entry):
        before = {name: len(rows) for name, rows in self.tables.items()}
        take_definitions(said, self.tables)
        entry.restated = entry.restated or said.restated
        entry.definitions = any(len(self.tables[name]) > before[name] for name in TABLES)

    def take_templates(self, said, frame, entry):
        demand(said.first == (0 if said.restated else len(self.templates)), "templates from", said.first)
        old = len(self.templates) if said.restated else 0
        for mine, again in zip(self.templates, said.template):
            demand(not said.restated or mine.said == again, "a template changed when said again")
        new = [Template(t) for t in said.template[old:]]
        entry.new_templates = len(new)
        entry.restated = entry.restated or said.restated
        self.templates += new

    def take_samples(self, said, frame, entry):
        demand(len(said.counter) == len(said.time) == len(said.value), "columns of samples")
        state = {}
        for counter, time, value in zip(said.counter, said.time, said.value):
            was = state.get(counter, (0, 0))
            state[counter] = (was[0] + time, (was[1] + value + 2**63) % 2**64 - 2**63)
            self.samples.append((counter,) + state[counter])
        entry.samples = True

    def take_ops(self, said, frame, entry):
        ops = self.ops.setdefault(said.rank, [])
        demand(said.first == len(ops), "rank", said.rank, "goes on with", said.first, "after", len(ops))
        demand(not entry.rank or entry.rank[-1] < said.rank, "ranks of a frame do not rise")
        new = list(read_ops(said, self.templates))
        demand(new[0].issue == said.base_ps, "base_ps is not the first issue")
        for a, b in zip((ops[-1:] + new), new if ops else new[1:]):
            demand(a.issue <= b.issue, "the issue of op", b.index, "of rank", said.rank)
        ops += new
        entry.rank.append(said.rank)
        entry.first.append(said.first)
        entry.count.append(said.count)
        entry.first_ps.append(said.base_ps)
        entry.last_ps.append(max(op.done for op in new))

    def take_late(self, said, frame, entry):
        op, = read_ops(said, self.templates)
        late = self.late.setdefault(said.rank, {})
        demand(said.first not in late, "op", said.first, "is said a third time")
        demand(op.issue == self.ops[said.rank][said.first].issue and not op.payload, "late op", said.first)
        late[said.first] = op
        entry.late = True

    def take_index(self, said, frame, entry):
        self.index.append(frame.number)
        self.entries_said = getattr(self, "entries_said", []) + list(said.frame)

    def take_footer(self, said, frame, entry):
        demand(len(self.index) == said.index_frames, "index frames")
        before = list(range(frame.number - len(self.index), frame.number))
        demand(self.index == before, "the index is not before the footer")
        self.footer = said

    def check_index(self):
        demand(len(self.entries) == len(self.entries_said), "entries of the index")
        for mine, said in zip(self.entries, self.entries_said):
            demand(said.restated >= mine.restated, "frame", said.number, "restated")
            mine.restated = said.restated  # nothing may be there to say again
            demand(mine == said, "the index says", said, "of", mine)


class Trace:
    def __init__(self, path, loose=False, cut=False):
        names = sorted(os.listdir(path)) if os.path.isdir(path) else [None]
        for rank, name in enumerate(names):
            demand(name is None or name == f"rank-{rank:05d}.zst", "a file called", name)
        self.files = [File(os.path.join(path, name) if name else path, cut) for name in names]
        self.cut = cut
        self.run, self.footer = self.files[0].header.run, self.files[0].footer
        self.tables = self.files[0].tables
        self.strings = [row.text for row in self.tables["string"]]
        self.first_said = {rank: [] for rank in range(self.run.ranks)}
        self.late = {rank: {} for rank in range(self.run.ranks)}
        self.samples = []
        self.summaries = {}
        for number, file in enumerate(self.files):
            demand(file.header.run == self.run, "a file of another run")
            demand(file.header.definitions_here == (number == 0), "definitions_here")
            demand(file.header.one_rank == (names[0] is not None) and
                   file.header.rank == (number if file.header.one_rank else 0), "whose file it is")
            self.first_said.update(file.ops)
            self.late.update(file.late)
            self.samples += file.samples
            self.summaries.update((s.rank, s) for s in (file.footer.rank if file.footer else []))
        if self.footer is not None:
            self.check_digests()
        self.ops = {rank: [self.late[rank].get(op.index, op) for op in ops]
                    for rank, ops in self.first_said.items()}
        if not loose:
            self.check_sense()

    def check_sense(self):
        for ops in self.ops.values():
            for op in ops:
                op.check_sense()
            for a, b in zip(ops, ops[1:]):
                places = [(op.issue, op.shared.said.stream) for op in (a, b)]
                demand(places == sorted(places), "the order of op", b.index)
        digests = (self.run.config_digest, self.run.program_digest)
        demand(config_digests(self.tables) == digests, "the digests of config and program")

    def check_digests(self):
        footer, digests = self.footer, []
        for rank in range(self.run.ranks):
            whole, blocks, late = rank_digests(self.first_said[rank], self.late[rank], self.strings)
            mine = pb.RankSummary(rank=rank, ops=len(self.first_said[rank]), digest=whole, blocks=blocks,
                                  late=len(self.late[rank]), late_digest=late)
            demand(self.summaries[rank] == mine, "rank", rank, "footer:", self.summaries[rank], "here:", mine)
            digests.append(whole)
        demand(footer.record_digest == digest(b"".join(digests)), "record_digest")
        demand(footer.definitions_digest == definitions_digest(self.tables), "definitions_digest")
        demand(footer.ops == sum(map(len, self.first_said.values())), "ops in all")
        demand(footer.samples == len(self.samples), "samples in all")
        demand(self.run.run_id == run_id(self.run), "run_id")
