# SPDX-License-Identifier: Apache-2.0
"""Executes a guide: guide.py GUIDE [--bless]

Fenced blocks of ```console hold commands behind "$ " (and "> " where one goes on) and what they print;
they are executed in order, in one folder. A block behind <!-- file: NAME --> is written to that file. What a
block prints must be what the guide shows, but for the time on the wall and the size of a trace; one behind
<!-- compiler --> is compared as a whole only with the compiler that the guide was written with, and otherwise
by its last two lines. --bless writes what is printed into the guide instead.
"""
import os
import re
import subprocess
import sys

FENCE = re.compile(r"(?:<!-- (?P<mark>[^>]*) -->\n)?```(?P<kind>console|c)\n(?P<body>.*?)```\n", re.S)
VARIES = re.compile(r"in \d+\.\d+ s \([\d.]+[kM]?/s\)|\(\d+ bytes[^)]*\)")  # the wall's clock, zstd's version


def commands_of(body):
    """The commands of a block, each with its lines of output."""
    commands = []
    for line in body.splitlines():
        if line.startswith("$ "):
            commands.append([line[2:], []])
        elif line.startswith("> ") and commands and not commands[-1][1]:
            commands[-1][0] += "\n" + line[2:]
        elif commands:
            commands[-1][1].append(line)
    return commands


def shown(command, output):
    first, *more = command.split("\n")
    return "".join([f"$ {first}\n"] + [f"> {line}\n" for line in more] + [f"{line}\n" for line in output])


def is_same_compiler():
    compiler = os.environ.get("CC", "cc").split()
    done = subprocess.run(compiler + ["--version"], capture_output=True, text=True, check=False)
    return "gcc" in os.path.basename(os.path.realpath(f"/usr/bin/{compiler[-1]}")) and " 12." in done.stdout


class Shell:
    """One shell for all commands, so that `cd` stays."""

    def __init__(self):
        environment = dict(os.environ, LC_ALL="C", NO_COLOR="1")
        self.folder, self.environment = os.getcwd(), environment

    def run(self, command):
        script = f"{command}\nprintf '\\n%s' \"$PWD\" >&3\n"
        read, write = os.pipe()
        done = subprocess.run(["bash", "-c", f"exec 3>&{write}\n{script}"], cwd=self.folder,
                              pass_fds=[write], env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        os.close(write)
        with os.fdopen(read) as pipe:
            self.folder = pipe.read().strip()
        return done.stdout.splitlines()


def differs(mark, wanted, got):
    wanted, got = ([VARIES.sub("...", line) for line in lines] for lines in (wanted, got))
    if mark == "compiler" and not is_same_compiler():
        return wanted[-2:] != got[-2:]
    return wanted != got


def main():
    path, bless = sys.argv[1], "--bless" in sys.argv[2:]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    shell, failed, blocks = Shell(), False, 0

    def execute(match):
        nonlocal failed, blocks
        mark, body = (match["mark"] or "").strip(), match["body"]
        blocks += 1
        if mark.startswith("file: "):
            with open(os.path.join(shell.folder, mark[6:]), "w", encoding="utf-8") as file:
                file.write(body)
        if match["kind"] != "console":
            return match[0]
        after = ""
        for command, wanted in commands_of(body):
            got = shell.run(command)
            is_other = differs(mark, wanted, got)
            after += shown(command, got if is_other else wanted)
            if is_other and not bless:
                failed = True
                print(f"$ {command}\n--- the guide shows:\n" + "\n".join(wanted) + "\n--- and it prints:\n" +
                      "\n".join(got))
        return match[0].replace(f"console\n{body}```", f"console\n{after}```")

    blessed = FENCE.sub(execute, text)
    if bless:
        with open(path, "w", encoding="utf-8") as file:
            file.write(blessed)
    if blocks < 2:
        print(f"{path} has no blocks to execute")
    return 1 if failed or blocks < 2 else 0


sys.exit(main())
