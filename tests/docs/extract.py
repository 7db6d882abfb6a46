#!/usr/bin/env python3
"""Takes the code out of the documentation so that it is compiled and run.

    extract.py --out FOLDER DOCUMENT.md…

A comment on the line before a fence, invisible to readers, says what the block is:

    <!-- file: models/shield.h -->              a file of the document's own project
    <!-- compile: declarations -->              code of a namespace
    <!-- compile: coroutine(Session& s) -->     statements of a coroutine with these parameters
    <!-- refused -->                            declarations that the compiler refuses with the
                                                sentence quoted below them (> …)
    <!-- not compiled: why -->                  shown only
    <!-- run -->, <!-- serve -->                shell, see run.py

A block of C++ must have one of them. Written are, for docs/name.md:

    FOLDER/name/…              the files of its project
    FOLDER/name_earlier_N.cpp  what a file of it was before the document shows it again
    FOLDER/name.cpp            all its declarations and coroutines, in order
    FOLDER/name_refused_N.cpp  the refused ones, each with those declarations before it
    FOLDER/docs.cmake          a call for each of these: docs_earlier(name file), docs_fragments(name),
                               docs_refused(name file sentence)

Compiler messages name the lines of the document. A file is written only when it changes.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

PREAMBLE = '#include "preamble.h"\n'


@dataclass
class Block:
    path: Path
    line: int  # of the first line of its text
    language: str
    kind: str  # what the comment says before its colon; "" without a comment
    argument: str
    text: str
    quoted: str = ""  # the paragraph `> …` that follows it

    def fail(self, message):
        raise SystemExit(f"{self.path}:{self.line}: {message}")

    def numbered(self):
        return f'#line {self.line} "{self.path}"\n{self.text}'


def blocks(path):
    """All fenced blocks of a document."""
    found = []
    comment, opened, language, start = "", None, "", 0
    text = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fence = re.match(r"\s*(`{3,})(\w*)\s*$", line)
        if opened is None and fence:
            opened, language, start = fence[1], fence[2], number + 1
        elif opened is not None and fence and fence[1] == opened and not fence[2]:
            marker = re.fullmatch(r"<!--\s*([\w ]+?)\s*(?::\s*(.*?))?\s*-->", comment.strip())
            kind, argument = (marker[1], marker[2] or "") if marker else ("", "")
            found.append(Block(path, start, language, kind, argument,
                               "".join(f"{t}\n" for t in text)))
            opened, comment, text = None, "", []
        elif opened is not None:
            text.append(line)
        else:
            comment = line
            if found and line.startswith("> "):
                found[-1].quoted = f"{found[-1].quoted} {line[2:]}".strip()
    if opened is not None:
        raise SystemExit(f"{path}:{start}: the block does not end")
    return found


written = set()


def write(path, text):
    written.add(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def coroutine(block, name):
    parameters = re.fullmatch(r"coroutine\((.*)\)", block.argument)
    if not parameters:
        block.fail(f"compile: declarations or coroutine(…), not {block.argument!r}")
    listed = parameters[1]
    return (f"[[maybe_unused]] static awaitable<void> {name}({listed}) {{\n{block.numbered()}"
            "  co_return;\n}\n")


def extract(document, out):
    """Writes what one document holds; answers its lines of docs.cmake."""
    name = document.stem.lower()
    files, earlier, shown, refused = {}, [], "", []
    for block in blocks(document):
        if block.kind == "file":
            target = out / name / block.argument
            if target in files:  # shown again, with more in it
                earlier.append(files[target])
            files[target] = block.text
        elif block.kind == "compile" and block.argument == "declarations":
            shown += block.numbered()
        elif block.kind == "compile":
            shown += coroutine(block, f"at_line_{block.line}")
        elif block.kind == "refused":
            if not block.quoted:
                block.fail("quote what the compiler says, in a paragraph `> …` below")
            refused.append((block, shown + block.numbered()))
        elif block.kind in ("not compiled", "run", "serve"):
            pass
        elif block.language == "cpp":
            block.fail("a cpp block without <!-- file: … -->, <!-- compile: … -->, "
                       "<!-- refused --> or <!-- not compiled: why -->")
        if block.kind == "not compiled" and not block.argument:
            block.fail("say why it is not compiled")

    cmake = ""
    for target, text in files.items():
        write(target, text)
    for number, text in enumerate(earlier, 1):
        write(out / f"{name}_earlier_{number}.cpp", text)
        cmake += f"docs_earlier({name} {name}_earlier_{number}.cpp)\n"
    if shown:
        write(out / f"{name}.cpp", PREAMBLE + shown)
        cmake += f"docs_fragments({name})\n"
    for number, (block, text) in enumerate(refused, 1):
        write(out / f"{name}_refused_{number}.cpp", PREAMBLE + text)
        sentence = re.sub(r"[^\w ,:]", ".", block.quoted.strip("`"))  # a regular expression
        cmake += f'docs_refused({name} {name}_refused_{number}.cpp "{sentence}")\n'
    return cmake


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("documents", type=Path, nargs="+")
    options = arguments.parse_args()
    cmake = "".join(extract(document, options.out) for document in options.documents)
    write(options.out / "docs.cmake", cmake)
    for path in options.out.rglob("*"):  # what a document no longer has
        if path.is_file() and path not in written and path.parent.name != "aegis":
            path.unlink()


if __name__ == "__main__":
    sys.exit(main())
