"""`statement export` on a closed month, against `statement show` and the oracle (I09-I12, I14, R04, R09, R10, P13; I02 in tables).

test_print.py reads what stands on the pages; here the documents are real ones, of an end_customer and of a semi reseller."""
import csv
import decimal
import io
import json
import os
import pty
import re
import subprocess

import months
import pytest
import stack as stacks
import yaml
from oracle import catalog as catalogs
from oracle import dec, load

PERIOD = "2020-12"
WHO = ("--by", "maria", "--reason", "test")
WORDS = {"usage": "Usage", "covered_usage": "Usage", "bundled_discount": "Usage", "fee": "Fee", "commitment_fee": "Fee", "support": "Support",
         "marketplace": "Marketplace", "refund": "Refund", "credit": "Credit", "reseller_credit": "Credit", "custom_charge": "Charge", "tax": "Tax"}
NEVER = {"RUN_INCOMPLETE", "PRICES_STALE", "FX_MISSING"}


def _with_parties(folder):
    """The generated catalog with what documents print: addresses, tags, a logo; every second customer is of the semi reseller, in USD."""
    (folder / "logo.png").write_bytes(_png())
    moved = sorted(catalogs.from_folder(folder).customers)[::2]
    for file in sorted(folder.glob("*.y*ml")):
        documents = list(yaml.load_all(file.read_text(), Loader=yaml.BaseLoader))
        if not any(document and document["kind"] in ("Reseller", "Customer") for document in documents):
            continue
        for document in documents:
            if document and document["kind"] == "Reseller":
                document.update(address=["Harbour Road 5", "Dublin"], country="IE", logo="logo.png", contact={"name": "Desk", "email": "desk@example.com"},
                                statement_url="https://portal.example.com/{id}")
            if document and document["kind"] == "Customer":
                document.update(address=["Street of " + document["id"]], country="DE", tax_id="TAX-" + document["id"])
                if document["id"] in moved:
                    document.update(reseller="southgate", invoice_currency="USD")
                for account in document.get("accounts", []):
                    account["tags"] = {"team": "=cmd", "owner": document["id"]}
        file.write_text(yaml.safe_dump_all(documents, allow_unicode=True))


def _png():
    """A PNG of one pixel, from the standard."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(b"\0\0\0\0")) +
            chunk(b"IEND", b""))


def _export(stack, *args, code=0):
    """Standard output of `statement export`, bytes."""
    done = subprocess.run([stack.bin / "curmill", "--config", stack.conf, "statement", "export", *map(str, args)], env=stacks.clean_environment(),
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout if code == 0 else done.stderr.decode()


def _rows(data):
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


@pytest.fixture(scope="module")
def issued(stack, generate, tmp_path_factory):
    """(month, documents as shown, what drafts said, exports of all of them in a folder)."""
    month = months.Month(stack, generate, "export", PERIOD, options=("--accounts", 12, "--customers", 6))
    month.write()
    _with_parties(month.catalog)
    months.apply(stack, month.catalog)
    month.ingest()
    where = ("--payer", month.payer, "--period", PERIOD)
    drafts = stack.cli("statement", "list", *where)
    seen = {"refused": _export(stack, drafts[0]["id"], "--view", "customer", code=2), "draft": json.loads(_export(stack, drafts[0]["id"], "--view", "reseller")),
            "margins": {d["id"]: stack.cli("statement", "margin", d["id"]) for d in drafts}}
    semi = next(d for d in drafts if d["customer"] == "")
    seen["table"] = stack.cli_raw("--format", "table", "statement", "show", semi["id"]).stdout
    seen["list"] = stack.cli_raw("--format", "table", "statement", "list", *where).stdout
    seen["semi"] = semi["id"]
    seen["usage_types"] = {key.usage_type for key in load.charges_of(catalogs.from_folder(month.catalog), month.payer, PERIOD).rows}
    shown = []
    for draft in drafts:
        shut = {g["code"] for g in stack.cli("statement", "show", draft["id"])["gates"] if not g["open"]}
        if shut & NEVER:
            continue
        stack.cli("statement", "approve", draft["id"], "--by", "maria")
        stack.cli("statement", "issue", draft["id"], *WHO, *(["--override", *sorted(shut)] if shut else []))
        shown.append(stack.cli("statement", "show", draft["id"]))
    assert len(shown) > 2
    for draft in drafts:
        if draft["id"] not in {d["id"] for d in shown}:
            stack.cli("statement", "void", draft["id"], *WHO)
    folder = tmp_path_factory.mktemp("export")
    for form in ("csv", "json", "pdf"):
        _export(stack, *where, "--view", "customer", "--format", form, "--output", folder / form)
    return month, shown, seen, folder


def _files(folder, form):
    return {file.name: file.read_bytes() for file in sorted((folder / form).iterdir())}


def _name(document, form):
    whose = document["customers"][0]["id"] if len(document["customers"]) == 1 else document["reseller"]
    return f"{whose}-{document['number']}.{form}".replace("/", "-")


def test_one_file_a_document(issued):
    """Named by customer and number; nothing else lies there."""
    _, shown, _, folder = issued
    for form in ("csv", "json", "pdf"):
        assert set(_files(folder, form)) == {_name(d, form) for d in shown}


def test_several_documents_in_one_file(stack, issued, tmp_path):
    """`--output x.csv` and `x.json` are files; a PDF holds one document."""
    month, shown, _, folder = issued
    where = ("--payer", month.payer, "--period", PERIOD, "--view", "customer", "--output")
    _export(stack, *where, tmp_path / "all.csv")
    _export(stack, *where, tmp_path / "all.json")
    said = _export(stack, *where, tmp_path / "all.pdf", code=1)
    assert "--output FOLDER" in said and sorted(p.name for p in tmp_path.iterdir()) == ["all.csv", "all.json"]
    single = {document["id"]: document for document in map(json.loads, _files(folder, "json").values())}
    listed = json.loads((tmp_path / "all.json").read_bytes())
    assert len(listed) == len(shown) > 1 and {document["id"]: document for document in listed} == single
    alone = [file.decode().split("\r\n", 1) for file in _files(folder, "csv").values()]
    header, rows = (tmp_path / "all.csv").read_bytes().decode().split("\r\n", 1)
    assert {header} == {first for first, _ in alone} and sorted(rows.split("\r\n")) == sorted("".join(rest for _, rest in alone).split("\r\n"))


def test_drafts(stack, issued):
    """I11: not for customers, with what to do; the reseller's view says that it is one."""
    _, _, seen, _ = issued
    assert "issued documents only" in seen["refused"] and "statement approve" in seen["refused"]
    assert seen["draft"]["state"] == "draft" and seen["draft"]["number"] is None and seen["draft"]["issued_on"] is None
    margin = seen["margins"][seen["draft"]["id"]]
    assert {name: seen["draft"]["margin"][name] for name in ("sell", "buy", "fx", "margin", "rows")} == \
        {name: margin[name] for name in ("sell", "buy", "fx", "margin", "rows")}


def test_customers_read_no_id_of_ours(issued):
    """No id of a group, rule or charge, no class name, no lane in any output of a month of real documents."""
    month, shown, seen, folder = issued
    own = {line["usage_type"] for document in shown for line in document["lines"]} - seen["usage_types"]
    names = own | set(catalogs.from_folder(month.catalog).groups) | (set(WORDS) - {"tax"}) | {document["lane"] for document in shown}
    assert own
    for document in shown:
        view = json.loads((folder / "json" / _name(document, "json")).read_bytes())
        assert not names & set(_texts(view))
        table = list(csv.reader(io.StringIO((folder / "csv" / _name(document, "csv")).read_bytes().decode(), newline="")))
        assert not names & {cell for row in table for cell in row}
        pages = subprocess.run(["pdftotext", "-layout", "-", "-"], input=(folder / "pdf" / _name(document, "pdf")).read_bytes(), capture_output=True,
                               check=True).stdout.decode()
        assert not names & {cell.strip() for cell in re.split(r"\n|  +", pages)}


def _texts(value):
    """Every text of a JSON value."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def test_csv_adds_up(issued):
    """R10, I10: the lines of `statement show`, one a row, in the customer's words, and sums that hold."""
    _, shown, seen, folder = issued
    for document in shown:
        rows = _rows((folder / "csv" / _name(document, "csv")).read_bytes())
        lines = [row for row in rows if row["row"] == "line"]
        same = ("customer", "account", "unit", "quantity", "amount_exact", "amount")
        assert [[row[name] for name in same] for row in lines] == [[line[name] for name in same] for line in document["lines"]]
        for row, line in zip(lines, document["lines"]):
            assert row["class"] == WORDS[line["class"]]
            if line["class"] in ("usage", "covered_usage") and line["usage_type"] in seen["usage_types"]:
                assert (row["product"], row["usage_type"]) == (line["product"], line["usage_type"])
        amount = {kind: sum(decimal.Decimal(row["amount"]) for row in rows if row["row"] == kind) for kind in ("line", "subtotal", "tax", "total")}
        assert amount["line"] == amount["subtotal"] == decimal.Decimal(document["subtotal"])
        assert amount["subtotal"] + amount["tax"] == amount["total"] == decimal.Decimal(document["total"])
        names = {c["id"]: c["name"] for c in document["customers"]}
        for row in lines:
            assert row["customer_name"] == names[row["customer"]] and row["exchange_rate"] == document["rate"] and row["period"] == PERIOD
            assert row["cycle_start"] == "2020-12-01" and row["cycle_end"] == "2020-12-31"
            assert row["tags"] == (f"owner={row['customer']};team=\\=cmd" if row["account"] else "")


def test_json_holds_the_parties(issued):
    """I12: customer's contact data, the reseller's public profile; I04: the statement's own address; the figures are those that are shown."""
    _, shown, _, folder = issued
    for document in shown:
        view = json.loads((folder / "json" / _name(document, "json")).read_bytes())
        assert view["reseller"]["logo"].startswith("data:image/png;base64,") and view["reseller"]["contact"]["email"] == "desk@example.com"
        assert view["link"] == "https://portal.example.com/" + document["id"]
        assert [(c["id"], c["address"], c["tax_id"]) for c in view["customers"]] == \
            [(c["id"], ["Street of " + c["id"]], "TAX-" + c["id"]) for c in document["customers"]]
        assert {name: view[name] for name in ("subtotal", "tax", "total", "currency", "number")} == \
            {name: document[name] for name in ("subtotal", "tax", "total", "currency", "number")}
        assert view["payable"] is False                                                                             # I06


def test_customers_never_see_the_cost(stack, issued):
    """P13: neither words nor figures of what was bought, in any output of any document."""
    _, shown, seen, folder = issued
    for document in shown:
        margin = seen["margins"][document["id"]]
        told = {line[name] for line in document["lines"] for name in ("amount_exact", "quantity")}
        figures = {row[name] for row in margin["rows"] + margin["bought"] for name in ("buy", "margin", "source_buy", "paid") if name in row}
        figures = {figure for figure in figures if len(figure) > 6 and figure not in told} - {document["rate"], document["total"], document["subtotal"]}
        assert figures
        for form in ("csv", "json", "pdf"):
            data = (folder / form / _name(document, form)).read_bytes()
            text = subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True, check=True).stdout.decode() if form == "pdf" else data.decode()
            text = re.sub(r'"logo": "[^"]*"', "", text)
            assert not re.search(r"(?i)\bbuy|payer|margin|discount(?!edusage)", text.replace("bundled_discount", "").replace("Bundled discount", "")), (form, document["id"])
            assert not figures & set(re.findall(r"-?\d+(?:\.\d+)?", text)), (form, document["id"])
        own = _export(stack, document["id"], "--view", "reseller", "--format", "csv").decode()
        assert [figure for figure in figures if figure in own]                                                      # R04: the reseller reads both prices


def test_purchases_are_the_buy_layer(stack, issued):
    """What the distributor's view says was bought is the oracle's buy layer of the customers, AWS's tax with it."""
    month, shown, _, _ = issued
    catalog = catalogs.from_folder(month.catalog)
    wanted, classes = {}, set()
    for key, row in load.charges_of(catalog, month.payer, PERIOD).rows.items():
        if not key.reason:
            wanted[key.customer] = wanted.get(key.customer, 0) + row[4]
    for document in shown:
        view = json.loads(_export(stack, document["id"], "--view", "distributor"))
        charges = [row for row in view["rows"] if row["step"] == "charges"]
        assert sum(dec.parse(row["source_buy"]) for row in charges) == sum(wanted[c["id"]] for c in document["customers"])
        assert dec.parse(view["source_buy"]) == sum(dec.parse(row["source_buy"]) for row in view["rows"])
        classes |= {row["class"] for row in charges}
    assert {"tax", "usage"} <= classes


def test_reprints_are_identical(stack, issued, tmp_path):
    """I09: byte for byte, after another catalog is in force."""
    month, _, _, folder = issued
    for file in month.catalog.glob("*.y*ml"):
        file.write_text(file.read_text().replace("Harbour Road 5", "Moved Street 9").replace("Street of", "Lane of"))
    months.apply(stack, month.catalog)
    for form in ("csv", "json", "pdf"):
        _export(stack, "--payer", month.payer, "--period", PERIOD, "--view", "customer", "--format", form, "--output", tmp_path / form)
        assert _files(tmp_path, form) == _files(folder, form)


def test_columns_and_choices(stack, issued, tmp_path):
    """R09 as far as it is built: view, format, columns and filters; currency and grouping are the customer's and the reseller's in the catalog."""
    month, shown, _, _ = issued
    one = next(d for d in shown if len(d["customers"]) == 1)
    data = _export(stack, one["number"], "--view", "customer", "--format", "csv", "--columns", "amount,product").decode()
    assert data.splitlines()[0] == "amount,product" and len(data.splitlines()) == len(one["lines"]) + len(one["tax"]) + 3
    assert "not a column" in _export(stack, one["id"], "--view", "customer", "--format", "csv", "--columns", "buy", code=1)
    assert "--columns is for" in _export(stack, one["id"], "--view", "customer", "--columns", "amount", code=1)
    assert "--view" in _export(stack, one["id"], "--view", "friend", code=1)
    assert "--output FOLDER" in _export(stack, "--payer", month.payer, "--period", PERIOD, "--view", "reseller", code=1)
    assert "no such document" in _export(stack, "0" * 32, "--view", "customer", code=3)
    assert "statement show" in _export(stack, one["id"], "--view", "customer", "--format", "table", code=1)
    target = tmp_path / "one.pdf"
    _export(stack, one["id"], "--view", "customer", "--format", "pdf", "--output", target)
    assert target.read_bytes()[:5] == b"%PDF-" and sorted(p.name for p in tmp_path.iterdir()) == ["one.pdf"]
    assert "No such file" in _export(stack, one["id"], "--view", "customer", "--output", tmp_path / "none" / "x.json", code=2)


def test_no_pdf_on_a_terminal(stack, issued):
    """Refused with a hint; nothing is written."""
    leader, follower = pty.openpty()
    try:
        done = subprocess.run([stack.bin / "curmill", "--config", stack.conf, "statement", "export", issued[1][0]["id"], "--view", "customer", "--format", "pdf"],
                              env=stacks.clean_environment(), stdin=subprocess.DEVNULL, stdout=follower, stderr=subprocess.PIPE, timeout=60, check=False)
        os.set_blocking(leader, False)
        with pytest.raises(BlockingIOError):
            os.read(leader, 10)
    finally:
        os.close(follower)
        os.close(leader)
    assert done.returncode == 1 and b"--output FILE" in done.stderr


def test_tables_of_documents_about_several(issued):
    """I02: a section with a subtotal for each customer; the list says how many there are."""
    _, _, seen, _ = issued
    view = next(v for v in [seen["table"]] if v)
    subtotals = re.findall(r"^subtotal of (\S+)  (\S+)$", view, re.M)
    total = re.search(r"^subtotal +(\S+)$", view, re.M).group(1)
    assert len(subtotals) > 1 and sum(decimal.Decimal(amount) for _, amount in subtotals) == decimal.Decimal(total)
    assert all(f"({customer})\naccount " in view for customer, _ in subtotals)
    line = next(line for line in seen["list"].splitlines() if seen["semi"].startswith(line.split()[0]) and len(line.split()[0]) >= 8)
    assert f"({len(subtotals)} customers)" in line
