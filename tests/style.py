# SPDX-License-Identifier: Apache-2.0
"""The house rules of CONTRIBUTING.md that a machine can check, one function a rule.

Reads the tree that it is given and prints one line a breach; it changes nothing and needs no git.
"""
import os
import re
import shutil
import subprocess
import sys

FUNCTION_LINES, FILE_LINES, COLUMNS, ROW_COLUMNS = 70, 600, 110, 140  # a row of a table is one line
SKIPPED = {".git", ".cache", "__pycache__"}
LIBRARIES = {"libkbtrace": "kbtrace", "libkbsim": "kbsim", "libkbreplay": "kbreplay"}

# Which of our libraries a path may include, by the first prefix that fits; elsewhere any. The two passes
# share the trace and nothing else, so that one can catch the other's bugs.
MAY_INCLUDE = [
    ("libkbtrace/", {"kbtrace"}),
    ("libkbsim/", {"kbtrace", "kbsim"}),
    ("libkbreplay/", {"kbtrace", "kbreplay"}),
    ("tools/common/", {"kbtrace"}),
    ("tools/kb-sim.c", {"kbtrace", "kbsim"}),
    ("tools/sim/", {"kbtrace", "kbsim"}),
    ("tools/kb-replay.c", {"kbtrace", "kbreplay"}),
    ("tools/replay/", {"kbtrace", "kbreplay"}),
    ("tools/", {"kbtrace"}),
    ("viewer/", {"kbtrace", "kbreplay"}),
    ("tests/unit/kbtrace/", {"kbtrace"}),
    ("tests/unit/kbsim/", {"kbtrace", "kbsim"}),
    ("tests/unit/kbreplay/", {"kbtrace", "kbreplay"}),
    ("tests/support/clean/", {"kbtrace", "kbsim"}),
    ("tests/support/tangle/", {"kbtrace", "kbsim"}),
    ("tests/support/replays/", {"kbtrace", "kbreplay"}),
    ("tests/support/", {"kbtrace"}),
    ("tests/tools/replay-", {"kbtrace", "kbreplay"}),
]

# Folders of libkbtrace/src, and which of them each may include beside itself: in reading order, and what
# writes and what reads do not know each other.
LAYERS = {
    "ground": set(),
    "wire": {"ground"},
    "words": {"ground", "wire"},
    "write": {"ground", "wire", "words"},
    "read": {"ground", "wire", "words"},
}

# Where a .c file may lie so that a build target takes it.
BUILT = [
    r"libkb\w+/src/([^/]+/){0,2}[^/]+\.c", r"tools/kb-[\w-]+\.c", r"tools/\w+/[^/]+\.c", r"viewer/.+\.c",
    r"tests/(support/([^/]+/)?|tools/)[^/]+\.c", r"tests/unit/(kbtrace|kbsim|kbreplay|tools)/test_[^/]+\.c",
    r"tests/fuzz/(fuzz_[^/]+|replay_main)\.c", r"bench/(\w+/)?[^/]+\.c", r"examples/.+\.c",
]

# In libraries: what must not be called, save in the file that is the seam, and why.
SEAMS = [
    (r"v?f?printf|puts|putchar|perror", None, "a library prints nothing; return a status with a trail"),
    (r"_?exit|abort", None, "a library never exits; return a status, or assert"),
    (r"malloc|calloc|realloc|strdup|strndup|asprintf|free", r"libkbtrace/src/ground/memory\.c",
     "memory goes through kb_alloc"),
    (r"fopen|open|openat|creat|mkstemp", r"libkbtrace/src/ground/fs\w*\.c", "files go through kb_fs"),
]


class Tree:
    """The files under a root, read once; breaches are collected in order."""

    def __init__(self, root):
        self.root = root
        self.paths = []
        self.texts = {}
        self.breaches = []
        for folder, names, files in os.walk(root):
            rel = os.path.relpath(folder, root)
            names[:] = sorted(n for n in names if n not in SKIPPED and not n.startswith("build"))
            self.paths += [os.path.normpath(os.path.join(rel, f)) for f in sorted(files)]

    def matching(self, pattern):
        return [p for p in self.paths if re.fullmatch(pattern, p)]

    def text(self, path):
        if path not in self.texts:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
                self.texts[path] = file.read()
        return self.texts[path]

    def lines(self, path):
        return self.text(path).splitlines()

    def says(self, path, line, what):
        self.breaches.append(f"{path}:{line}: {what}")


def sources(tree):
    return tree.matching(r".+\.(c|h|def)")


def authored(tree):
    """Text that people write; not the licence, not generated or binary data."""
    return [p for p in tree.matching(r".+\.(c|h|def|py|sh|cmake|proto|md|json|ya?ml|txt)|scripts/.+|\.ci/.+")
            if not re.match(r"traces/.+\.(json|head)|tests/fuzz/corpus/|tests/bad/.+\.(json|txt)", p)]


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def code_of(text, keep_strings=False):
    """C text with comments, and strings unless they are kept, blanked; line structure stays."""
    pattern = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"

    def replace(match):
        return match.group(0) if keep_strings and match.group(0)[0] in "\"'" else blank(match)
    return re.sub(pattern, replace, text, flags=re.S)


def check_heads(tree):
    for path in tree.matching(r".+\.(c|h|def|py|sh|cmake|proto)|scripts/.+|\.ci/.+|(.+/)?CMakeLists\.txt"):
        lines = tree.lines(path)
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:2]):
            tree.says(path, 1, "no `SPDX-License-Identifier: Apache-2.0` at the top")
    for path in sources(tree):
        rest = "\n".join(tree.lines(path)[1:])
        comment = re.match(r"\s*/\*(.*?)\*/", rest, flags=re.S)
        if not comment or len(re.findall(r"[A-Za-z]{2,}", comment.group(1))) < 4:
            tree.says(path, 2, "no comment that says the file's subject after the licence line")


def check_lengths(tree):
    for path in tree.matching(r".+\.(c|h|def|py|sh)|scripts/.+"):
        lines = tree.lines(path)
        if len(lines) > FILE_LINES:
            tree.says(path, FILE_LINES, f"{len(lines)} lines; a file of one subject fits in {FILE_LINES}")
        most = ROW_COLUMNS if path.endswith(".def") else COLUMNS
        for number, line in enumerate(lines, 1):
            if len(line) > most:
                tree.says(path, number, f"{len(line)} columns, more than {most}")


def check_white(tree):
    for path in authored(tree):
        text = tree.text(path)
        if text and not text.endswith("\n"):
            tree.says(path, text.count("\n") + 1, "no newline at the end")
        for number, line in enumerate(text.splitlines(), 1):
            if line != line.rstrip():
                tree.says(path, number, "white space at the end of the line")
            if "\t" in line:
                tree.says(path, number, "a tab; indent with spaces")


def functions(text):
    """(first line, last line, name) of each function body in C text."""
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, code_of(text), flags=re.M)
    depth, start, body = 0, 0, None
    for match in re.finditer(r"[{};]", text):
        at = match.start()
        if match.group(0) == "{":
            if depth == 0:
                head = text[start:at]
                name = re.search(r"(\w+)\s*\(", re.sub(r"__attribute__\s*\(\(.*?\)\)", "", head, flags=re.S))
                if name and "=" not in head:
                    body = (text.count("\n", 0, start + len(head) - len(head.lstrip())) + 1, name.group(1))
            depth += 1
        elif match.group(0) == "}":
            depth -= 1
            if depth == 0:
                if body:
                    yield body[0], text.count("\n", 0, at) + 1, body[1]
                body, start = None, at + 1
        elif depth == 0:
            start = at + 1


def check_functions(tree):
    for path in tree.matching(r".+\.[ch]"):
        for first, last, name in functions(tree.text(path)):
            if last - first + 1 > FUNCTION_LINES:
                tree.says(path, first, f"{name}() has {last - first + 1} lines, more than {FUNCTION_LINES}")


def includes(tree, path):
    for number, line in enumerate(tree.lines(path), 1):
        match = re.match(r"\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def ours(path, quoted, name):
    """Which of our libraries an include reaches, or None."""
    if quoted and name.startswith("."):
        name = os.path.normpath(os.path.join(os.path.dirname(path), name))
    for folder, library in LIBRARIES.items():
        if name.startswith((library + "/", folder + "/")):
            return library
    return None


def check_includes(tree):
    for path in sources(tree):
        allowed = next((a for prefix, a in MAY_INCLUDE if path.startswith(prefix)), None)
        public = re.match(r"libkb\w+/include/", path)
        for number, quoted, name in includes(tree, path):
            library = ours(path, quoted, name)
            if library and allowed is not None and library not in allowed:
                known = ", ".join(sorted(allowed))
                tree.says(path, number, f"includes {name}: this file may know {known} only")
            if public and re.match(r"(zstd|zdict|xxhash|protobuf-c|SDL|libfyaml)", name):
                tree.says(path, number, f"includes {name}: no public header shows another project's types")
            compresses = re.match(r"(lib|tools|viewer)", path) and "zstd" not in os.path.basename(path)
            if compresses and re.match(r"(zstd|zdict)", name):
                tree.says(path, number, f"includes {name}: only files named for zstd know it")
            if re.match(r"protobuf-c", name) and not path.startswith("bench/"):
                tree.says(path, number, f"includes {name}: only the benchmarks know protobuf-c")
            if re.match(r"libfyaml", name) and "yaml" not in os.path.basename(path):
                tree.says(path, number, f"includes {name}: only files named for yaml know it")
            if re.match(r"SDL", name) and not re.match(r"viewer/(.*/)?[^/]*sdl[^/]*$", path):
                tree.says(path, number, f"includes {name}: only the viewer's file named for SDL knows it")


def check_layers(tree):
    """Within libkbtrace/src a header is included by its folder and name, or from the same folder."""
    for path in tree.matching(r"libkbtrace/src/\w+/.+\.[ch]"):
        layer = path.split("/")[2]
        if layer not in LAYERS:
            tree.says(path, 1, f"{layer} is no folder that docs/architecture.md names")
            continue
        for number, quoted, name in includes(tree, path):
            if quoted and name.startswith("."):
                name = os.path.normpath(os.path.join(os.path.dirname(path), name))
            other = name.removeprefix("libkbtrace/src/").split("/")[0]
            if quoted and other in LAYERS and other not in LAYERS[layer] | {layer}:
                tree.says(path, number, f"includes {name}: {layer} may not know {other}")


def check_seams(tree):
    for path in tree.matching(r"libkb\w+/.+\.[ch]"):
        code = code_of(tree.text(path))
        for names, seam, what in SEAMS:
            if seam and re.fullmatch(seam, path):
                continue
            for match in re.finditer(rf"(?<!->)(?<!\.)\b(?:{names})\s*\(", code):
                tree.says(path, code.count("\n", 0, match.start()) + 1, f"{match.group(0)}...): {what}")


def check_orphans(tree):
    for path in tree.matching(r".+\.c"):
        if not any(re.fullmatch(pattern, path) for pattern in BUILT):
            tree.says(path, 1, "no build target takes a .c file from here")
    included = {os.path.basename(name) for path in sources(tree) for _, _, name in includes(tree, path)}
    for path in tree.matching(r".+\.(h|def)"):
        if os.path.basename(path) not in included:
            tree.says(path, 1, "nothing includes this file")
    for path in tree.matching(r"libkb\w+/include/.+\.(h|def)"):
        library = LIBRARIES.get(path.split("/")[0])
        if not path.startswith(f"lib{library}/include/{library}/"):
            tree.says(path, 1, f"a public header belongs in lib{library}/include/{library}/")
    executable = r"tests/(cli|equiv|bad|campaign)/[^/]+\.sh|tests/[^/]+\.sh|scripts/[^/.]+|\.ci/run"
    for path in tree.matching(executable):
        if not os.access(os.path.join(tree.root, path), os.X_OK):
            tree.says(path, 1, "not executable (chmod +x)")
    for case in sorted({p.split("/")[1] for p in tree.matching(r"traces/[^/]+/.+")}):
        older = case.startswith("format-")  # it cannot be made again
        for name in ("README.md", "digests" if older else "command"):
            if f"traces/{case}/{name}" not in tree.paths:
                tree.says(f"traces/{case}", 1, f"a golden trace needs a {name}")


def links(tree, path):
    text = re.sub(r"^```.*?^```", blank, tree.text(path), flags=re.S | re.M)
    text = re.sub(r"`[^`\n]*`", blank, text)
    for match in re.finditer(r"\]\(([^)\s]+)\)", text):
        yield text.count("\n", 0, match.start()) + 1, match.group(1)


def check_docs(tree):
    linked = set()
    for path in tree.matching(r".+\.md"):
        for number, target in links(tree, path):
            if re.match(r"[a-z]+:|#", target):
                continue
            file = os.path.normpath(os.path.join(os.path.dirname(path), target.split("#")[0]))
            linked.add(file if file != path else None)
            if not os.path.exists(os.path.join(tree.root, file)):
                tree.says(path, number, f"the link to {target} leads nowhere")
    for path in tree.matching(r"docs/.+\.md"):
        if path not in linked and os.path.dirname(path) not in linked:
            tree.says(path, 1, "no page links here")


def check_words(tree):
    unfinished = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    machine = re.compile(r"(?<![\w.}~*-])/(?:home|root|work|Users|tmp)/\w[\w.-]*")
    for path in authored(tree):
        for number, line in enumerate(tree.lines(path), 1):
            match = unfinished.search(line)
            if match:
                tree.says(path, number, f"{match.group(0)}: finish it, or open an issue")
            match = machine.search(line)
            if match:
                tree.says(path, number, f"{match.group(0)}: a path of one machine")


def check_kinds(tree):
    for path in tree.matching(r".+\.c"):
        for match in re.finditer(r"\bcase\s+KB_(?:OP|KIND)_\w+", code_of(tree.text(path))):
            tree.says(path, tree.text(path).count("\n", 0, match.start()) + 1,
                      f"{match.group(0)}: no switch over op kinds; give the kind's row what it needs")


def check_format(tree):
    formatter = shutil.which("clang-format")
    files = tree.matching(r".+\.[ch]")
    if not formatter or not files or ".clang-format" not in tree.paths:
        return
    halves = [files[0::2], files[1::2]]
    running = [subprocess.Popen([formatter, "--dry-run", "--ferror-limit=3", *half], cwd=tree.root, text=True,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for half in halves if half]
    for process in running:
        said = process.communicate()[1]
        for match in re.finditer(r"^([^:\n]+):(\d+):\d+: (?:warning|error): ", said, flags=re.M):
            tree.says(match.group(1), match.group(2), "not as clang-format writes it (clang-format -i)")


def main():
    tree = Tree(sys.argv[1])
    for check in (check_heads, check_lengths, check_white, check_functions, check_includes, check_layers,
                  check_seams, check_orphans, check_docs, check_words, check_kinds, check_format):
        check(tree)
    for breach in tree.breaches:
        print(breach)
    if not sources(tree):
        print(f"{tree.root}: no sources found")
        return 2
    return 1 if tree.breaches else 0


sys.exit(main())
