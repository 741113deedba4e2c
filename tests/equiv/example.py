# SPDX-License-Identifier: Apache-2.0
"""example.py PAGE TRACE: the worked example of the format page is what the real writer writes (TRACE, of
kb-trace-example), and is rebuilt from the page's bytes to the page's table; the page's Python runs.
"""
import io
import re
import sys

import kbpage
import kbtrace_pb2 as pb


def hex_blocks(section):
    """The bytes of each code block; what follows two spaces or more is a remark."""
    for block in re.findall(r"^```\n(.*?)^```", section, flags=re.M | re.S):
        digits = ""
        for line in block.splitlines():
            digits += re.match(r" *((?:[0-9a-f]{2} {0,2})+)(?: |$)", line).group(1)
        yield bytes.fromhex(digits)


def cells(op):
    ps, link, *_ = op.blames[0]
    return [op.index, op.issue, op.start, op.sent, op.done, op.sequence, ", ".join(map(str, op.offsets)),
            op.claimed[0], ps, link]


def check_python(page, frames):
    """The page's way to read packet by packet, run on a whole trace."""
    found = {"Packet": pb.Packet}
    exec(re.search(r"^```python\n(.*?)^```", page, flags=re.M | re.S).group(1), found)
    raw = b"".join(frame.bytes for frame in frames)
    bodies = [packet.WhichOneof("body") for packet in found["packets"](io.BytesIO(raw))]
    wanted = [packet.WhichOneof("body") for packet in kbpage.packets(raw)]
    kbpage.demand(bodies == wanted and bodies[-1] == "footer", "the page's Python reads", bodies)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        page = file.read()
    section = re.search(r"^## \d+\. A worked example\n(.*?)^## ", page, flags=re.M | re.S).group(1)
    with open(sys.argv[2], "rb") as file:
        data = file.read()
    templates, ops, head = hex_blocks(section)
    frames = kbpage.read_frames(sys.argv[2])
    kbpage.demand(frames[1].bytes == templates + ops, "frame 1 is", frames[1].bytes.hex(" "))
    check_python(page, frames)
    kbpage.demand(data[:len(head)] == head, "frame 0 begins with", data[:len(head)].hex(" "))
    said, column = (next(kbpage.packets(raw)) for raw in (templates, ops))
    known = [kbpage.Template(t) for t in said.templates.template]
    kbpage.demand(pb.Packet.FromString(templates[2:]) == said, "packets")
    for op in kbpage.read_ops(column.ops, known):
        op.check_sense()
        line = "| " + " | ".join(map(str, cells(op))) + " |"
        kbpage.demand(line in section, "the page has no line", line)
    return 0


sys.exit(main())
