"""Generated months for the tests: a payer, its deliveries and catalog; exact sums by reading the files again.

The catalog in force is one for the whole stack. A test applies a folder of its own, whole, before it ingests: what earlier
tests rated keeps the version it was rated with. Each test takes payers and periods of its own, so that nothing meets.
"""
from __future__ import annotations

import concurrent.futures
import csv
import dataclasses
import decimal
import gzip
import hashlib
import io
import itertools
import json
import os
import pathlib
import random
import shutil
import subprocess
import zipfile
from decimal import Decimal

import yaml

import stack as stacks

SUMS = ("lines", "quantity", "payer", "list", "buy", "sell")
KEYS = ("account", "customer", "line_item_type", "class", "product", "usage_type", "operation", "region", "unit", "rule", "currency")
PUBLIC_KEYS = {"payer", "period", "run", "delivery", "catalog", "state", "complete", "lines", "suspended_lines", "derived_lines", "groups"}

_exact = decimal.Context(prec=80, traps=[decimal.Inexact, decimal.InvalidOperation, decimal.Overflow])
# A kept stack (CURMILL_TEST_HOME) knows the payers of the run before: others are taken each time.
_kept = random.SystemRandom().randrange(10**6) if os.environ.get("CURMILL_TEST_HOME") else 0
_months = itertools.count(_kept % 40)


def payer_id(name: str) -> str:
    """A payer account of this test alone; leading zeros happen (N16)."""
    return f"{int.from_bytes(hashlib.sha256(f'{_kept} {name}'.encode()).digest()[:8], 'big') % 10**12:012d}"


def next_period() -> str:
    """A month that no other test has taken: from 2021-01 on, the price books of the generator begin in 2020."""
    n = next(_months)
    return f"{2021 + n // 12}-{n % 12 + 1:02d}"


@dataclasses.dataclass
class Month:
    """One payer's month: `write` makes the generator deliver, `root` is its folder source."""
    stack: stacks.Stack
    generate: object
    name: str
    period: str
    model: str = "tdsynnex"
    format: str = "legacy-gz"
    layout: str = "new"
    options: tuple = ()
    catalog: pathlib.Path | None = None   # shared by the months of one test
    payer: str = ""
    scenario: str = "tiny"

    def __post_init__(self):
        self.payer = self.payer or payer_id(self.name)
        self.root = self.stack.data / f"{self.name}-{self.payer}"
        self.catalog = self.catalog or self.stack.data / f"{self.name}-{self.payer}-catalog"

    def write(self, *more: object) -> list[dict]:
        """Calls the generator; the exact totals of the versions that it wrote, in order."""
        told = self.stack.data / f"{self.name}-{self.payer}-totals.json"
        self.generate("--quiet", "--out", self.root, "--catalog", self.catalog, "--totals", told, "--scenario", self.scenario,
                      "--payer", self.payer, "--period", self.period, "--model", self.model, "--format", self.format,
                      "--layout", self.layout, *self.options, *more)
        return json.loads(told.read_text())["versions"]

    def files(self, version: dict) -> list[pathlib.Path]:
        return [self.root / chunk["file"] for chunk in version["chunks"]]

    def ingest(self, code: int = 0):
        return self.stack.cli("ingest", "--payer", self.payer, "--period", self.period, "--wait", "--timeout", 180, code=code)

    def totals(self, by: str = "", run: str = "") -> dict:
        return totals(self.stack, self.payer, self.period, by, run)

    def deliveries(self) -> list[dict]:
        return self.stack.cli("delivery", "list", "--payer", self.payer)

    def runs(self) -> list[dict]:
        return self.stack.cli("run", "list", "--payer", self.payer)


def apply(stack: stacks.Stack, folder: pathlib.Path, *more: object) -> dict:
    """Applies a folder as the whole catalog; in force at once unless `more` says otherwise."""
    return stack.cli("catalog", "apply", folder, "--by", "test", "--reason", "test", *(more or ["--now"]))


def ingest_period(stack: stacks.Stack, period: str, code: int = 0):
    """All payers of the catalog in force."""
    return stack.cli("ingest", "--period", period, "--wait", "--timeout", 240, code=code)


def totals(stack: stacks.Stack, payer: str, period: str, by: str = "", run: str = "") -> dict:
    return stack.cli("totals", "--payer", payer, "--period", period, *(["--by", by] if by else []), *(["--run", run] if run else []))


def at_once(calls) -> list:
    """Results of functions without arguments, a few at a time: each waits for a program."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def cli_at(stack: stacks.Stack, instant: str, *args: object, code: int = 0):
    """The command line with its clock standing at `instant`."""
    done = subprocess.run([stack.bin / "curmill", "--config", stack.conf, "--format", "json", *map(str, args)],
                          env={**stacks.clean_environment(), "CURMILL_CLOCK": instant}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != code:
        raise stacks.CommandFailed(done)
    return json.loads(done.stdout) if done.stdout.strip() else None


# -- exact sums, read again from the files

def show(value: Decimal) -> str:
    """As the command line prints decimals: no exponent, no trailing zeros (S16)."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def rows_of(file: pathlib.Path):
    """Header and rows of a data file, by the standard library alone."""
    raw = file.read_bytes()
    if file.name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            raw = archive.read(archive.namelist()[0])
    elif file.name.endswith(".gz") and raw:
        raw = gzip.decompress(raw)
    rows = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
    header = next(rows, [])
    return header, rows


_WANTED = {"type": ("lineItem/LineItemType", "line_item_line_item_type"), "account": ("lineItem/UsageAccountId", "line_item_usage_account_id"),
           "currency": ("lineItem/CurrencyCode", "line_item_currency_code"), "quantity": ("lineItem/UsageAmount", "line_item_usage_amount"),
           "cost": ("lineItem/UnblendedCost", "line_item_unblended_cost"),
           "listed": ("pricing/publicOnDemandCost", "pricing_public_on_demand_cost")}


def read_exact(files) -> dict[tuple[str, str, str], dict]:
    """(line item type, account, currency) -> lines, quantity, payer, list, as `totals --by line_item_type,account` must say."""
    sums: dict[tuple, list] = {}
    add = _exact.add
    for file in files:
        header, rows = rows_of(file)
        at = {name: next((header.index(c) for c in columns if c in header), None) for name, columns in _WANTED.items()}
        for row in rows:
            number = {n: Decimal(row[at[n]]) if at[n] is not None and row[at[n]] else Decimal(0) for n in ("quantity", "cost", "listed")}
            own = sums.setdefault((row[at["type"]], row[at["account"]], row[at["currency"]]), [0, Decimal(0), Decimal(0), Decimal(0)])
            own[0] += 1
            own[1] = add(own[1], number["quantity"])
            own[2] = add(own[2], number["cost"])
            own[3] = add(own[3], number["listed"] or number["cost"])
    return {key: {"lines": s[0], "quantity": show(s[1]), "payer": show(s[2]), "list": show(s[3])} for key, s in sums.items()}


def told(version: dict) -> dict[tuple[str, str, str], dict]:
    """The generator's exact totals of a version in the same form."""
    return {(g["line_item_type"], g["account"], g["currency"]): {name: g[name] for name in ("lines", "quantity", "payer", "list")}
            for g in version["groups"]}


def by_type_and_account(month: Month | None, answer: dict | None = None) -> dict[tuple[str, str, str], dict]:
    """What the program says, in the same form."""
    answer = answer if answer is not None else month.totals("line_item_type,account")
    return {(g["line_item_type"], g["account"], g["currency"]): {name: g[name] for name in ("lines", "quantity", "payer", "list")}
            for g in answer["groups"]}


# -- catalogs

def documents(folder: pathlib.Path) -> list[dict]:
    return [d for file in sorted(folder.glob("*.yaml")) for d in yaml.load_all(file.read_text(), Loader=yaml.BaseLoader) if d]


def linked_accounts(folder: pathlib.Path, payer: str) -> set[str]:
    return {link["id"] for d in documents(folder) if d["kind"] == "Customer" for link in d.get("accounts", []) if link["payer"] == payer}


def small_catalog(payer: str, accounts, *, source: str, lane: str = "tdsynnex", percent: str = "5", suffix: str = "") -> str:
    """A payer with one customer and one price book, as text."""
    tail = suffix or payer[-6:]
    links = "\n".join(f'  - {{id: "{a}", payer: "{payer}", from: 2020-01-01}}' for a in accounts)
    return f"""kind: Payer
id: "{payer}"
lane: {lane}
model: {lane}
payer_kind: {"shared" if lane == "tdsynnex" else "master"}
reseller: reseller-{tail}
source: {source}
---
kind: Reseller
id: reseller-{tail}
name: Reseller {tail}
consolidation: end_customer
---
kind: Customer
id: customer-{tail}
name: Customer {tail}
reseller: reseller-{tail}
invoice_currency: USD
price_book: book-{tail}
accounts:
{links}
---
kind: PriceBook
id: book-{tail}
currency: USD
versions:
  - effective_from: 2020-01-01
    rules:
      - {{id: all-{tail}, priority: 1, match: {{}}, price: {{percent: {percent}, of: payer}}}}
"""


def write_catalog(folder: pathlib.Path, *texts: str) -> pathlib.Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for i, text in enumerate(texts):
        (folder / f"{i}.yaml").write_text(text)
    return folder


# -- reports made by hand

_HAND = ("identity/LineItemId", "bill/InvoiceId", "bill/BillingEntity", "bill/PayerAccountId", "bill/BillingPeriodStartDate",
         "bill/BillingPeriodEndDate", "lineItem/UsageAccountId", "lineItem/LineItemType", "lineItem/UsageStartDate", "lineItem/ProductCode",
         "lineItem/UsageType", "lineItem/Operation", "lineItem/UsageAmount", "lineItem/CurrencyCode", "lineItem/UnblendedCost",
         "pricing/publicOnDemandCost", "pricing/unit", "product/regionCode", "product/sku", "reservation/ReservationARN")


def write_report(file: pathlib.Path, payer: str, period: str, lines) -> pathlib.Path:
    """A legacy report of lines given as dicts: account, type, product, cost; optional list, quantity, start, usage_type and others."""
    year, month = map(int, period.split("-"))
    end = f"{year + month // 12}-{month % 12 + 1:02d}-01T00:00:00Z"
    with open(file, "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(_HAND)
        for n, line in enumerate(lines, 1):
            writer.writerow([f"line-{n}", line.get("invoice", "INV1"), line.get("entity", "AWS"), payer, f"{period}-01T00:00:00Z", end,
                             line["account"], line.get("type", "Usage"), line.get("start", f"{period}-15T10:00:00Z"),
                             line.get("product", "AmazonEC2"), line.get("usage_type", "BoxUsage:t3.large"), line.get("operation", "RunInstances"),
                             line.get("quantity", "1"), line.get("currency", "USD"), line["cost"], line.get("list", ""),
                             line.get("unit", "Hrs"), line.get("region", "us-east-1"), line.get("sku", "SKU1"), line.get("reservation", "")])
    return file
