"""Length of files, size of folders; include what you link, and link what you include."""
import re

from tree import REPO, files, name, text_of

PRODUCT = ("common", "services")
FILE_LINES = 500
FOLDER_LINES, FOLDER_SOURCES = 3200, 16  # of one folder, without those below it; sources: its .c files

# Longer than they should be, until they are split. A name that is no longer needed must go.
STILL_LONG: set[str] = set()


def long_files(root=REPO, still_long=frozenset()):
    """Files of the product that do not fit into a head."""
    problems, long = [], set()
    for file in files(root, under=(*PRODUCT, "proto", "deploy")):
        count = text_of(file).count("\n")
        if count > FILE_LINES and file.suffix not in (".csv", ".json", ".ttf"):
            long.add(name(file, root))
            if name(file, root) not in still_long:
                problems.append(f"{name(file, root)}: {count} lines, at most {FILE_LINES}: split it")
    return problems + [f"{path} is short now: take it out of STILL_LONG" for path in sorted(set(still_long) - long)]


def large_folders(root=REPO):
    sizes = {}
    for file in files(root, under=PRODUCT, suffix=(".c", ".h")):
        lines, sources = sizes.get(file.parent, (0, 0))
        sizes[file.parent] = (lines + text_of(file).count("\n"), sources + (file.suffix == ".c"))
    return [f"{name(folder, root)}: {lines} lines in {sources} sources, at most {FOLDER_LINES} in {FOLDER_SOURCES}: make folders of it"
            for folder, (lines, sources) in sorted(sizes.items()) if lines > FOLDER_LINES or sources > FOLDER_SOURCES]


# --- includes and libraries --------------------------------------------------------------------------------------

# The library that a header of the system belongs to, by how it is included.
SYSTEM = {"jansson.h": "PkgConfig::JANSSON", "xxhash.h": "PkgConfig::XXHASH", "openssl/": "PkgConfig::CRYPTO", "curl/": "PkgConfig::CURL",
          "expat.h": "PkgConfig::EXPAT", "yaml.h": "PkgConfig::YAML", "microhttpd.h": "PkgConfig::MICROHTTPD", "isa-l": "PkgConfig::ISAL",
          "zip.h": "PkgConfig::ZIP", "libpq-fe.h": "PkgConfig::PQ", "librdkafka/": "PkgConfig::RDKAFKA", "pango/": "PkgConfig::PANGOCAIRO",
          "cairo": "PkgConfig::PANGOCAIRO", "protobuf-c/": "PkgConfig::PROTOBUFC", "pthread.h": "Threads::Threads"}
# Used without a header of theirs, or with headers that belong to nobody else.
NO_HEADER = {"Threads::Threads", "${CSV_LIBRARY}", "${UNISTRING}", "m"}


class Target:
    def __init__(self, cmake, target, sources, deps, root):
        self.cmake, self.name, self.deps = cmake, target, deps
        self.folder = cmake.parent
        self.sources = [f for source in sources for f in self.expand(source) if f.is_file()]
        self.private = set()  # includes of its own folder, by a bare name
        self.root = root

    def expand(self, source):
        source = source.replace("${CMAKE_CURRENT_SOURCE_DIR}/", "")
        return sorted(self.folder.glob(source)) if "*" in source else [self.folder / source]


def targets(root=REPO):
    """Libraries and programs that the CMakeLists of the product make. Variables that file(GLOB) sets are looked up."""
    found = []
    for cmake in files(root, under=PRODUCT):
        if cmake.name != "CMakeLists.txt":
            continue
        text = re.sub(r"#[^\n]*", "", text_of(cmake))
        globs = {variable: patterns.split() for variable, patterns in re.findall(r"file\(GLOB (\w+) CONFIGURE_DEPENDS ([^)]*)\)", text)}
        for target, words in re.findall(r"curmill_(?:library|program)\(([\w-]+)([^)]*)\)", text):
            words, kind, lists = words.split(), None, {"SOURCES": [], "DEPS": []}
            for word in words:
                if word in lists:
                    kind = word
                elif kind:
                    variable = re.fullmatch(r"\$\{(\w+)\}", word)
                    lists[kind] += globs[variable.group(1)] if variable and variable.group(1) in globs else [word]
            found.append(Target(cmake, target, lists["SOURCES"], lists["DEPS"], root))
    return found


def umbrellas(root=REPO):
    """Libraries that only stand for others: cm_store -> {cm_store_runs, ...}."""
    found = {}
    for cmake in files(root, under=PRODUCT):
        if cmake.name == "CMakeLists.txt":
            text = re.sub(r"#[^\n]*", "", text_of(cmake))
            for target in re.findall(r"add_library\(([\w-]+) INTERFACE\)", text):
                linked = re.search(r"target_link_libraries\(%s\s+INTERFACE\s+([^)]*)\)" % re.escape(target), text)
                found[target] = set(linked.group(1).split()) if linked else set()
    return found


def wrong_links(root=REPO):
    """Headers that a target includes without naming their library, and libraries that it names for nothing."""
    every, stands_for, problems = targets(root), umbrellas(root), []
    owner = {name(t.folder, root)[len("common/"):]: t.name for t in every if name(t.folder, root).startswith("common/")}
    for target in every:
        used = {}
        # The headers of its folder are the target's, too.
        own = set(target.sources)
        for source in target.sources:
            own |= set(source.parent.glob("*.h"))
        for file in sorted(own):
            for kind, path in re.findall(r'^#include ([<"])([^>"]+)[>"]', text_of(file), re.M):
                if kind == "<":
                    library = next((lib for header, lib in SYSTEM.items() if path.startswith(header)), None)
                elif path.endswith(".pb-c.h"):
                    library = "cm_proto"
                else:
                    library = owner.get(path.rpartition("/")[0])
                if library and library != target.name:
                    used.setdefault(library, f"{name(file, root)} includes {path}")
        where = f"{name(target.cmake, root)}: {target.name}"
        named = set(target.deps)
        covered = named | {part for dep in named for part in stands_for.get(dep, ())}
        if "cm_proto" in covered:
            covered.add("PkgConfig::PROTOBUFC")
        problems += [f"{where} does not name {library} ({why})" for library, why in sorted(used.items())
                     if library not in covered and library not in NO_HEADER]
        for dep in target.deps:
            parts = stands_for.get(dep) or {dep}
            own_headers = any(t.name == dep and name(t.folder, root).startswith("services/") for t in every)
            if not parts & set(used) and dep not in NO_HEADER and not own_headers:
                problems.append(f"{where} names {dep} and includes nothing of it")
    return problems
