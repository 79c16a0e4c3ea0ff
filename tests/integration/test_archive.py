"""Documents keep the ground they rest on: copies of deliveries in overwrite mode (architecture.md 5; I09, R11)."""
import hashlib
import os
import pathlib
import re
import shutil
import signal

import months
import pytest
import stack as stacks

WHO = ("--by", "maria", "--reason", "test")


def _folder(stack) -> pathlib.Path:
    """The archive of the stack, as its settings say."""
    return pathlib.Path(next(line.partition("=")[2].strip() for line in stack.conf.read_text().splitlines() if line.startswith("archive.path")))


def _copy(stack, digest: str) -> pathlib.Path:
    return _folder(stack) / digest[:2] / digest


def _incoming(stack) -> list[pathlib.Path]:
    return sorted((_folder(stack) / "incoming").iterdir())


def _digests(stack, month) -> dict[str, list[str]]:
    """Delivery -> digests of its copies by chunk, manifest last."""
    rows = stack.sql("SELECT d.id, k.archive_digest AS digest FROM delivery d JOIN chunk k ON k.delivery_id = d.id"
                     f" WHERE d.payer = '{month.payer}' ORDER BY d.seq, k.chunk")
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["id"], []).append(row["digest"])
    return found


def _sha256(file) -> str:
    return hashlib.sha256(pathlib.Path(file).read_bytes()).hexdigest()


def _archived(stack, month) -> list[dict]:
    return stack.cli("archive", "list", "--payer", month.payer)


def _issue_one(stack, month) -> dict:
    """The first document of the month with a rate, issued whatever its gates say."""
    for document in stack.cli("statement", "list", "--payer", month.payer, "--period", month.period):
        shut = [g["code"] for g in stack.cli("statement", "show", document["id"])["gates"] if not g["open"]]
        if not {"RUN_INCOMPLETE", "FX_MISSING"} & set(shut):
            stack.cli("statement", "approve", document["id"], "--by", "maria")
            return stack.cli("statement", "issue", document["id"], *WHO, *(["--override", *shut] if shut else []))[0]
    raise AssertionError("no document of the month can be issued")


@pytest.fixture(scope="module", params=["tdsynnex", "ingram"])
def overwritten(request, stack, generate, tmp_path_factory):
    """A document is issued on v1; then v2 is written over its files and becomes the current run."""
    month = months.Month(stack, generate, f"archive-{request.param}", "2020-01", model=request.param,
                         layout="overwrite", format={"tdsynnex": "legacy-zip", "ingram": "cur2-gz"}[request.param])
    seen = {}
    v1 = month.write("--only-version", 1)[0]
    kept = tmp_path_factory.mktemp(request.param) / "v1"
    shutil.copytree(month.root, kept)
    seen["files"] = [kept / chunk["file"] for chunk in v1["chunks"]]
    seen["manifest"] = next(kept.rglob("*-Manifest.json"))
    months.apply(stack, month.catalog)
    month.ingest()
    seen["run"] = month.totals()["run"]
    seen["explained"] = stack.cli("explain", "--payer", month.payer, "--period", month.period, "--line", "1:1")
    seen["issued"] = _issue_one(stack, month)
    month.write("--only-version", 2)
    month.ingest()
    seen["now"] = month.totals()["run"]
    assert seen["now"] != seen["run"]
    return month, seen


def test_copies_are_the_bytes_that_were_delivered(stack, overwritten):
    """Each file of each delivery, and its manifest, under the SHA-256 of its bytes."""
    month, seen = overwritten
    listed = _archived(stack, month)
    assert [(d["state"], d["files"] == d["copies"], d["manifest"], d["documents"]) for d in listed] == [
        ("superseded", True, True, 1), ("good", True, True, 0)]
    digests = _digests(stack, month)[listed[0]["delivery"]]
    assert digests == [_sha256(file) for file in seen["files"]]
    for digest, file in [*zip(digests, seen["files"]), (_sha256(seen["manifest"]), seen["manifest"])]:
        assert _copy(stack, digest).read_bytes() == file.read_bytes()
    assert listed[0]["bytes"] == sum(file.stat().st_size for file in seen["files"])
    assert all(row["good"] for row in stack.cli("archive", "verify", "--payer", month.payer))


def test_explain_answers_from_the_copy(stack, overwritten):
    """R11: the line that was billed is explained although its file holds another month's state now."""
    month, seen = overwritten
    again = stack.cli("explain", "--payer", month.payer, "--period", month.period, "--line", "1:1", "--run", seen["run"])
    assert again == seen["explained"]
    done = stack.cli_raw("--archive.path", "", "explain", "--payer", month.payer, "--period", month.period, "--line", "1:1", "--run", seen["run"])
    assert done.returncode != 0 and "archive.path is not set" in done.stderr and "changed" in done.stderr


def test_sweep_keeps_what_an_issued_document_rests_on(stack, overwritten):
    """I09: the issued document's delivery stays, however superseded it is."""
    month, _ = overwritten
    assert not [d for d in stack.cli("archive", "sweep", "--dry-run") if d["payer"] == month.payer]
    stack.cli("archive", "sweep")
    assert all(d["files"] == d["copies"] for d in _archived(stack, month))


def test_a_corrupt_byte_is_named(stack, overwritten):
    """A damaged copy is never read as if it were whole: file and delivery are named."""
    month, seen = overwritten
    delivery, digests = next(iter(_digests(stack, month).items()))
    copy = _copy(stack, digests[0])
    good = copy.read_bytes()
    copy.chmod(0o640)
    copy.write_bytes(good[:len(good) // 2] + bytes([good[len(good) // 2] ^ 1]) + good[len(good) // 2 + 1:])
    try:
        done = stack.cli_raw("explain", "--payer", month.payer, "--period", month.period, "--line", "1:1", "--run", seen["run"])
        assert done.returncode != 0 and str(copy) in done.stderr and delivery in done.stderr, done.stderr
        told = stack.cli("archive", "verify", "--payer", month.payer, code=2)
        assert [(row["delivery"], row["digest"]) for row in told if not row["good"]] == [(delivery, digests[0])]
    finally:
        copy.write_bytes(good)
        copy.chmod(0o440)
    stack.cli("archive", "verify", "--payer", month.payer)


def test_sweep_removes_what_nothing_rests_on(stack, generate):
    """A superseded delivery without documents loses its copies, but not a file that the current one has too."""
    month = months.Month(stack, generate, "archive-swept", months.next_period(), layout="overwrite")
    month.write("--only-version", 1)
    months.apply(stack, month.catalog)
    month.ingest()
    month.write("--only-version", 2)
    month.ingest()
    old, new = _digests(stack, month).values()
    only_old = set(old) - set(new)
    assert only_old
    planned = [d for d in stack.cli("archive", "sweep", "--dry-run") if d["payer"] == month.payer]
    assert len(planned) == 1 and all(_copy(stack, digest).exists() for digest in old)
    assert [d["delivery"] for d in stack.cli("archive", "sweep", "--by", "maria") if d["payer"] == month.payer] == [planned[0]["delivery"]]
    assert not any(_copy(stack, digest).exists() for digest in only_old)
    assert all(_copy(stack, digest).exists() for digest in new)
    audit = stack.cli("audit", "list", "--object", f"delivery:{planned[0]['delivery']}")
    assert [(a["action"], a["actor"]) for a in audit if a["action"] == "delivery.archive_released"] == [("delivery.archive_released", "maria")]


def test_immutable_keys_are_not_copied_unless_asked(stack, generate):
    """Reports that make new versions lie under keys that nobody overwrites."""
    month = months.Month(stack, generate, "archive-immutable", months.next_period())
    month.write("--only-version", 1)
    months.apply(stack, month.catalog)
    month.ingest()
    assert [d["copies"] for d in _archived(stack, month)] == [0]


def test_rating_again_reads_the_copy(stack, generate):
    """The current delivery's files are gone: another price book still rates it."""
    month = months.Month(stack, generate, "archive-again", months.next_period(), layout="overwrite")
    month.write("--only-version", 1)
    months.apply(stack, month.catalog)
    month.ingest()
    before = month.totals("line_item_type,account")
    shutil.rmtree(month.root)
    for book in month.catalog.glob("*.yaml"):
        book.write_text(re.sub(r"priority: (\d+)", lambda m: f"priority: {int(m[1]) + 1}", book.read_text()))  # the same prices, another slice
    applied = months.apply(stack, month.catalog)
    stack.cli("run", "start", "--payer", month.payer, "--period", month.period, "--by", "maria", "--wait")
    after = month.totals("line_item_type,account")
    assert after["run"] != before["run"] and after["catalog"] == applied["version"]
    assert after["groups"] == before["groups"]


def test_killed_while_it_copies(stack, generate):
    """SIGKILL in the middle of a copy: half a file never counts, what is left is removed, the run completes with whole copies."""
    month = months.Month(stack, generate, "archive-killed", months.next_period(), layout="overwrite", options=("--rows", 150000, "--chunk-rows", 50000))
    version = month.write("--only-version", 1)[0]
    months.apply(stack, month.catalog)
    reader = stacks.Worker("ingest-cur", "tdsynnex")
    stack.cli("ingest", "--payer", month.payer, "--period", month.period)
    half = stacks.wait_until(lambda: [f for f in _incoming(stack) if f.stat().st_size], 60, "a copy is begun", pause=0.002)
    pid = stack.worker_pid(reader)
    os.kill(pid, signal.SIGSTOP)
    left = _incoming(stack)
    os.kill(pid, signal.SIGKILL)
    assert left and half, "the copy was whole before it could be stopped: the month is too small"
    month.ingest()
    assert _digests(stack, month)[month.totals()["delivery"]] == [_sha256(file) for file in month.files(version)]
    assert _incoming(stack) == []
    assert months.by_type_and_account(month) == months.told(version)
