# SPDX-License-Identifier: Apache-2.0
"""writer_check.py TRACE: writes each packet of TRACE anew by the rules of docs/trace-format.md (§6, §12),
from the records that kbpage.py rebuilt, and compares bytes: the page is enough to write a trace, too.
"""
import sys

import kbpage
import kbtrace_pb2 as pb
from kbpage import CLASSES, WORD, Prediction, demand


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def fields_of(op, resume):
    """§6: the vector of an op's fields."""
    said = op.shared.said
    values = [op.issue - resume, op.start - op.issue, op.sent - op.start, op.done - op.sent, op.step,
              op.sequence, op.id, op.tile, op.collective, op.value, len(op.payload), *op.offsets]
    values += [op.index - op.claimed[i] for i in op.shared.ones]
    taker = kbpage.rest_of(said)
    left = op.done - op.issue - sum(blame[0] for i, blame in enumerate(op.blames) if i != taker)
    for i, (why, (ps, resource, rank, blamed)) in enumerate(zip(said.why, op.blames)):
        values += [ps - left if i == taker else ps, (resource + 1) % 2**32]
        if why.blames:
            values += [rank, op.index - blamed]
    return [v & WORD for v in values]


def signed(number):
    return number - 2**64 if number >= 2**63 else number


def write_ops(ops, number_of):
    """An ops packet of consecutive ops; `number_of` gives the id of a template."""
    out = pb.Ops(rank=ops[0].rank, first=ops[0].index, count=len(ops), base_ps=ops[0].issue)
    forms, predictions, resumes = {}, {}, {}
    for op in ops:
        template = op.shared
        prediction = predictions.setdefault(id(template), Prediction(template))
        stream, masks = template.said.stream, 0
        for field, value in enumerate(fields_of(op, resumes.get(stream, out.base_ps))):
            residual = (value - prediction.last[field] - prediction.stride[field]) & WORD
            demand(prediction.next(field, residual) == value, "prediction")
            if residual:
                masks |= 1 << field
                getattr(out, template.class_of(field)).append(signed(residual))
        resumes[stream] = op.resume()
        form = (id(template), masks)
        if form not in forms:
            forms[form] = len(forms)
            out.form.append(number_of[id(template)])
            out.form.extend(masks >> 64 * word & WORD for word in range(template.masks))
        out.op.append(forms[form])
        out.payload += op.payload
    return out


def write_packet(packet, file, number_of):
    """The packet as the page's writer would write it; what is not ops is taken as it was read."""
    body = packet.WhichOneof("body")
    said = getattr(packet, body)
    if body == "ops":
        ops = file.ops[said.rank][said.first:said.first + said.count]
        return pb.Packet(ops=write_ops(ops, number_of))
    if body == "late":
        return pb.Packet(late=write_ops([file.late[said.rank][said.first]], number_of))
    return packet


def encode(packet):
    """§12. The one exception to rising numbers is in Templates: `restated` comes before the templates."""
    if not packet.templates.restated:
        return packet.SerializeToString()
    head = pb.Templates(first=packet.templates.first).SerializeToString() + b"\x18\x01"
    rest = pb.Templates(template=packet.templates.template).SerializeToString()
    body = head + rest
    return b"\x1a" + varint(len(body)) + body


def check_file(path):
    file = kbpage.File(path)
    number_of = {id(template): number for number, template in enumerate(file.templates)}
    for frame in file.frames:
        out = b""
        for packet in kbpage.packets(frame.bytes):
            written = write_packet(packet, file, number_of)
            demand(written == packet, f"{path}, frame {frame.number}: read\n{packet}\nwritten\n{written}")
            bare = encode(written)
            out += b"\x0a" + varint(len(bare)) + bare
        demand(out == frame.bytes, f"{path}, frame {frame.number}: not in the canonical encoding")
    demand(set(CLASSES) <= {f.name for f in pb.Ops.DESCRIPTOR.fields}, "classes are columns")


for name in sys.argv[1:]:
    check_file(name)
