"""Small builders for tests: catalogs as YAML text, reports as files."""
import csv
import gzip
import json
import os
import pathlib

from . import catalog, cur, rate, statement
from .dec import parse, show

TDS, ING = "111122223333", "444455556666"          # payers: TD SYNNEX shared, Ingram master
ACCOUNT, OTHER = "000011112222", "000033334444"
PERIOD = "2025-06"

PAYERS = """
kind: Payer
id: "%s"
lane: tdsynnex
model: tdsynnex
payer_kind: shared
reseller: northwind
%%s
---
kind: Payer
id: "%s"
lane: ingram
model: ingram
payer_kind: master
reseller: northwind
%%s
---
kind: Reseller
id: northwind
name: Northwind Cloud
""" % (TDS, ING)


def payers(tds="", ingram=""):
    """Both payers; arguments are further YAML lines of each."""
    return PAYERS % (tds, ingram)


def book(rules, book_id="standard", currency="USD", start="2025-01-01"):
    """A book of one version; `rules` are the YAML flow maps of its rules."""
    lines = "\n".join("      - %s" % rule for rule in ([rules] if isinstance(rules, str) else rules))
    return ("kind: PriceBook\nid: %s\ncurrency: %s\nversions:\n  - effective_from: %s\n    rules:\n%s\n"
            % (book_id, currency, start, lines))


REST = "{id: rest, priority: 1000, match: {}, price: {percent: 0, of: payer}}"


def customer(extra="", accounts=None, customer_id="acme", price_book="standard"):
    """A customer; without `accounts`: ACCOUNT under both payers since 2025-01-01."""
    if accounts is None:
        accounts = ['{id: "%s", payer: "%s", from: 2025-01-01}' % (ACCOUNT, payer) for payer in (TDS, ING)]
    return ("kind: Customer\nid: %s\nname: %s GmbH\nreseller: northwind\nprice_book: %s\n%s\naccounts:\n%s\n"
            % (customer_id, customer_id.capitalize(), price_book, extra,
               "\n".join("  - " + account for account in accounts) or "  []"))


def make(*texts):
    """A catalog of both payers without buy books, and the given texts."""
    if not any("kind: Payer" in text for text in texts):
        texts = (payers(), *texts)
    return catalog.from_text(*texts)


def line(kind="Usage", cost="0", listed="0", quantity="1", **fields):
    """A line item; amounts as text."""
    values = {"account": ACCOUNT, "usage_start": "2025-06-10T00:00:00Z", "product": "AmazonEC2",
              "usage_type": "BoxUsage:m5.large", "operation": "RunInstances", "region": "eu-central-1", "unit": "Hrs",
              "sku": "SKU1", "billing_entity": "AWS", "reservation": "", "invoice_id": "", "currency": "USD"}
    values.update(fields)
    return cur.Line(line_item_type=kind, quantity=parse(quantity), cost=parse(cost), on_demand=parse(listed), **values)


def price(the_catalog, the_line, payer=TDS, period=PERIOD):
    """(class or reason, rule, buy, sell) of one line, amounts as text."""
    rated = rate.Rater(the_catalog, payer, period).rate(the_line)
    return rated.reason or rated.charge_class, rated.rule, show(rated.buy), show(rated.sell)


def documents(the_catalog, lines_by_payer, period=PERIOD):
    """Statements from lines per payer."""
    charges = [rate.rate_lines(the_catalog, payer, period, lines) for payer, lines in lines_by_payer.items()]
    return statement.statements(the_catalog, charges, period)


LEGACY_HEADER = ["identity/LineItemId", "bill/InvoiceId", "bill/BillingEntity", "bill/PayerAccountId",
                 "bill/BillingPeriodStartDate", "bill/BillingPeriodEndDate", "lineItem/UsageAccountId",
                 "lineItem/LineItemType", "lineItem/UsageStartDate", "lineItem/ProductCode", "lineItem/UsageType",
                 "lineItem/Operation", "lineItem/UsageAmount", "lineItem/CurrencyCode", "lineItem/UnblendedCost",
                 "lineItem/LineItemDescription", "product/region", "product/regionCode", "product/sku",
                 "pricing/publicOnDemandCost", "pricing/unit", "reservation/ReservationARN"]


def legacy_row(cost="1.0", **changes):
    """A row of LEGACY_HEADER as a dict."""
    row = {name: "" for name in LEGACY_HEADER}
    row.update({"bill/BillingEntity": "AWS", "bill/PayerAccountId": TDS,
                "bill/BillingPeriodStartDate": "2025-06-01T00:00:00.000Z",
                "bill/BillingPeriodEndDate": "2025-07-01T00:00:00.000Z", "lineItem/UsageAccountId": ACCOUNT,
                "lineItem/LineItemType": "Usage", "lineItem/UsageStartDate": "2025-06-10T00:00:00.000Z",
                "lineItem/ProductCode": "AmazonEC2", "lineItem/UsageAmount": "1.0", "lineItem/CurrencyCode": "USD",
                "lineItem/UnblendedCost": cost})
    row.update({name.replace("__", "/"): value for name, value in changes.items()})
    return row


def write_csv(path, rows, header=LEGACY_HEADER):
    """Rows (dicts) as csv, or csv.gz by the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = gzip.open(path, "wt", newline="") if path.suffix == ".gz" else open(path, "w", newline="")
    with opened as out:
        writer = csv.DictWriter(out, header, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def legacy_manifest(path, keys, assembly="a1", report="tds", period=("20250601", "20250701")):
    """A legacy manifest file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"assemblyId": assembly, "account": TDS, "columns": [], "charset": "UTF-8",
                                "reportName": report, "reportKeys": keys, "compression": "GZIP", "bucket": "b",
                                "billingPeriod": {"start": period[0] + "T000000.000Z",
                                                  "end": period[1] + "T000000.000Z"}}))
    return path


def samples():
    """The folder of real exports; tests that need it skip where it is absent."""
    here = pathlib.Path(__file__).resolve().parents[2]
    return pathlib.Path(os.environ.get("CURMILL_SAMPLES") or here.parent / "shared" / "samples")
