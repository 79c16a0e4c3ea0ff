"""House rules that a machine can check, over the source tree (CONTRIBUTING, architecture.md 5 and 7)."""
import pathlib
import re

import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
PRODUCT = [REPO / "common", REPO / "services"]
SOURCES = sorted(file for folder in PRODUCT for file in folder.rglob("*.[ch]"))
LINES_MAX = 800

# Where binary floating point may stand: never near an amount.
FLOAT_ALLOWED: dict[str, str] = {}

# Where a payer model or its distributor may be named outside of its folder.
MODEL_ALLOWED = {
    "common/billing/payer_model/registry.c": "the registry lists the models",
    "common/billing/payer_model/registry.h": "and declares their tables",
    "common/billing/payer_model/payer_model.h": "tells what a model answers, with examples",
    "services/curmill/main.c": "default of the setting `lanes`",
    "common/base/config/load.c": "default of the setting `lane`",
}

BANNED = ("strcpy", "strcat", "sprintf", "vsprintf", "gets", "atoi", "atol", "atoll", "atof", "strtod", "strtof", "strtold", "strtok",
          "localtime", "gmtime", "asctime", "ctime", "tmpnam", "mktemp", "alloca")


def _name(file):
    return file.relative_to(REPO).as_posix()


def _code(text):
    """The text without comments and without what stands in quotes; lines keep their numbers."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', blank, text, flags=re.S)


def _hits(pattern, text):
    return [text.count("\n", 0, match.start()) + 1 for match in re.finditer(pattern, text)]


def test_there_is_something_to_check():
    assert len(SOURCES) > 100


def test_no_binary_floating_point():
    """architecture.md 5: no binary floating point touches an amount anywhere."""
    pattern = r"\b(double|float|_Float\d+|long\s+double|__float128)\b|\b\d+\.\d*([eE][+-]?\d+)?[fFlL]?\b|\bjson_real\w*\b|%[-+ #0-9.*]*l?[eEfFgG]\b"
    found = []
    for file in SOURCES:
        if _name(file) in FLOAT_ALLOWED:
            continue
        text = _code(file.read_text())
        found += [f"{_name(file)}:{line}" for line in _hits(pattern, text)]
    assert not found, found


def test_no_banned_functions():
    """Functions that overrun, that have hidden state, or that turn text into binary floating point."""
    pattern = r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\("
    found = [f"{_name(file)}:{line}" for file in SOURCES for line in _hits(pattern, _code(file.read_text()))]
    assert not found, found


def test_no_payer_model_outside_its_folder():
    """architecture.md 7: all other code is written against the table and never asks "is this Ingram?"."""
    found = []
    for file in SOURCES + sorted(f for folder in PRODUCT + [REPO / "proto"] for f in folder.rglob("*") if f.suffix in (".proto", ".txt", ".cmake")):
        name = _name(file)
        if re.match(r"common/billing/payer_model/(tdsynnex|ingram)/", name) or name in MODEL_ALLOWED or name == "common/billing/payer_model/CMakeLists.txt":
            continue
        text = file.read_text()
        # Comments may explain a rule by its distributor; code and texts may not know one.
        bare = re.sub(r"//[^\n]*|/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)
        found += [f"{name}:{line}" for line in _hits(r"(?i)ingram|td.?synnex|streamone", bare)]
    assert not found, found


@pytest.mark.parametrize("allowed", [*FLOAT_ALLOWED, *MODEL_ALLOWED])
def test_allow_lists_are_up_to_date(allowed):
    assert (REPO / allowed).is_file(), f"{allowed} is gone: take it out of the allow list"


def test_files_are_short():
    """A file that does not fit into a head does not fit into a review."""
    kinds = {".c", ".h", ".py", ".sh", ".sql", ".proto", ""}
    long = []
    for folder in [*PRODUCT, REPO / "proto", REPO / "deploy", REPO / "tests"]:
        for file in folder.rglob("*"):
            if file.is_file() and file.suffix in kinds and "vectors" not in file.parts and "__pycache__" not in file.parts:
                count = file.read_bytes().count(b"\n")
                if count > LINES_MAX:
                    long.append(f"{_name(file)}: {count} lines")
    assert not long, long


def _is_public(header):
    """One that a folder below common/ shows to others: neither named internal nor said to be private."""
    return header.is_relative_to(REPO / "common") and header.suffix == ".h" and "internal" not in header.name and \
        "private" not in header.name and not re.match(r"/\* (Private|Internal) to ", header.read_text())


@pytest.mark.parametrize("header", [file for file in SOURCES if _is_public(file)], ids=_name)
def test_headers_say_what_they_are_for(header):
    """A header begins with a comment that says what it is for, and has an include guard."""
    text = header.read_text()
    comment = re.match(r"\s*(/\*.*?\*/|(//[^\n]*\n)+)", text, re.S)
    assert comment and len(re.findall(r"\w+", comment.group(0))) >= 8, f"{_name(header)} begins with no comment that tells what it is for"
    assert re.search(r"#ifndef \w+_H\n#define \w+_H|#pragma once", text), f"{_name(header)} has no include guard"


def test_includes_point_downwards():
    """architecture.md 9: services may use common, common never services; no service includes another's files."""
    found = []
    for file in SOURCES:
        for include in re.findall(r'^#include "([^"]+)"', file.read_text(), re.M):
            if include.startswith("services/") or include.startswith("../"):
                found.append(f"{_name(file)}: {include}")
            elif _name(file).startswith("common/") and "/" in include and not (REPO / "common" / include).exists() and not include.endswith(".pb-c.h"):
                found.append(f"{_name(file)}: {include}")
    assert not found, found


def test_nothing_names_the_place_it_was_written_in():
    """The project must not depend on folders of one machine."""
    found = []
    for file in REPO.rglob("*"):
        top = file.relative_to(REPO).parts[0]
        if top in (".git", "build", ".local") or not file.is_file() or "__pycache__" in file.parts or file == pathlib.Path(__file__).resolve():
            continue
        text = file.read_bytes()
        if re.search(rb"/home/\w+/", text):
            found.append(_name(file))
    assert not found, found
