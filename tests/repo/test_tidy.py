"""clang-tidy finds no mistake in the product; it is tried on mistakes."""
import json

import pytest
from tree import numbered

import tidy


def test_no_mistakes():
    build = tidy.build_folder()
    assert (build / "compile_commands.json").is_file(), f"{build} is not built"
    sources = tidy.sources(build)
    assert len(sources) > 200
    problems = tidy.mistakes(sources, build)
    assert not problems, numbered(problems)


# --- the check itself --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, check", [
    ("#include <string.h>\nint f(const char *a)\n{\n    return strcmp(a, \"b\") == 1;\n}\n", "bugprone-suspicious-string-compare"),
    ("#include <stdlib.h>\nint f(const char *a)\n{\n    return atoi(a);\n}\n", "cert-err34-c"),
    ("int f(int a)\n{\n    int *p = 0;\n    if (a > 3)\n        p = &a;\n    return *p;\n}\n", "clang-analyzer-core.NullDereference"),
    ("int f(int a)\n{\n    int b;\n    if (a)\n        b = 1;\n    return b;\n}\n", "clang-analyzer-core.uninitialized"),
    ("int f(int a)\n{\n    if (a)\n        return 1;\n    return 0;\n}\n", None),
])
def test_mistakes_are_found(tmp_path, text, check):
    source = tmp_path / "common" / "a.c"
    source.parent.mkdir()
    source.write_text(text)
    (tmp_path / "compile_commands.json").write_text(json.dumps([{"directory": str(tmp_path), "file": str(source), "arguments": ["cc", "-c", str(source)]}]))
    assert tidy.sources(tmp_path, tmp_path) == [source.resolve()]
    found = tidy.mistakes([source], tmp_path, tmp_path)
    assert [check in line for line in found] == ([True] if check else []), found
