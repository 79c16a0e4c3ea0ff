"""export lines: the customer's own lines, equal to its document to the last digit (I10 extract detailed billing; R11 reconciliation; P13 no other
price layer; R06 conversion by line). Which line is whose at which price: the oracle, line by line."""
import collections
import csv
import io
import re
import shutil

import months
import pytest
from oracle import catalog as catalogs
from oracle import cur, dec, rate

WHO = ("--by", "maria", "--reason", "test")
COLUMNS = ["from", "run", "line", "time", "account", "product", "usage_type", "operation", "region", "unit", "class", "line_item_type", "quantity",
           "currency", "sell", "number", "document_currency", "rate", "amount"]
KEY = ("account", "product", "usage_type", "unit", "class")
SHOWN_AT_ZERO = {"usage", "covered_usage", "marketplace"}
TIERED = "      - {id: tiered, priority: 0, match: {service: [AWSQueueService, AmazonS3, awskms]}, price: {tiers: [{up_to: 1000, rate: 0.0011}, {rate: 0.0007}], mode: graduated, over: account}}\n"


def _with_month_steps(month):
    """The generated catalog with tiers in the customers' books, fees and a credit."""
    found = catalogs.from_folder(month.catalog)
    customer = sorted(found.customers)[0]
    books = {one.price_book for one in found.customers.values()}
    for file in month.catalog.glob("*.y*ml"):
        parts = file.read_text().split("---\n")
        for i, part in enumerate(parts):
            if "kind: PriceBook\n" in part and any(f"\nid: {book}\n" in part for book in books):
                parts[i] = part.replace("    rules:\n", "    rules:\n" + TIERED)
        file.write_text("---\n".join(parts))
    lane = found.payers[month.payer].lane
    (month.catalog / "steps.yaml").write_text(
        f"kind: CustomCharge\nid: managed\ncustomer: {customer}\nlane: {lane}\npercent: 5\nfrom: 2020-01\n---\n"
        f"kind: CustomCharge\nid: setup\ncustomer: {customer}\nlane: {lane}\namount: 12.345\ncurrency: USD\nperiod: {month.period}\n---\n"
        f"kind: Credit\nid: welcome\ncustomer: {customer}\nlane: {lane}\namount: 1\ncurrency: USD\nfrom: 2020-01\n")


def _consolidate(stack, month, mode):
    """One document for many customers: they need one currency, too."""
    for file in month.catalog.glob("*.y*ml"):
        text = file.read_text()
        for old in ("end_customer", "semi", "full"):
            text = re.sub(r"invoice_currency: \w+", "invoice_currency: EUR", text.replace("consolidation: " + old, "consolidation: " + mode))
        file.write_text(text)
    months.apply(stack, month.catalog)


def _restore(kept, month):
    for file in kept.iterdir():
        shutil.copyfile(file, month.catalog / file.name)


def _export(stack, month, customer, *more, code=0):
    done = stack.cli_raw("export", "lines", "--customer", customer, "--period", month.period, *more)
    assert done.returncode == code, done.stderr
    return done


def _rows(text):
    reader = csv.DictReader(io.StringIO(text, newline=""))
    rows = list(reader)
    assert reader.fieldnames == COLUMNS
    return rows


def _documents(stack, month):
    return [d for d in stack.cli("statement", "list", "--payer", month.payer, "--period", month.period) if d["kind"] == "statement"]


def _exports(stack, month):
    """(document, customer) -> (shown document, rows, bytes)."""
    found = {}
    for document in _documents(stack, month):
        shown = stack.cli("statement", "show", document["id"])
        for customer in shown["customers"]:
            done = _export(stack, month, customer["id"], "--statement", document["id"])
            assert "to the last digit" in done.stderr
            found[document["id"], customer["id"]] = (shown, _rows(done.stdout), done.stdout)
    return found


def _by_line(rows, rate_text):
    """What the rows make of the document's lines: lines and tiers are added up, then converted (S12); other rows stand for themselves."""
    factor = dec.parse(rate_text) if rate_text else dec.ONE
    sums, found = collections.Counter(), collections.Counter()
    for row in rows:
        key = tuple(row[k] for k in KEY)
        if row["from"] in ("line", "tiers"):
            sums[key] += dec.parse(row["sell"])
        else:
            found[key] += dec.multiply(dec.parse(row["sell"]), factor)
    for key, amount in sums.items():
        found[key] += dec.multiply(amount, factor)
    return {key: amount for key, amount in found.items() if amount}


def _oracle_lines(folder, root, month, version):
    """(chunk:row) -> Rated, by the oracle, of a delivery's files as they were."""
    rater = rate.Rater(catalogs.from_folder(folder), month.payer, month.period)
    return {f"{n}:{row}": (rater.rate(line), line) for n, chunk in enumerate(version["chunks"], 1)
            for row, line in enumerate(cur.read_files([root / chunk["file"]], month.payer, month.period), 1)}


@pytest.fixture(scope="module", params=["tdsynnex", "ingram"])
def exported(request, stack, generate, tmp_path_factory):
    """An overwritten report: exports of v1's documents, one of them issued; then v2 lies over its files and counts."""
    model = request.param
    month = months.Month(stack, generate, f"export-{model}", {"tdsynnex": "2020-10", "ingram": "2020-02"}[model], model=model, layout="overwrite",
                         format={"tdsynnex": "legacy-gz", "ingram": "cur2-gz"}[model])
    version = month.write("--only-version", 1)[0]
    _with_month_steps(month)
    kept = tmp_path_factory.mktemp(model)
    shutil.copytree(month.root, kept / "v1")
    shutil.copytree(month.catalog, kept / "catalog")
    months.apply(stack, month.catalog)
    month.ingest()
    seen = {"lines": _oracle_lines(kept / "catalog", kept / "v1", month, version), "run": month.totals()["run"], "exports": _exports(stack, month)}
    if model == "tdsynnex":
        for mode in ("semi", "full"):
            _consolidate(stack, month, mode)
            seen[mode] = _exports(stack, month)
        _restore(kept / "catalog", month)
        months.apply(stack, month.catalog)
    for (document, customer), (shown, _, text) in seen["exports"].items():
        shut = [gate["code"] for gate in shown["gates"] if not gate["open"]]
        if not {"RUN_INCOMPLETE", "FX_MISSING"} & set(shut) and shown["rate"] != "1":
            stack.cli("statement", "approve", document, "--by", "maria")
            seen["issued"] = stack.cli("statement", "issue", document, *WHO, *(["--override", *shut] if shut else []))[0], customer, text
            break
    month.write("--only-version", 2)
    _restore(kept / "catalog", month)
    month.ingest()
    assert month.totals()["run"] != seen["run"]
    seen["second"] = _exports(stack, month)
    return month, seen


def test_I10_sums_are_the_documents(exported):
    """Every line of every document, from the exported rows and the document's rate alone."""
    _, seen = exported
    steps = set()
    for (_, customer), (shown, rows, _) in seen["exports"].items():
        wanted = {}
        for line in shown["lines"]:
            if line["customer"] == customer:
                key = tuple(line[k] for k in KEY)
                wanted[key] = wanted.get(key, 0) + dec.parse(line["amount_exact"])
        assert _by_line(rows, shown["rate"]) == {key: amount for key, amount in wanted.items() if amount}
        billed = collections.Counter()
        for row in rows:                                                            # in the document's currency: `amount` alone makes the lines
            billed[tuple(row[k] for k in KEY)] += dec.parse(row["amount"])
            assert (row["number"], row["document_currency"], row["rate"]) == (shown["number"] or "", shown["currency"], shown["rate"] or "")
        assert {key: amount for key, amount in billed.items() if amount} == {key: amount for key, amount in wanted.items() if amount}
        steps |= {row["from"] for row in rows}
    assert steps >= {"line", "tiers", "support", "custom_charge", "reseller_credit"}


def test_every_line_is_the_oracles(exported):
    """Owner, class and price of each line, over moves in mid-month; what brings nothing is shown only where it is usage (P13)."""
    _, seen = exported
    wanted = collections.defaultdict(dict)
    for place, (rated, line) in seen["lines"].items():
        if rated.customer and not rated.reason and (rated.sell or rated.charge_class in SHOWN_AT_ZERO):
            wanted[rated.customer][place] = (rated.charge_class, dec.show(rated.sell), dec.show(line.quantity), line.account, line.currency, line.line_item_type)
    got = collections.defaultdict(dict)
    for (_, customer), (_, rows, _) in seen["exports"].items():
        for row in rows:
            if row["from"] == "line":
                assert row["line"] not in got[customer] and seen["run"].startswith(row["run"])
                got[customer][row["line"]] = tuple(row[k] for k in ("class", "sell", "quantity", "account", "currency", "line_item_type"))
    assert {c: v for c, v in got.items() if v} == {c: v for c, v in wanted.items() if v}
    moved = collections.defaultdict(set)
    for customer, lines in got.items():
        for place in lines:
            moved[lines[place][3]].add(customer)
    assert any(len(owners) > 1 for owners in moved.values()), "no account moved in mid-month"


def test_exports_are_disjoint_and_nothing_is_lost(exported):
    """Two customers' exports share no line; with unowned, suspended and hidden lines they are the whole delivery."""
    _, seen = exported
    places = [row["line"] for (_, rows, _) in seen["exports"].values() for row in rows if row["from"] == "line"]
    assert len(places) == len(set(places))
    rest = {place for place, (rated, _) in seen["lines"].items()
            if not rated.customer or rated.reason or (not rated.sell and rated.charge_class not in SHOWN_AT_ZERO)}
    assert not rest & set(places) and rest | set(places) == set(seen["lines"])


def test_P13_no_other_price_layer(exported):
    """No discount of the provider, no tax of AWS and no line of another account than the customer's; no price but `sell`."""
    _, seen = exported
    for _, rows, _ in seen["exports"].values():
        assert {row["class"] for row in rows}.isdisjoint({"provider_discount", "tax", "suspended"})
        accounts = {line.account for rated, line in seen["lines"].values()}
        assert {row["account"] for row in rows} <= accounts | {""}


def test_issued_documents_are_exported_from_what_they_rest_on(stack, exported, tmp_path):
    """R11: the file of before with its number, although another delivery lies over its files and counts now; by number, too."""
    month, seen = exported
    issued, customer, draft = seen["issued"]
    text = _export(stack, month, customer, "--statement", issued["number"]).stdout
    assert _rows(text) == [{**row, "number": issued["number"]} for row in _rows(draft)]
    file = tmp_path / "lines.csv"
    done = _export(stack, month, customer, "--statement", issued["id"], "--output", file)
    assert done.stdout == "" and file.read_bytes() == text.encode().replace(b"\n", b"\r\n")
    refused = _export(stack, month, customer, "--archive.path", "", "--statement", issued["id"], "--output", tmp_path / "never.csv", code=2)
    assert "archive.path is not set" in refused.stderr
    assert sorted(tmp_path.iterdir()) == [file]
    assert any(seen["second"][key][2] != old[2] for key, old in seen["exports"].items() if key in seen["second"] and key[0] != issued["id"])


def test_a_sum_that_differs_is_told(stack, exported, tmp_path):
    """One digit of one line of a draft is another one in the database: exit code 70, the line is named, no file appears."""
    month, seen = exported
    document, customer = next((d["id"], stack.cli("statement", "show", d["id"])["customers"][0]["id"]) for d in _documents(stack, month) if d["state"] == "draft")
    line = next(line for line in stack.cli("statement", "show", document)["lines"] if line["class"] == "usage")
    old, new = f'"amount_exact":"{line["amount_exact"]}"', f'"amount_exact":"{line["amount_exact"]}7"'
    change = "UPDATE statement SET document = replace(document, '{}', '{}') WHERE id = '{}' RETURNING document LIKE '%{}%' AS done"
    assert stack.sql(change.format(old, new, document, new))[0]["done"] == "t"
    try:
        done = _export(stack, month, customer, "--statement", document, "--output", tmp_path / "never.csv", code=70)
        assert line["product"] in done.stderr and line["amount_exact"] in done.stderr
        assert not list(tmp_path.iterdir())
    finally:
        stack.sql(change.format(new, old, document, old))
    _export(stack, month, customer, "--statement", document)


def test_which_document(stack, exported):
    month, seen = exported
    (document, customer), _ = next(iter(seen["exports"].items()))
    assert "such document" in _export(stack, month, "nobody", code=3).stderr
    assert "such document" in _export(stack, month, customer, "--lane", "nowhere", code=3).stderr


def _without_credits(rows):
    """What one document uses of a credit another one does not; they have currencies of their own."""
    return [{name: row[name] for name in COLUMNS[:-4]} for row in rows if row["from"] != "reseller_credit"]


def test_I01_consolidated_documents(exported):
    """semi, full (I02, I03): each customer its own lines, the same as on a document of its own."""
    month, seen = exported
    before = {customer: rows for (_, customer), (_, rows, _) in seen["exports"].items()}
    for mode in ("semi", "full") if month.model == "tdsynnex" else ():
        after = {customer: rows for (_, customer), (shown, rows, _) in seen[mode].items() if len(shown["customers"]) > 1}
        assert len(after) > 1
        for customer, rows in after.items():
            assert _without_credits(rows) == _without_credits(before[customer])
