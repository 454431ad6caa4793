#!/usr/bin/python3
"""man.py PROGRAM SECTION: the manual page of a program, on standard output, made from what it prints for --help, as
are those of its commands: there is no second text that could become wrong. SOURCE_DATE_EPOCH gives the date."""

import datetime
import os
import pathlib
import re
import subprocess
import sys

EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
HEADINGS = {"positionals": "arguments", "subcommands": "commands"}  # CLI11's words, and ours
OPTION = re.compile(r"^  (\S.*?)(?:  +(\S.*))?$")


def printed(program, *words):
    # Of the environment a default could come into the text.
    return subprocess.run([program, *words], check=True, capture_output=True, text=True, env={"PATH": "/usr/bin"}).stdout


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in text.split("\n"))


class Help:
    """A help text: what it says first, the usage, and sections of lines, by heading; what stands between them is NOTES."""

    def __init__(self, text):
        self.about, self.usage, self.sections = [], "", []
        lines = self.about
        for line in text.rstrip().split("\n"):
            heading = re.match(r"^([A-Z][A-Za-z -]*):( .*)?$", line)
            if heading and heading[1].lower() == "usage":
                self.usage = (heading[2] or "").strip()
                lines = self.section("notes")
            elif heading and not heading[2]:
                lines = self.section(HEADINGS.get(heading[1].lower(), heading[1].lower()))
            else:
                if line and not line.startswith(" ") and lines is not self.about and self.sections[-1][0] != "notes":
                    lines = self.section("notes")
                lines.append(line)

    def section(self, name):
        self.sections.append((name, []))
        return self.sections[-1][1]

    def commands(self):
        return [OPTION.match(line)[1] for name, lines in self.sections if name == "commands" for line in lines
                if OPTION.match(line)]


def options(lines):
    out = []
    for line in lines:
        match = OPTION.match(line)
        if match:
            out += [".TP", "\\fB" + escaped(match[1]) + "\\fR", escaped(match[2] or "")]
        elif line.strip():
            out.append(escaped(line.strip()))
    return [line for line in out if line]


def block(lines):
    while lines and not lines[0].strip():
        lines = lines[1:]
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return [".nf", *(escaped(line) for line in lines), ".fi"] if lines else []


def paragraphs(lines):
    text = "\n".join(line.strip() for line in lines).strip()
    return "\n.PP\n".join(escaped(part) for part in re.split(r"\n\n+", text)).split("\n") if text else []


def section(name, lines, heading):
    body = options(lines) if name in ("options", "commands", "arguments") else \
        paragraphs(lines) if name == "notes" else block(lines)
    return [heading(name), *body] if body else []


def page(program, number):
    name = pathlib.Path(program).name
    help_text = Help(printed(program, "--help"))
    version = printed(program, "--version").split()[1]
    date = datetime.datetime.fromtimestamp(EPOCH, datetime.timezone.utc).strftime("%Y-%m-%d")
    first = re.split(r"[.:]\s", " ".join(help_text.about))[0].strip().rstrip(".")
    out = [f'.TH {escaped(name.upper())} {number} {date} "{name} {version}" "railiance\\-backup"',
           ".SH NAME", escaped(f"{name} - {first[0].lower() + first[1:]}"),
           ".SH SYNOPSIS", escaped(help_text.usage),
           ".SH DESCRIPTION", *paragraphs(help_text.about)]
    for title, lines in help_text.sections:
        if title != "commands":
            out += section(title, lines, lambda title: ".SH " + title.upper())
    out.append(".SH COMMANDS")
    for command in help_text.commands():
        of = Help(printed(program, command, "--help"))
        usage = of.usage if of.usage.startswith(name) else f"{name} {of.usage}"
        out += [".SS " + escaped(command), *paragraphs(of.about), ".PP", escaped(usage)]
        for title, lines in of.sections:
            out += section(title, lines, lambda title: ".PP\n\\fI" + title.capitalize() + "\\fR\n.PP")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.stdout.write(page(sys.argv[1], sys.argv[2]))
