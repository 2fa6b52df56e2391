#!/usr/bin/env python3
"""Writes the man page and the completions of bash, zsh and fish, from what the program's help says.

    deploy/packages/help_texts.py BINARY FOLDER    into FOLDER, as an installed system has them
"""
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import time

PLACES = {
    "man": "usr/share/man/man1/meterline.1",
    "bash": "usr/share/bash-completion/completions/meterline",
    "zsh": "usr/share/zsh/vendor-completions/_meterline",
    "fish": "usr/share/fish/vendor_completions.d/meterline.fish",
}


@dataclasses.dataclass
class Option:
    names: list  # As written, the long one last.
    value: str   # TEXT or N; empty for a flag.
    about: str


@dataclasses.dataclass
class Verb:
    path: str  # "store check"; empty for the program itself.
    about: str
    positionals: list  # Of (name, about).
    options: list
    verbs: list  # Names below it, with what they do: (name, about).
    example: str
    closing: list  # Paragraphs behind the rest, of the program's own help only.


def entries(lines):
    """Pairs of what stands to the left of each entry of a section, and its text."""
    found = []
    for line in lines:
        begin = re.match(r" {2}(\S+(?: \S+)*)(?: {2,}(.*))?$", line)
        if begin:
            found.append([begin[1], begin[2] or ""])
        else:
            found[-1][1] = f"{found[-1][1]} {line.strip()}".strip()
    return found


def sections(text):
    """Heading -> its lines; "" is what stands before all, and "closing" what has no heading."""
    found, name = {"": []}, ""
    for line in text.splitlines():
        heading = re.fullmatch(r"(Positionals|Options|Subcommands|Example):", line)
        if heading:
            name = heading[1]
        elif line.startswith("Usage:"):
            name = "usage"
        elif line and not line.startswith(" ") and name not in ("", "closing"):
            name = "closing"
        found.setdefault(name, [])
        if line and not heading:
            found[name].append(line)
    return found


def option(left, about):
    names, _, value = left.partition(" ")
    return Option(names.split(","), value, about)


def describe(program, path=""):
    """The verb of this path, followed by all below it."""
    environment = {key: value for key, value in os.environ.items()
                   if not key.startswith("METERLINE_")}
    text = subprocess.run([program, *path.split(), "--help"], check=True, capture_output=True,
                          text=True, env=environment).stdout
    parts = sections(text)
    verb = Verb(path, " ".join(line for line in parts[""] if not line.startswith(" ")),
                entries(parts.get("Positionals", [])),
                [option(*each) for each in entries(parts.get("Options", []))],
                entries(parts.get("Subcommands", [])),
                "\n".join(line.strip() for line in parts.get("Example", [])),
                parts.get("closing", []))
    yield verb
    for name, _ in verb.verbs:
        yield from describe(program, f"{path} {name}".strip())


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(['.])", r"\\&\1", text, flags=re.MULTILINE)


def roff_options(verb):
    for each in verb.options:
        names = ", ".join(f"\\fB{roff(name)}\\fR" for name in each.names)
        yield f".TP\n{names}" + (f" \\fI{each.value}\\fR" if each.value else "")
        yield roff(each.about)


def roff_verb(verb):
    yield f".SS {roff(verb.path)}"
    yield roff(verb.about)
    for name, about in verb.positionals:
        yield f".TP\n\\fI{roff(name)}\\fR\n{roff(about)}"
    yield from roff_options(verb)
    if verb.example:
        yield f".PP\nExample:\n.PP\n.RS 4\n.nf\n{roff(verb.example)}\n.fi\n.RE"


def man_page(verbs, version):
    program = verbs[0]
    day = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "0"))))
    closing = " ".join(program.closing)
    general, codes = closing.split("Exit codes: ")
    # What every verb has is told once.
    common = {each.names[-1] for each in program.options}
    yield f'.TH METERLINE 1 "{day}" "meterline {version}" "User Commands"'
    yield ".SH NAME\nmeterline \\- load smart\\-meter readings and answer questions of them"
    yield ".SH SYNOPSIS\n.B meterline\n[\\fIOPTIONS\\fR] \\fIVERB\\fR [\\fIARGUMENTS\\fR]"
    yield f".SH DESCRIPTION\n{roff(program.about)}"
    yield f".PP\n{roff(general.strip())}"
    yield ".SH OPTIONS\nThese go with every verb."
    yield from roff_options(program)
    yield ".SH VERBS"
    for verb in verbs[1:]:
        own = [each for each in verb.options if each.names[-1] not in common]
        yield from roff_verb(dataclasses.replace(verb, options=own))
    yield ".SH EXIT STATUS"
    for code, meaning in re.findall(r"(\d+) ([^;]+?)[;.](?:\s|$)", codes):
        yield f".TP\n.B {code}\n{roff(meaning)}"
    yield ".SH FILES\n.TP\n.I /etc/meterline.toml\nOptions of the service meterline.service."
    yield ".TP\n.I /var/lib/meterline\nThe store of the service."


def words(verb):
    """What can follow the words of this path: verbs, flags, and options that want a value."""
    return ([name for name, _ in verb.verbs],
            [name for each in verb.options if not each.value and not wants_file(each)
             for name in each.names],
            [name for each in verb.options if each.value or wants_file(each)
             for name in each.names])


def wants_file(each):
    """The help shows no value for the one option that the command line library makes itself."""
    return each.names == ["--config"]


def with_common(verbs):
    """Every verb with the options of the program itself, which may stand behind it, too."""
    program = verbs[0]
    for verb in verbs:
        own = {name for each in verb.options for name in each.names}
        more = [each for each in program.options if not own & set(each.names)]
        yield dataclasses.replace(verb, options=verb.options + more)


BASH = r"""# Completes the command line of meterline in bash. Made from its help.
_meterline() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} at="" i
  local verbs flags valued
  COMPREPLY=()
  for ((i = 1; i <= COMP_CWORD; i++)); do
    _meterline_words "$at"
    [[ $i -lt $COMP_CWORD ]] || break
    [[ " $verbs " != *" ${COMP_WORDS[i]} "* ]] || at="${at:+$at }${COMP_WORDS[i]}"
  done
  if [[ $before == --output ]]; then
    mapfile -t COMPREPLY < <(compgen -W "table json csv" -- "$word")
  elif [[ " $valued " == *" $before "* ]]; then
    return  # Files, by `-o default`.
  elif [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags $valued" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$word")
  fi
}

_meterline_words() {
  case "$1" in
@CASES@
    *) verbs="" flags="" valued="" ;;
  esac
}

complete -o default -F _meterline meterline
"""


def bash(verbs):
    cases = []
    for verb in with_common(verbs):
        below, flags, valued = (" ".join(each) for each in words(verb))
        cases.append(f'    "{verb.path}")\n      verbs="{below}"\n      flags="{flags}"\n'
                     f'      valued="{valued}"\n      ;;')
    return BASH.replace("@CASES@", "\n".join(cases))


ZSH = r"""#compdef meterline
# Completes the command line of meterline in zsh. Made from its help.
_meterline() {
  local at="" i
  local -a verbs flags valued names
  for ((i = 2; i <= CURRENT; i++)); do
    _meterline_words "$at"
    (( i < CURRENT )) || break
    names=("${verbs[@]%%:*}")
    (( ! ${names[(Ie)${words[i]}]} )) || at="${at:+$at }${words[i]}"
  done
  names=("${valued[@]%%:*}")
  if [[ ${words[CURRENT-1]} == --output ]]; then
    compadd table json csv
  elif (( ${names[(Ie)${words[CURRENT-1]}]} )); then
    _files
  elif [[ ${words[CURRENT]} == -* ]]; then
    flags+=("${valued[@]}")
    _describe -o option flags
  elif (( ${#verbs} )); then
    _describe verb verbs
  else
    _files
  fi
}

_meterline_words() {
  case "$1" in
@CASES@
    (*) verbs=() flags=() valued=() ;;
  esac
}

_meterline "$@"
"""


def zsh_pair(name, about):
    text = about.replace("\\", "\\\\").replace(":", "\\:").replace("'", "'\\''")
    return f"'{name}:{text}'"


def zsh(verbs):
    cases = []
    for verb in with_common(verbs):
        about = {name: each.about for each in verb.options for name in each.names}
        about |= dict(verb.verbs)
        below, flags, valued = (" ".join(zsh_pair(name, about[name]) for name in each)
                                for each in words(verb))
        cases.append(f'    ("{verb.path}")\n      verbs=({below})\n      flags=({flags})\n'
                     f'      valued=({valued})\n      ;;')
    return ZSH.replace("@CASES@", "\n".join(cases))


FISH = r"""# Completes the command line of meterline in fish. Made from its help.
set -g __meterline_paths @PATHS@

function __meterline_at --description 'Whether the words so far lead to this verb'
    set -l at
    for word in (commandline -opc)[2..-1]
        if contains -- (string join ' ' $at $word) $__meterline_paths
            set -a at $word
        end
    end
    test "$at" = "$argv"
end
"""


def fish_text(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish(verbs):
    yield FISH.replace("@PATHS@", " ".join(fish_text(verb.path) for verb in verbs[1:]))
    for verb in with_common(verbs):
        begin = f"complete -c meterline -n {fish_text(f'__meterline_at {verb.path}'.strip())}"
        for name, about in verb.verbs:
            yield f"{begin} -f -a {name} -d {fish_text(about)}"
        for each in verb.options:
            names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
                             for name in each.names)
            if each.names == ["--output"]:
                names += " -x -a 'table json csv'"
            elif each.value or wants_file(each):
                names += " -r"
            yield f"{begin} {names} -d {fish_text(each.about)}"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    verbs = list(describe(program))
    version = subprocess.run([program, "--version"], check=True, capture_output=True,
                             text=True).stdout.split()[1]
    write(folder / PLACES["man"], "\n".join(man_page(verbs, version)))
    write(folder / PLACES["bash"], bash(verbs))
    write(folder / PLACES["zsh"], zsh(verbs))
    write(folder / PLACES["fish"], "\n".join(fish(verbs)))


if __name__ == "__main__":
    main()
