#!/usr/bin/env python3
"""Says which rules (ids of the business rules; they never change) no test names, in its name or in a comment.

Counted are files that hold tests: C files with Test(...), Python files test_*.py. Exit code 1 if a rule is missing."""
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]

# The rules that rating, catalog and statements keep. Each needs a test of the C code.
RULES = ("N02 N03 N04 N05 N09 N10 N11 N12 N13 N14 N16 N18 N19 N21 P05 P06 P07 P14 O02 O03 O04 O06 O14 O15 "
         "R01 R02 R03 R04 R05 R06 R07 R08 R09 R10 R11 P13 "
         "I01 I02 I03 I04 I05 I06 I07 I08 I09 I10 I11 I12 I13 I14 I15 I16 I17 I18 T01 T02 T03 T04 T05 T06 T07 "
         "N01 N06 N07 N08 N22 N23 P01 P02 P03 P04 P08 P09 P10 P11 P12 P15 P16 P17 P18 O01 O05 O07 O08 O09 O10 O11 "
         "O12 O13 O16 O17 O18 O19 O20 O21 O22 O23 O24 O25 O26 O27 O28 O29 O30 O31 O32 O33 O34").split()


def test_files():
    """Test sources of this repository: path -> text. This folder names all rules and counts for none."""
    found = {}
    for path in sorted([*TESTS.rglob("*.c"), *TESTS.rglob("test_*.py")]):
        if pathlib.Path(__file__).parent in path.parents:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if re.search(r"^(Parameterized|Theory)?Test\(|^(async )?def test_|^    def test_", text, re.MULTILINE):
            found[path] = text
    return found


def named_by(rule, files):
    """The files that name a rule as a word of its own; N02_business counts, N021 does not."""
    word = re.compile(r"(?<![A-Za-z0-9])%s(?![A-Za-z0-9])" % rule)
    return [path for path, text in files.items() if word.search(text)]


def main():
    """Print what is missing; with -v also who names what."""
    files = test_files()
    missing = 0
    for rule in RULES:
        paths = named_by(rule, files)
        if not any(path.suffix == ".c" for path in paths):
            print("%s: no test of the C code names it" % rule)
            missing += 1
        elif "-v" in sys.argv[1:]:
            print("%s: %s" % (rule, " ".join(str(path.relative_to(TESTS)) for path in paths)))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
