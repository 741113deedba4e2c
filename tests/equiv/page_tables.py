# SPDX-License-Identifier: Apache-2.0
"""Holds the tables of words in docs/trace-format.md against ops.def, words.def and causes.def.

page_tables.py ROOT checks; page_tables.py ROOT --write puts the tables into the page. A table stands
after a line `<!-- words: DTYPE -->` and ends with an empty line.
"""
import os
import re
import sys

PAGE = "docs/trace-format.md"
HEADS = {"kinds": ("number", "kind", "family", "operands", "`id` numbers", "meaning"),
         "words": ("number", "word", "meaning")}


# A text, or anything else up to a comma, with parentheses two deep.
ARGUMENT = r'"((?:[^"\\]|\\.)*)"|((?:[^,()"]|\([^()]*(?:\([^()]*\)[^()]*)*\))+)'


def rows(root, name, macro):
    """The arguments of each row of a .def file; texts without their quotes."""
    path = os.path.join(root, "libkbtrace/include/kbtrace", name)
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    for line in text.splitlines():
        match = re.fullmatch(macro + r"\((.*)\)", line.strip())
        if match:
            split = re.findall(ARGUMENT, match.group(1))
            yield [quoted or bare.strip() for quoted, bare in split if quoted or bare.strip() or not bare]


def operands(roles):
    """ROLES(2, 2, W(dst), R(src)) as people read it: how many, and what each is for."""
    inner = re.fullmatch(r"ROLES\((.*)\)", roles).group(1)
    fewest, most = re.match(r"(\d+), (\w+)", inner).groups()
    most = "16" if most == "KB_OPERANDS_MAX" else most
    names = [f"{name}:{access.lower()}" for access, name in re.findall(r"([WRU])\((\w+)\)", inner)]
    count = fewest if fewest == most else f"{fewest} to {most}"
    return count + (": " + ", ".join(names) if names else "")


def tables(root):
    """(what the marker says) -> lines."""
    kinds = [[wire, f"`{name}`", family.lower(), operands(roles), what or "–", help]
             for _, name, wire, family, roles, what, help in rows(root, "ops.def", "KB_OP")]
    made = {"KIND": ("kinds", kinds)}
    made["CAUSE"] = ("words", [[wire, f"`{name}`", help]
                               for _, name, wire, help in rows(root, "causes.def", "KB_CAUSE")])
    for voc, _, name, wire, help in rows(root, "words.def", "KB_WORD"):
        made.setdefault(voc, ("words", []))[1].append([wire, f"`{name}`", help])
    for voc, (style, lines) in made.items():
        head = HEADS[style]
        cells = [head, ["---"] * len(head)] + lines
        yield voc, ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in cells]


def main():
    root, write = sys.argv[1], "--write" in sys.argv
    path = os.path.join(root, PAGE)
    with open(path, encoding="utf-8") as file:
        page = file.read()
    new = page
    for voc, lines in tables(root):
        marker = f"<!-- words: {voc} -->\n"
        if new.count(marker) != 1:
            print(f"{PAGE}: {new.count(marker)} markers of {voc}, one wanted: {marker.strip()}")
            return 1
        before, after = new.split(marker)
        rest = re.sub(r"\A(?:\|.*\n)*", "", after)
        new = before + marker + "\n".join(lines) + "\n" + rest
    if write:
        with open(path, "w", encoding="utf-8") as file:
            file.write(new)
    elif new != page:
        old_lines = set(page.splitlines())
        for line in new.splitlines():
            if line not in old_lines:
                print(f"{PAGE} lacks: {line}")
        print("the page's tables are not those of the .def files (page_tables.py . --write)")
        return 1
    return 0


sys.exit(main())
