"""Files and folders stay small, and CMakeLists name what is included; the checks are tried on faults."""
import pytest
from tree import numbered

import structure


def test_files_are_short():
    problems = structure.long_files(still_long=structure.STILL_LONG)
    assert not problems, numbered(problems)


def test_folders_are_small():
    problems = structure.large_folders()
    assert not problems, numbered(problems)


def test_what_is_included_is_linked_and_the_other_way_round():
    problems = structure.wrong_links()
    assert not problems, numbered(problems)


def test_there_is_something_to_check():
    targets = structure.targets()
    assert len(targets) > 50 and sum(len(target.sources) for target in targets) > 200
    assert {"cm_store", "cm_catalog"} <= set(structure.umbrellas())


# --- the checks themselves ---------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path):
    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
        return tmp_path

    write("common/base/base/CMakeLists.txt", "curmill_library(cm_base SOURCES a.c)\n")
    write("common/base/base/a.h", "int a(void);\n")
    write("common/base/base/a.c", '#include "base/base/a.h"\n')
    write("common/store/CMakeLists.txt", "add_library(cm_store INTERFACE)\ntarget_link_libraries(cm_store INTERFACE\n    cm_runs)\n")
    write("common/store/runs/CMakeLists.txt", "curmill_library(cm_runs\n    SOURCES runs.c\n    DEPS cm_base PkgConfig::PQ)\n")
    write("common/store/runs/runs.h", '#include "base/base/a.h"\n')
    write("common/store/runs/runs.c", '#include "store/runs/runs.h"\n#include <libpq-fe.h>\n')
    write("services/x/CMakeLists.txt", "file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)\n"
                                       "curmill_program(x\n    SOURCES ${sources}\n    DEPS cm_store)\n")
    write("services/x/main.c", '#include "store/runs/runs.h"\n#include <stdio.h>\n')
    return write


def test_a_good_tree_is_good(tree):
    root = tree("README.md", "")
    assert structure.wrong_links(root) == [] and structure.long_files(root) == [] and structure.large_folders(root) == []


@pytest.mark.parametrize("path, text, said", [
    ("services/x/main.c", '#include "store/runs/runs.h"\n#include "base/base/a.h"\n', "x does not name cm_base (services/x/main.c includes base/base/a.h)"),
    ("services/x/extra.h", '#include "base/base/a.h"\n', "x does not name cm_base (services/x/extra.h includes base/base/a.h)"),
    ("services/x/main.c", "#include <jansson.h>\n#include \"store/runs/runs.h\"\n", "x does not name PkgConfig::JANSSON"),
    ("services/x/main.c", "#include <stdio.h>\n", "x names cm_store and includes nothing of it"),
    ("common/store/runs/runs.c", "int b;\n", "cm_runs names PkgConfig::PQ and includes nothing of it"),
    ("common/base/base/a.c", '#include "store/runs/runs.h"\n', "cm_base does not name cm_runs"),
    ("common/store/runs/CMakeLists.txt", "curmill_library(cm_runs SOURCES runs.c DEPS PkgConfig::PQ) # cm_base\n", "cm_runs does not name cm_base"),
])
def test_wrong_links_are_found(tree, path, text, said):
    problems = structure.wrong_links(tree(path, text))
    assert len(problems) == 1 and said in problems[0], problems


def test_a_long_file_is_found(tree):
    root = tree("common/base/base/long.c", "\n" * 501)
    assert structure.long_files(root) == ["common/base/base/long.c: 501 lines, at most 500: split it"]
    assert structure.long_files(root, {"common/base/base/long.c"}) == []
    assert structure.long_files(root, {"common/base/base/long.c", "common/base/base/a.c"}) == \
        ["common/base/base/a.c is short now: take it out of STILL_LONG"]


def test_a_large_folder_is_found(tree):
    for number in range(17):
        root = tree(f"common/many/f{number}.c", "\n")
    for number in range(9):
        tree(f"common/big/f{number}.c", "\n" * 400)
    found = structure.large_folders(root)
    assert [problem.split(":")[0] for problem in found] == ["common/big", "common/many"]
