# SPDX-License-Identifier: Apache-2.0
"""schema.py ROOT TABLES: libkbtrace's wire tables (printed by kb-trace-schema) are those of the proto,
field by field and word by word, and the format page speaks of every field.
"""
import re
import sys

import kbtrace_pb2 as pb

# The proto's enum of each vocabulary that has one, where its name is not the vocabulary's prefix.
PREFIXES = {"COLL": "COLLECTIVE"}
# Words that stand in no field: families describe kinds, causes are a table of definitions.
NOT_IN_FIELDS = {"FAMILY", "CAUSE"}

SCALARS = {"TYPE_UINT32": "uint", "TYPE_ENUM": "uint", "TYPE_UINT64": "uint64", "TYPE_BOOL": "bool",
           "TYPE_DOUBLE": "double", "TYPE_STRING": "string", "TYPE_BYTES": "bytes", "TYPE_SINT64": "sint64",
           "TYPE_FIXED64": "fixed64", "TYPE_MESSAGE": "message"}


def names_of(prefix, descriptor):
    return {getattr(descriptor, name): name for name in dir(descriptor) if name.startswith(prefix)}


TYPES = names_of("TYPE_", pb.Trace.DESCRIPTOR.fields[0])


def prefix_of(enum):
    return enum.values[0].name[:-len("_UNSPECIFIED")]


def type_of(field):
    plain = SCALARS[TYPES[field.type]]
    if field.label == field.LABEL_REPEATED:
        return "repeated message" if plain == "message" else "packed " + plain
    if plain == "uint" and field.has_presence:
        return "id"
    return plain


def fields(message, path):
    for field in message.fields:
        inner = f"{path}.{field.number}" if path else str(field.number)
        word = prefix_of(field.enum_type) if field.enum_type else "-"
        yield inner, (field.name, type_of(field), word)
        if field.message_type:
            yield from fields(field.message_type, inner)


def read_tables(path):
    have_fields, have_words = {}, {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            what, place, rest = line.rstrip("\n").split(" ", 2)
            if what == "field":
                name, middle = rest.split(" ", 1)
                kind, word = middle.rsplit(" ", 1)
                have_fields[place] = (name, kind, PREFIXES.get(word, word))
            else:
                number, name = rest.split(" ")
                have_words.setdefault(PREFIXES.get(place, place), {})[int(number)] = name
    return have_fields, have_words


def check_fields(have):
    want = dict(fields(pb.Packet.DESCRIPTOR, ""))
    bodies = {f"{field.number}" for field in pb.Packet.DESCRIPTOR.fields}
    for path in sorted(set(want) | set(have)):
        if path in bodies:
            continue
        mine, its = have.get(path), want.get(path)
        # A word's number needs no enum where newer ones may come with the trace.
        if mine and its and mine[2] in NOT_IN_FIELDS:
            mine = mine[:2] + ("-",)
        # Numbers of the footer's outcome and of flags are plain in our structs.
        if mine and its and mine[2] == "-" and its[2] == "OUTCOME":
            its = its[:2] + ("-",)
        # proto says bool where our struct has a number that is held to 0 and 1.
        if mine != its and not (mine == ("blames", "uint", "-") and its == ("blames", "bool", "-")):
            yield f"field {path} of kb.trace.Packet: libkbtrace has {mine}, the proto {its}"


def check_words(have):
    enums = {prefix_of(enum): enum for enum in pb.DESCRIPTOR.enum_types_by_name.values()}
    for word in sorted(set(enums) | set(have) - NOT_IN_FIELDS):
        mine = have.get(word, {})
        its = {v.number: v.name[len(word) + 1:].lower() for v in enums[word].values if v.number} \
            if word in enums else {}
        if mine != its:
            yield f"words of {word}: libkbtrace has {mine}, the proto {its}"


def check_page(root):
    """Each message that the page introduces as **Name** is followed by all its fields in `code`."""
    with open(f"{root}/docs/trace-format.md", encoding="utf-8") as file:
        page = file.read()
    told = set(re.findall(r"`(\w+)`", page))
    for message in pb.DESCRIPTOR.message_types_by_name.values():
        for field in message.fields:
            inner = field.message_type and f"**{field.message_type.name}**" in page
            if field.name not in told and not inner:
                yield f"docs/trace-format.md does not speak of {message.name}.{field.name}"
    for name, message in pb.DESCRIPTOR.message_types_by_name.items():
        place = re.search(rf"^\*\*{name}\*\*(.*?)(?=\n\n|\n\*\*)", page, flags=re.M | re.S)
        for field in message.fields if place else []:
            if f"`{field.name}`" not in place.group(1):
                yield f"docs/trace-format.md, **{name}**: nothing of {field.name}"


def main():
    root, tables = sys.argv[1:3]
    have_fields, have_words = read_tables(tables)
    breaches = [*check_fields(have_fields), *check_words(have_words), *check_page(root)]
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


sys.exit(main())
