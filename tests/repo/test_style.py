"""The tree is formatted, and its scripts pass shellcheck; both checks are tried on faults."""
import shutil
import subprocess

from tree import REPO, numbered, tool

import style


def test_formatted():
    assert len(style.c_files()) > 300
    problems = style.misformatted()
    assert not problems, numbered(problems)


def test_shell_scripts():
    scripts = {file.name for file in style.bash_files()}
    assert {"run", "demo", "up", "lib.sh"} <= scripts
    problems = style.shell_mistakes()
    assert not problems, numbered(problems)


def test_the_version_is_the_one_that_formatted_the_tree():
    said = subprocess.run([tool("clang-format"), "--version"], capture_output=True, text=True, check=True).stdout
    assert " 14.0.6" in said


# --- the checks themselves ---------------------------------------------------------------------------------------


def test_a_misformatted_line_is_found(tmp_path):
    shutil.copy(REPO / ".clang-format", tmp_path)
    (tmp_path / "good.c").write_text("int one(void)\n{\n    return 1;\n}\n")
    (tmp_path / "bad.c").write_text("int one(void)\n{\n    return  1;\n}\n")
    (tmp_path / "wide.h").write_text("int two(" + ", ".join(f"int argument_{i}" for i in range(9)) + ");\n")
    found = style.misformatted(tmp_path)
    assert len(found) == 2 and found[0].startswith("bad.c:3: is not formatted") and found[1].startswith("wide.h:1: ")


def test_a_mistake_of_a_script_is_found(tmp_path):
    (tmp_path / "good").write_text('#!/usr/bin/env bash\nprintf "%s\\n" "$1"\n')
    (tmp_path / "bad").write_text("#!/usr/bin/env bash\nrm -rf $1/x\n")
    (tmp_path / "other.py").write_text("rm -rf $1/x\n")
    found = style.shell_mistakes(tmp_path)
    assert found and all(problem.startswith("bad:2:") for problem in found)
