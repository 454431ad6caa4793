#!/usr/bin/env python3
"""Holds what is written for people against what there is: links and anchors, commands with their options, values of the
chart, targets of make, reasons. Of the documents, and of the advice in programs, chart and alerts.

usage: docs_test.py RAILIANCE-BACKUP RAILIANCE-RESTORE DAEMON...
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "railiance-backup"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
# A program, its global options, a command, and what follows up to the end of that command.
COMMAND = re.compile(r"\b(railiance-(?:restore|backup))((?: --[a-z-]+[ =]\S+)*) ([a-z][a-z-]+)\b([^`|;#&\n()]*)")
# What a sentence may say after the program's name and no command is: kubectl -n railiance-backup get …
NOT_OURS = re.compile(r"(?:-n|--namespace|generic|helm \S+|helm \S+ \S+|namespace|daemonset|deployment)[ =/]$")
VALUE = re.compile(r"(?<![\w./-])((?:image|sops|crds|controller|agent|networkPolicy|offsite|monitoring|notify|upgradeGuard|"
                   r"schedule)(?:\.[a-zA-Z]+)+)\b(?![./(-]\w)")
FILE_ENDINGS = ("yaml", "md", "tar", "cpp", "hpp", "go", "sh")
# Options of other programs that the pages name by themselves: of k3s, helm, kubectl, rclone, node_exporter, drill-timer.sh.
FOREIGN = set("""--cluster-init --config --disable --disable-agent --kube-apiserver-arg --log --node-ip --vpn-auth --with-node-id
--reset-then-reuse-values --reuse-values --set --take-ownership --from-file --bwlimit --collector
--key --key-on-this-server --obscure""".split())
failures = []


def fail(message):
    failures.append(message)
    print(f"FAILED: {message}")


def printed(program, *words):
    done = subprocess.run([program, *words, "--help"], check=True, capture_output=True, text=True, env={"PATH": "/usr/bin"})
    return done.stdout


class Program:
    """What a program takes, by what it prints for --help."""

    def __init__(self, path):
        text = printed(path)
        self.options = self.options_of(text)
        section = re.search(r"^Subcommands:\n(.*?)\n\n", text, re.M | re.S)
        names = re.findall(r"^  ([a-z-]+) ", section[1], re.M)
        self.helps = {name: printed(path, name) for name in names}
        self.commands = {name: self.options_of(help) for name, help in self.helps.items()}

    @staticmethod
    def options_of(text):
        return set(re.findall(r"^  (?:-\w,)?(--[a-z0-9-]+)", text, re.M))


def without_code(text):
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)


def anchors(path):
    """As GitHub makes them of headings."""
    names, found = set(), {}
    for heading in re.findall(r"^#+ (.*)$", without_code(path.read_text()), re.M):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        count = found.get(name, 0)
        found[name] = count + 1
        names.add(f"{name}-{count}" if count else name)
    return names


def check_links(path, text):
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", without_code(text))):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        there = path.parent / target if target else path
        if not there.exists():
            fail(f"{path.relative_to(ROOT)}: {link}: there is no such file")
        elif anchor and there.suffix == ".md" and anchor not in anchors(there):
            fail(f"{path.relative_to(ROOT)}: {link}: there is no such heading")


def check_commands(path, text, programs):
    for match in COMMAND.finditer(text):
        name, before, command, rest = match.groups()
        if NOT_OURS.search(text[: match.start()][-60:]):
            continue
        program = programs[name]
        options = OPTION.findall(rest.split(" hint: ")[0])
        if command not in program.commands:
            if OPTION.search(before) or rest.lstrip().startswith("--"):
                fail(f"{path.relative_to(ROOT)}: {name} {command}: there is no such command")
            continue
        for option in OPTION.findall(before) + options:
            if option not in program.commands[command] | program.options:
                fail(f"{path.relative_to(ROOT)}: {name} {command} {option}: there is no such option")


def check_options(path, text, known):
    """Those that stand for themselves: `--single-server` says … Of longer quotations only the first word."""
    for option in re.findall(r"`(--[a-z][a-z0-9-]*)", text):
        if option not in known | FOREIGN:
            fail(f"{path.relative_to(ROOT)}: {option}: no program of ours has this option")


def check_advice(path, text):
    """A host that got a package has no Makefile."""
    for line in text.split("\n"):
        if re.search(r'"[^"]*`make \w', line) and not line.lstrip().startswith("//"):
            fail(f"{path.relative_to(ROOT)}: advice that only a checkout can follow: {line.strip()}")


def check_drop_ins(path, text):
    """Of a unit of ours: a path of before that is not on the host ends the unit with 226/NAMESPACE."""
    if re.search(r"^ +(?!ReadWritePaths=\n)\S.*\n +ReadWritePaths=/", text, re.M):
        fail(f"{path.relative_to(ROOT)}: ReadWritePaths= of a drop-in does not begin with an empty one")


def check_plaintext(path, text):
    """age and the shell make files as the umask says: what is decrypted is for its owner alone."""
    for line in re.finditer(r"^.*\bage (?:-d|--decrypt) .*(?:-o|--output|>) ?[\w./\"$~].*$", text, re.M):
        if "umask 077" not in text[: line.end()]:
            fail(f"{path.relative_to(ROOT)}: everybody can read what is decrypted: {line[0].strip()}")


def values():
    """Those of values.yaml, and which of them take what is not named there: {} and []."""
    names, open_ended, above = set(), set(), []
    for line in (CHART / "values.yaml").read_text().split("\n"):
        match = re.match(r"( *)([A-Za-z]+):(.*)$", line)
        if match:
            above = above[: len(match[1]) // 2] + [match[2]]
            names.add(".".join(above))
            if match[3].strip() in ("{}", "[]"):
                open_ended.add(".".join(above))
    return names, open_ended


def check_values(path, text, names, open_ended):
    for name in VALUE.findall(text):
        known = name in names or any(name.startswith(each + ".") for each in open_ended)
        if not known and name.rsplit(".", 1)[1] not in FILE_ENDINGS:
            fail(f"{path.relative_to(ROOT)}: {name}: the chart has no such value")


def check_make(path, text, targets):
    for line in re.findall(r"(?:`|^    |^\$ )(?:sudo )?make ([a-z][a-z0-9 -]*)", text, re.M):
        for target in line.split():
            if target not in targets:
                fail(f"{path.relative_to(ROOT)}: make {target}: there is no such target")


def check_pages(path, text):
    """Where advice sends people."""
    for page in re.findall(r"(?<![\w/])docs/[\w/-]+\.md", text):
        if not (ROOT / page).exists():
            fail(f"{path.relative_to(ROOT)}: {page}: there is no such page")


def check_reasons(page):
    """Each is on the page, and those of the table have the exit code that they have in the program."""
    codes = dict(re.findall(r"^  (\w+) = (\d+),", (ROOT / "lib/base/error.hpp").read_text(), re.M))
    reasons = re.findall(r'\{Reason::\w+, "(\w+)", ExitCode::(\w+)\}', (ROOT / "lib/api/reason.cpp").read_text())
    said = {word: row[1] for row in re.findall(r"^\| (`[A-Z].*?) \|.*\| (\d+) \|$", page, re.M) for word in re.findall(r"`(\w+)`", row[0])}
    for reason, code in reasons:
        if f"`{reason}`" not in page:
            fail(f"docs/api.md: the reason {reason} is not there")
        if said.get(reason, codes[code]) != codes[code]:
            fail(f"docs/api.md: {reason} ends with {codes[code]}, not with {said[reason]}")


def check_names(page):
    """Who tidies up a backup directory goes by the page: it has each name that is ours."""
    for source in ("lib/set/names.hpp", "hostagent/agent/host/backup_disk.hpp", "hostagent/agent/host/backup_disk.cpp"):
        for name in re.findall(r'k_\w+_name = "([^"]+)"', (ROOT / source).read_text()):
            if not re.search(rf"`{re.escape(name)}`", page) and name != "backup-disks":  # which is elsewhere
                fail(f"docs/artifact-format.md: {name}, which lies in a backup directory, is not there")


def sources():
    for folder in ("cli", "controller", "hostagent", "lib"):
        yield from (path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".cpp", ".hpp"))


def joined(path):
    """The lines that a shell or a compiler takes for one."""
    text = path.read_text()
    return re.sub(r'"\n\s*"', "", text) if path.suffix in (".cpp", ".hpp") else text.replace("\\\n", " ")


def main():
    programs = {"railiance-backup": Program(sys.argv[1]), "railiance-restore": Program(sys.argv[2])}
    pages = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
    other = [CHART / "values.yaml", CHART / "templates" / "NOTES.txt", ROOT / "deploy/monitoring/alerts.yaml",
             *sorted((ROOT / "deploy/host").iterdir()), *sorted((ROOT / "crds").iterdir())]
    guide = [ROOT / "tests/golden/artifact/RESTORE.md"]
    known = set().union(*(set().union(program.options, *program.commands.values()) for program in programs.values()))
    for daemon in sys.argv[3:]:
        known |= Program.options_of(printed(daemon))
    names, open_ended = values()
    targets = set(" ".join(re.findall(r"^([a-z0-9 -]+):", (ROOT / "Makefile").read_text(), re.M)).split())
    for path in pages + other + guide + list(sources()):
        text = joined(path)
        check_commands(path, text, programs)
        check_pages(path, text)
        if path.suffix in (".cpp", ".hpp"):
            check_advice(path, text)
        else:
            check_values(path, text, names, open_ended)
            check_plaintext(path, text)
        if path in pages:
            check_links(path, path.read_text())
            check_make(path, text, targets)
            check_options(path, text, known)
            check_drop_ins(path, text)
    for name, program in programs.items():
        for command, help_text in program.helps.items():
            check_commands(ROOT / f"{name} {command} --help", help_text.replace("\\\n", " "), programs)
    check_reasons((ROOT / "docs/api.md").read_text())
    check_names((ROOT / "docs/artifact-format.md").read_text())
    if not failures:
        print(f"{len(pages)} pages, all well")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
