"""What an edit of the catalog would change: `catalog apply --dry-run` and `run diff` agree with each other and with the oracle to the last digit, and the
dry run stores nothing (N14, R02, R03; rating.md sections 5, 8)."""
import datetime
import os
import re
import shutil
import subprocess
import types

import months
import pytest
import stack as stacks
from oracle import catalog as catalogs
from oracle import dec, load, margin, month, statement

TEXTS = ("lane", "period", "customer", "product", "currency")
FIGURES = ("buy_before", "buy_after", "sell_before", "sell_after", "suspended_before", "suspended_after")


def _edit(folder, name, *changes):
    """Replaces texts in the files of a catalog; each must be there."""
    files = sorted(folder.glob(name))
    for pattern, new in changes:
        count = 0
        for file in files:
            text, n = re.subn(pattern, new, file.read_text())
            file.write_text(text)
            count += n
        assert count, f"{pattern} is not in {name}"


def _money(world, folder, percent, credit):
    """Custom charges and a credit of one customer of each payer; the credit lasts for more than one month."""
    texts = []
    for payer in world.payers:
        customer, lane = f"alpine-{payer[-4:]}", catalogs.from_folder(folder).payers[payer].lane
        texts += [f"kind: CustomCharge\nid: managed-{lane}\nname: Managed services\ncustomer: {customer}\nlane: {lane}\npercent: {percent}\nfrom: 2020-01\n",
                  f"kind: Credit\nid: welcome-{lane}\nname: Welcome\ncustomer: {customer}\nlane: {lane}\namount: {credit}\ncurrency: USD\nfrom: 2020-01\n"]
    (folder / "money.yaml").write_text("---\n".join(texts))


def _tiered(folder):
    _edit(folder, "shared-books.yaml", (r"(id: gigabytes, .*?)price: \{percent: \d, of: payer\}",
                                        r"\1price: {tiers: [{up_to: 1000, rate: 0.05}, {rate: 0.031}], mode: graduated, over: customer}"))


def _edited(world, folder):
    """Price books of both sides, tiers, a moved account, a new customer, support groups, commitment policies, custom charges, credits."""
    _edit(folder, "shared-books.yaml", ("percent: 3, of: payer", "percent: 3.125, of: payer"), ("rate: 0.2345678901", "rate: 0.2345678902"),
          (r"percent: -3, of: list", "percent: -3.000001, of: list"))
    _tiered(folder)
    _edit(folder, "shared-support-groups.yaml", ("percent: 10\nbuy_percent: 9", "percent: 10.5\nbuy_percent: 9.25"))
    _edit(folder, "payer-*.yaml", ("commitment_policy: pass_through", "commitment_policy: on_demand"))
    _money(world, folder, "6.5", 120)
    texts = []
    for payer in world.payers:
        file = folder / f"payer-{payer}.yaml"
        text = file.read_text()
        alpine = re.findall(r'\n  - \{id: "\d+", payer: "\d+", from: 2020-01-01.*\}', text[text.index("Alpine Foods"):text.index("Birch Logistics")])
        assert len(alpine) == 2
        text = text.replace(alpine[1], "")                                        # to a new customer
        text = text.replace("name: \"Dune Energy W.L.L.\"\nreseller: northwind\ninvoice_currency: KWD\nprice_book: list",
                            "name: \"Dune Energy W.L.L.\"\nreseller: northwind\ninvoice_currency: KWD\nprice_book: premium")
        moved = re.findall(r'\n  - \{id: "\d+", payer: "\d+", from: 2020-01-01, .*\}', text[text.index("Cedar Analytics"):text.index("Dune Energy")])[-1]
        text = text.replace(moved, "").replace("refund_policy: keep\naccounts:", "refund_policy: keep\naccounts:" + moved)   # from cedar to dune
        file.write_text(text)
        free = world.accounts[payer] - months.linked_accounts(folder, payer) - {payer}
        texts.append(f"kind: Customer\nid: fresh-{payer[-4:]}\nname: Fresh\nreseller: northwind\nprice_book: premium\naccounts:{alpine[1]}\n" +
                     "".join(f'  - {{id: "{account}", payer: "{payer}", from: 2020-01-01, support_plan_group: aws-business}}\n' for account in sorted(free - set(
                         re.findall(r'id: "(\d+)"', alpine[1])))))
    (folder / "fresh.yaml").write_text("---\n".join(texts))


@pytest.fixture(scope="module")
def world(stack, generate):
    """Two months of a payer of each model, rated; `after` is the edited catalog."""
    w = types.SimpleNamespace(stack=stack, periods=[months.next_period(), months.next_period()], months=[], accounts={})
    w.before, w.after = stack.data / f"dry-before-{months.payer_id('dry tds')}", stack.data / f"dry-after-{months.payer_id('dry tds')}"
    for name, model in (("dry tds", "tdsynnex"), ("dry ingram", "ingram")):
        for period in w.periods:
            one = months.Month(stack, generate, name, period, model=model, catalog=w.before, options=("--unlinked", "--versions", 1))
            version = one.write()[-1]
            w.accounts.setdefault(one.payer, set()).update(g["account"] for g in version["groups"])
            w.months.append(one)
    w.payers = sorted(w.accounts)
    _money(w, w.before, 5, 100)
    shutil.copytree(w.before, w.after)
    _edited(w, w.after)
    months.apply(stack, w.before)
    for period in w.periods:
        months.ingest_period(stack, period)
    w.between = f"{w.periods[0]}..{w.periods[1]}"
    return w


def _dry(world, folder, *more, code=0):
    return world.stack.cli("catalog", "apply", folder, "--dry-run", "--periods", world.between, *more, code=code)


def _database(stack):
    """A dump of all of the database. Table worker tells who is alive; newer versions of pg_dump write a random key."""
    done = subprocess.run(["pg_dump", "-d", stack.database, "--exclude-table-data=worker"], capture_output=True, text=True, timeout=120, check=True)
    return [line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


def _expected_side(world, folder, side, rows):
    """Adds what the oracle says of one catalog: charges, and the lines of the month's steps in the charges' currency."""
    catalog, used = catalogs.from_folder(folder), {}
    for period in world.periods:
        charges = [load.charges_of(catalog, payer, period) for payer in world.payers]
        for one in charges:
            for key, (lines, _, payer, _, buy, sell) in one.rows.items():
                row = rows.setdefault((catalog.payer(one.payer).lane, period, key.customer, key.product, key.currency), {})
                row["buy_" + side] = row.get("buy_" + side, 0) + buy
                if key.charge_class == "suspended":
                    row["suspended_" + side] = row.get("suspended_" + side, 0) + payer
                    row["suspended_lines_" + side] = row.get("suspended_lines_" + side, 0) + lines
                if not key.customer:
                    row["sell_" + side] = row.get("sell_" + side, 0) + sell
        groups, uses = statement.grouped(catalog, charges, period, used)
        for (lane, *_), sections in groups.items():
            for section in sections:
                for item in section.items:
                    row = rows.setdefault((lane, period, section.customer.id, item.product, section.source), {})
                    row["sell_" + side] = row.get("sell_" + side, 0) + item.exact
                bought = sum(margin.support_buy(catalog, month.apply_tiers(catalog.books[section.customer.price_book], section.rows, period), period).values())
                row = rows.setdefault((lane, period, section.customer.id, "AWSSupport", section.source), {})
                row["buy_" + side] = row.get("buy_" + side, 0) + bought
        used = {credit: used.get(credit, 0) + uses.get(credit, 0) for credit in used.keys() | uses.keys()}


def _expected(world, after):
    rows = {}
    _expected_side(world, world.before, "before", rows)
    _expected_side(world, after, "after", rows)
    totals = {}
    for (*_, currency), row in rows.items():
        total = totals.setdefault(currency, {})
        for name, value in row.items():
            total[name] = total.get(name, 0) + value
    kinds = ("buy", "sell", "suspended", "suspended_lines")
    return {key: row for key, row in rows.items() if any(row.get(k + "_before", 0) != row.get(k + "_after", 0) for k in kinds)}, totals


def _compare(answer, want):
    rows, totals = want
    assert {tuple(row[name] for name in TEXTS) for row in answer["rows"]} == set(rows)
    assert [tuple(row[name] for name in TEXTS) for row in answer["rows"]] == sorted(rows)
    for got, exact in [*((row, rows[tuple(row[n] for n in TEXTS)]) for row in answer["rows"]), *((t, totals[t["currency"]]) for t in answer["totals"])]:
        assert {name: got[name] for name in FIGURES} == {name: dec.show(exact.get(name, 0)) for name in FIGURES}, got
        for kind in ("buy", "sell"):
            assert got[kind + "_change"] == dec.show(exact.get(kind + "_after", 0) - exact.get(kind + "_before", 0)), got
        for side in ("before", "after"):
            assert got["suspended_lines_" + side] == exact.get("suspended_lines_" + side, 0), got


def test_dry_run_equals_the_later_difference(world):
    """R02: an edit of everything: what the dry run says is what the oracle says, and what the runs differ by afterwards; credits are carried over months."""
    stack = world.stack
    before = _database(stack)
    told = _dry(world, world.after, "--now")
    assert _database(stack) == before
    assert told["dry_run"] is True and told["changed"] is True and "fresh-" in told["diff"]
    assert [(p["period"], p["payer"], p["rated"], p["note"]) for p in told["periods"]] == \
        [(m.period, m.payer, True, "") for m in sorted(world.months, key=lambda m: (m.model, m.period))]
    want = _expected(world, world.after)
    _compare(told, want)
    products = {row["product"] for row in told["rows"]}
    assert products >= {"AWSSupport", "Managed services", "Welcome"}
    assert {row["customer"][:5] for row in told["rows"]} >= {"", "alpin", "birch", "cedar", "dune-", "elm-3"[:4], "fresh"} - {"elm-"}
    assert any(row["suspended_lines_before"] > row["suspended_lines_after"] == 0 for row in told["rows"])

    present = {(m.payer, m.period): m.totals()["run"] for m in world.months}     # taking force rates them again by itself
    applied = months.apply(stack, world.after)
    assert (applied["version"], applied["diff"]) == (told["version"], told["diff"])
    runs = []
    for one in world.months:
        old = present[one.payer, one.period]
        new = stack.cli("run", "start", "--payer", one.payer, "--period", one.period, "--wait")
        assert new["state"] == "current"
        runs.append((old, new["run"]))
    real = stack.cli("run", "diff", ",".join(old for old, _ in runs), ",".join(new for _, new in reversed(runs)))
    assert (real["rows"], real["totals"]) == (told["rows"], told["totals"])
    assert real["before"] == [old for old, _ in runs]

    # Back again: the same with the sides exchanged.
    back = _dry(world, world.before, "--now")
    mirrored = stack.cli("run", "diff", ",".join(new for _, new in runs), ",".join(old for old, _ in runs))
    assert (back["rows"], back["totals"]) == (mirrored["rows"], mirrored["totals"])
    months.apply(stack, world.before)
    for one in world.months:
        assert stack.cli("run", "start", "--payer", one.payer, "--period", one.period, "--wait")["state"] == "current"


def test_sell_prices_move_no_base_price(world):
    """R03: an edit of a price book of customers changes what they pay and nothing that the vendor or the distributor charges."""
    folder = world.stack.data / f"dry-sell-{world.payers[0]}"
    shutil.copytree(world.before, folder)
    _edit(folder, "shared-books.yaml", ("percent: 33.3333333333, of: payer", "percent: 33.4, of: payer"))
    told = _dry(world, folder)
    changed = [row for row in told["rows"] if row["sell_change"] != "0"]
    assert changed and all(row["customer"].startswith("birch") or row["product"] == "AWSSupport" for row in changed)
    assert all(row["buy_change"] == "0" for row in told["rows"] if row["product"] != "AWSSupport")
    assert all(row["suspended_before"] == row["suspended_after"] for row in told["rows"])
    _compare(told, _expected(world, folder))


def test_in_force_from(world):
    """N14: it would take force at the next 00:00 UTC, or at once with --now; the same catalog changes nothing."""
    midnight = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).strftime("%Y-%m-%dT00:00:00Z")
    assert _dry(world, world.after)["in_force_from"] == midnight
    same = _dry(world, world.before, "--lane", "ingram")
    assert (same["changed"], same["rows"], {p["lane"] for p in same["periods"]}) == (False, [], {"ingram"})
    assert all(t["sell_before"] == t["sell_after"] != "0" for t in same["totals"])


def test_one_payer(world):
    """With --payer the others keep their charges."""
    payer = world.payers[0]
    told = _dry(world, world.after, "--payer", payer)
    assert {p["payer"] for p in told["periods"]} == {payer}
    want = {key: row for key, row in _expected(world, world.after)[0].items() if key[0] == told["periods"][0]["lane"]}
    assert {tuple(row[n] for n in TEXTS): row["sell_after"] for row in told["rows"]} == {key: dec.show(row.get("sell_after", 0)) for key, row in want.items()}


def test_table_and_csv(world):
    for form in ("table", "csv"):
        done = world.stack.cli_raw("--format", form, "catalog", "apply", world.after, "--dry-run", "--periods", world.periods[0], "--lane", "ingram")
        assert done.returncode == 0, done.stderr
        assert ("(total)" in done.stdout) == ("would be in force" in done.stdout) == (form == "table")
        assert "buy_change" in done.stdout and "AWSSupport" in done.stdout


def test_wrong_usage(world):
    stack = world.stack
    for words, code in (((), 1), (("--periods", "2021-13"), 1), (("--periods", "2021-02..2021-01"), 1), (("--periods", "1999-01"), 3)):
        assert stack.cli_raw("catalog", "apply", world.after, "--dry-run", *words).returncode == code
    for words in (("--by", "x"), ("--reason", "x"), ("--by", "x", "--reason", "x", "--periods", world.between)):
        assert stack.cli_raw("catalog", "apply", world.after, *words).returncode == 1
    runs = [stack.cli("totals", "--payer", m.payer, "--period", m.period)["run"] for m in world.months[:2]]
    done = stack.cli_raw("run", "diff", *runs)
    assert done.returncode == 2 and "the same payer and period" in done.stderr
    done = stack.cli_raw("run", "diff", ",".join([runs[0]] * 2), ",".join([runs[0]] * 2))
    assert done.returncode == 2 and "twice" in done.stderr
    assert stack.cli_raw("run", "diff", runs[0], ",".join(runs)).returncode == 1


def test_a_payer_that_is_no_longer_there(world):
    """Its lines could not be rated: said, and the others are looked at."""
    folder = world.stack.data / f"dry-gone-{world.payers[0]}"
    shutil.copytree(world.before, folder)
    (folder / f"payer-{world.payers[0]}.yaml").unlink()
    (folder / "money.yaml").unlink()
    told = _dry(world, folder)
    assert {p["payer"]: p["rated"] for p in told["periods"]} == {world.payers[0]: False, world.payers[1]: True}
    assert all("does not contain the payer" in p["note"] for p in told["periods"] if not p["rated"])


def test_changed_files_and_settled_months(world):
    """Another file under the same name is refused with its name; a settled month is not changed by a late edit, the next one is (rating.md 8)."""
    stack, one = world.stack, world.months[0]
    file = sorted(one.root.rglob("*.csv.gz"))[0]
    good = file.read_bytes()
    file.write_bytes(good + b"\x1f\x8b")
    done = stack.cli_raw("catalog", "apply", world.after, "--dry-run", "--periods", world.between)
    assert done.returncode == 2 and file.name in done.stderr and one.payer in done.stderr
    file.write_bytes(good)
    stat = stack.sql(f"SELECT fingerprint FROM chunk WHERE location LIKE '%{file.name}' AND delivery_id = '{one.totals()['delivery']}'")[0]["fingerprint"]
    os.utime(file, ns=(int(stat.partition(":")[2]),) * 2)

    settled = [m for m in world.months if m.period == world.periods[0]]
    for one in settled:
        stack.cli("period", "settle", "--payer", one.payer, "--period", one.period, "--by", "maria", "--reason", "test", "--acknowledge-unbilled")
    told = _dry(world, world.after)
    assert {(p["period"], p["state"], p["rated"]) for p in told["periods"]} == {(world.periods[0], "settled", False), (world.periods[1], "estimated", True)} or \
        {(p["period"], p["rated"]) for p in told["periods"]} == {(world.periods[0], False), (world.periods[1], True)}
    assert all("next period" in p["note"] for p in told["periods"] if not p["rated"])
    assert {row["period"] for row in told["rows"]} == {world.periods[1]}
