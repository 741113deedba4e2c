# SPDX-License-Identifier: Apache-2.0
"""What kb-export --to jsonl must print of a trace that kbpage.py has read, from docs/export.md alone."""
import re

import kbtrace_pb2 as pb
from kbpage import NONE, TABLES, optional


def page_roles(page):
    """kind -> a name for each operand that it may have, from the page's table of kinds."""
    with open(page, encoding="utf-8") as file:
        table = file.read().split("<!-- words: KIND -->")[1].split("\n\n")[0]
    roles = {}
    for line in table.splitlines():
        if re.match(r"\| \d", line):
            kind, cell = line.split("|")[2:5:2]
            most = int(re.match(r" (?:\d+ to )?(\d+)", cell).group(1))
            names = re.findall(r"(\w+):\w", cell)
            roles[kind.strip(" `")] = [names[min(i, len(names) - 1)] for i in range(most)]
    return roles


def word(enum, value):
    """The page: a word is an enum's value in capitals, after the enum's prefix."""
    names = {v.number: v.name for v in enum.values}
    prefix = names[0][:-len("UNSPECIFIED")]
    return names[value][len(prefix):].lower() if value in names and value else value


def hexed(data):
    return data.hex()


def real(number):
    return number if number - number == 0 else "nan" if number != number else "inf" if number > 0 else "-inf"


def row_value(message, field):
    value = getattr(message, field.name)
    if field.label == field.LABEL_REPEATED:
        return [row(v) if field.message_type else v for v in value]
    if field.has_presence and not message.HasField(field.name):
        return None
    if field.enum_type:
        return word(field.enum_type, value)
    return {field.TYPE_BYTES: hexed, field.TYPE_DOUBLE: real}.get(field.type, lambda v: v)(value)


def row(message):
    return {field.name: row_value(message, field) for field in message.DESCRIPTOR.fields}


def numbered(kind, number, message):
    line = row(message)
    if "id" in line:
        line["on_id"] = line.pop("id")
    return {"type": kind, "id": number, **line}


def op_line(op, trace, roles, causes):
    said = op.shared.said

    def enum(field, value=None):
        return word(said.DESCRIPTOR.fields_by_name[field].enum_type, getattr(said, field))

    def known(field):
        return None if optional(said, field) == NONE else getattr(said, field)

    def text(field):
        return None if optional(said, field) == NONE else trace.strings[getattr(said, field)]

    flags = ["accumulate", "transpose_a", "transpose_b", "round"] + [f"bit{b}" for b in range(4, 32)]
    names = roles.get(enum("kind"), [])
    line = {"type": "op", "rank": op.rank, "index": op.index, "kind": enum("kind"), "stream": said.stream,
            "issue_ps": op.issue, "start_ps": op.start, "sent_ps": op.sent, "done_ps": op.done,
            "blocks": enum("blocks"), "reached": enum("reached")}
    line.update((field, known(field)) for field in ("engine", "queue", "route", "group"))
    line.update(func=enum("func") or None,
                flags=[name for b, name in enumerate(flags) if said.flags >> b & 1],
                step=text("step"), step_number=op.step, kernel=text("kernel"), file=text("file"),
                line=said.line, sequence=op.sequence, id=op.id, tile=op.tile, value=op.value,
                collective=op.collective - 1 if op.collective else None)
    line["operands"] = [
        {"name": names[i] if i < len(names) else None, "memory": o.memory, "offset": op.offsets[i],
         "access": word(pb.Access.DESCRIPTOR, o.access), "dtype": word(pb.Dtype.DESCRIPTOR, o.dtype),
         "shape": list(o.shape), "stride": list(o.stride)} for i, o in enumerate(said.operand)]
    line["claims"] = [
        {"role": word(pb.Role.DESCRIPTOR, c.role), "rank": c.rank,
         "op": op.claimed[i] if c.set == pb.SET_ONE else None, "point": word(pb.Point.DESCRIPTOR, c.point),
         "set": word(pb.Set.DESCRIPTOR, c.set)} for i, c in enumerate(said.claim)]
    line["why"] = [
        {"cause": causes.get(w.cause, w.cause), "ps": ps - 2**64 if ps >= 2**63 else ps,
         "resource": word(pb.Resource.DESCRIPTOR, w.resource), "id": None if resource == NONE else resource,
         "blames": {"rank": rank, "op": blamed} if w.blames else None}
        for w, (ps, resource, rank, blamed) in zip(said.why, op.blames)]
    line["immediates"] = [f"0x{i:016x}" for i in said.immediate]
    line["payload"] = op.payload.hex()
    return line


def footer_line(trace):
    footer = trace.footer
    if footer is None:
        return {"type": "footer", "state": "cut"}
    outcome = word(pb.Outcome.DESCRIPTOR, footer.outcome)
    ranks = [{"rank": s.rank, "ops": s.ops, "digest": s.digest.hex(),
              "blocks": [s.blocks[i:i + 16].hex() for i in range(0, len(s.blocks), 16)],
              "late": s.late, "late_digest": s.late_digest.hex()}
             for _, s in sorted(trace.summaries.items())]
    return {"type": "footer",
            "state": "cut" if trace.cut else "complete" if outcome == "complete" else "unfinished",
            "outcome": outcome, "message": footer.message, "time_ps": footer.time_ps, "ops": footer.ops,
            "samples": footer.samples, "record_digest": footer.record_digest.hex(),
            "definitions_digest": footer.definitions_digest.hex(), "ranks": ranks}


def lines(trace, page):
    """What kb-export --to jsonl must print, line by line, as objects."""
    roles = page_roles(page)
    causes = {}
    for definition in trace.tables["cause"]:
        causes.setdefault(definition.cause, definition.name)
    yield {"type": "run", **row(trace.run)}
    for name in TABLES:
        for number, message in enumerate(trace.tables[name]):
            yield numbered(name, number, message)
    for rank in range(trace.run.ranks):
        for op in trace.ops[rank]:
            yield op_line(op, trace, roles, causes)
    for counter, time, value in trace.samples:
        yield {"type": "sample", "counter": counter, "time_ps": time, "value": value}
    yield footer_line(trace)
