"""Reports that are not whole, not reports, or lack what rating needs: refused with their place, or told, never billed in silence
(formats.md section 1). All files are made here, a line or two each; every case has a payer of its own."""
import gzip
import io
import json
import os
import shutil
import zipfile

import months
import pytest

PERIOD, FOLDER = "2025-06", "20250601-20250701"
HEADER = ("identity/LineItemId", "bill/InvoiceId", "bill/BillingEntity", "bill/PayerAccountId", "bill/BillingPeriodStartDate",
          "lineItem/UsageAccountId", "lineItem/LineItemType", "lineItem/UsageStartDate", "lineItem/ProductCode",
          "lineItem/UsageType", "lineItem/Operation", "lineItem/UsageAmount", "lineItem/CurrencyCode", "lineItem/UnblendedCost",
          "product/regionCode", "product/sku", "pricing/publicOnDemandCost", "pricing/unit")
CUR2 = ("identity_line_item_id", "bill_invoice_id", "bill_billing_entity", "bill_payer_account_id", "bill_billing_period_start_date",
        "line_item_usage_account_id", "line_item_line_item_type", "line_item_usage_start_date", "line_item_product_code",
        "line_item_usage_type", "line_item_operation", "line_item_usage_amount", "line_item_currency_code", "line_item_unblended_cost",
        "product_region_code", "product_sku", "pricing_public_on_demand_cost", "pricing_unit")
BOOKS = """
kind: Reseller
id: northwind
name: Northwind Cloud
---
kind: PriceBook
id: at-cost
currency: USD
versions: [{effective_from: 2025-01-01, rules: [{id: all, priority: 10, match: {}, price: {pass: payer}}]}]
---
kind: PriceBook
id: rates
currency: USD
versions:
  - effective_from: 2025-01-01
    rules:
      - {id: gigabytes, priority: 10, match: {unit: GB}, price: {rate: 0.085}}
      - {id: rest, priority: 20, match: {}, price: {pass: payer}}
---
kind: PriceBook
id: region
currency: USD
versions:
  - effective_from: 2025-01-01
    rules:
      - {id: frankfurt, priority: 10, match: {region: eu-central-1}, price: {percent: 50, of: payer}}
      - {id: rest, priority: 20, match: {}, price: {pass: payer}}
"""
CASES = ("empty-gz", "half-synced", "header-only", "bare-cr", "cr-cr-lf", "grown", "emptied", "own", "twins", "athena", "no-quantity",
         "no-region", "no-sku", "spreadsheet", "cut-csv", "cut-zip", "parquet", "loose", "zero-file")
BOOK_OF = {"cr-cr-lf": "rates", "athena": "region", "no-quantity": "rates", "no-region": "region"}


class Case:
    """A payer with one customer and one account, and a folder as its source."""

    def __init__(self, stack, name):
        self.stack, self.name = stack, name
        self.payer, self.account = months.payer_id(f"bad {name}"), months.payer_id(f"bad account {name}")
        self.root = stack.data / f"bad-{name}-{self.payer}"
        self.root.mkdir(parents=True, exist_ok=True)

    def document(self):
        return f"""---
kind: Payer
id: "{self.payer}"
lane: ingram
model: ingram
payer_kind: master
reseller: northwind
source: {{type: folder, path: {self.root}}}
---
kind: Customer
id: c-{self.name}
name: Customer {self.name}
reseller: northwind
invoice_currency: USD
price_book: {BOOK_OF.get(self.name, "at-cost")}
accounts: [{{id: "{self.account}", payer: "{self.payer}", from: 2025-01-01}}]
"""

    def row(self, cost, **more):
        values = {"identity/LineItemId": "li", "bill/BillingEntity": "AWS", "bill/PayerAccountId": self.payer,
                  "bill/BillingPeriodStartDate": "2025-06-01T00:00:00.000Z", "lineItem/UsageAccountId": self.account,
                  "lineItem/LineItemType": "Usage", "lineItem/UsageStartDate": "2025-06-03T04:00:00.000Z",
                  "lineItem/ProductCode": "AmazonEC2", "lineItem/UsageType": "EUC1-BoxUsage:m5.large", "lineItem/Operation": "RunInstances",
                  "lineItem/UsageAmount": "1.0", "lineItem/CurrencyCode": "USD", "lineItem/UnblendedCost": cost,
                  "product/regionCode": "eu-central-1", "product/sku": "ABC", "pricing/unit": "Hrs",
                  **{name.replace("__", "/"): value for name, value in more.items()}}
        return [values.get(name, "") for name in HEADER]

    @staticmethod
    def csv(*rows, header=HEADER, end="\n", without=()):
        """`without`: columns, by their legacy name, that the projection left out."""
        keep = [i for i, name in enumerate(HEADER) if name not in without]
        return "".join(",".join(row[i] for i in keep) + end for row in (header, *rows)).encode()

    def deliver(self, files):
        """Writes data files (name -> bytes) and a manifest that lists them, always the same one."""
        folder = self.root / "rep" / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        manifest = {"assemblyId": "A", "account": self.payer, "reportName": "rep", "compression": "GZIP", "contentType": "text/csv",
                    "billingPeriod": {"start": "20250601T000000.000Z", "end": "20250701T000000.000Z"},
                    "reportKeys": [f"rep/{FOLDER}/{name}" for name in files]}
        (folder / "rep-Manifest.json").write_text(json.dumps(manifest))

    def scan(self, code=0):
        done = self.stack.cli_raw("--format", "json", "ingest", "--payer", self.payer, "--period", PERIOD, "--wait", "--timeout", 120)
        assert done.returncode == code, done
        return done

    def file(self, content, name, code=0, wait=("--wait", "--timeout", 120)):
        path = self.root.parent / f"{self.name}-{name}"
        path.write_bytes(content)
        done = self.stack.cli_raw("--format", "json", "ingest", "--payer", self.payer, "--period", PERIOD, "--file", path, *wait)
        assert done.returncode == code, done
        return done

    def newest(self):
        return self.stack.cli("delivery", "list", "--payer", self.payer)[-1]

    def refused(self, code, file, row=None, column=""):
        d = self.newest()
        assert (d["state"], d["error_code"], d["error_file"], d["error_row"], d["error_column"]) == ("failed", code, file, row, column), d
        return d["error"]

    def sums(self):
        """(lines, payer, sell) of what counts now."""
        answer = self.stack.cli("totals", "--payer", self.payer, "--period", PERIOD)
        assert len(answer["groups"]) == (answer["lines"] > 0)
        return (answer["lines"], *((answer["groups"][0]["payer"], answer["groups"][0]["sell"]) if answer["groups"] else ()))

    def alerts(self):
        run = self.stack.cli("run", "list", "--payer", self.payer)[-1]["run"]
        return {(a["code"], a["object"]): a["detail"] for a in self.stack.cli("run", "show", run)["alerts"]}


@pytest.fixture(scope="module")
def cases(stack):
    made = {name: Case(stack, name) for name in CASES}
    folder = stack.data / "bad-reports-catalog"
    folder.mkdir(exist_ok=True)
    (folder / "all.yaml").write_text(BOOKS + "".join(case.document() for case in made.values()))
    months.apply(stack, folder)
    return made


def test_a_file_of_0_bytes_is_refused(cases):
    """A copy that broke off: one of two files, or a file that was good before."""
    case = cases["empty-gz"]
    case.deliver({"rep-1.csv.gz": gzip.compress(case.csv(case.row("500.0"))), "rep-2.csv.gz": b""})
    done = case.scan(code=2)
    assert "rep-2.csv.gz" in done.stderr and "0 bytes" in done.stderr
    case.refused("EMPTY_FILE", "rep-2.csv.gz")

    case = cases["emptied"]
    case.deliver({"rep-1.csv.gz": gzip.compress(case.csv(case.row("500.0")))})
    case.scan()
    case.deliver({"rep-1.csv.gz": b""})
    case.scan(code=2)
    case.refused("EMPTY_FILE", "rep-1.csv.gz")
    assert case.sums() == (1, "500", "500")
    case.deliver({"rep-1.csv.gz": gzip.compress(case.csv(case.row("500.0")), mtime=1)})
    case.scan()
    assert case.newest()["state"] == "good" and case.sums() == (1, "500", "500")

    case = cases["zero-file"]
    done = case.file(b"", "zero.csv", code=2, wait=())
    assert "0 bytes" in done.stderr
    case.refused("EMPTY_FILE", "zero-file-zero.csv")


def test_a_folder_that_is_still_copied_into(cases):
    """The same manifest: first without the second file's bytes, then with them, then with other ones."""
    case = cases["half-synced"]
    first = gzip.compress(case.csv(case.row("1.0")))
    case.deliver({"rep-1.csv.gz": first, "rep-2.csv.gz": b""})
    case.scan(code=2)
    case.deliver({"rep-1.csv.gz": first, "rep-2.csv.gz": gzip.compress(case.csv(case.row("500.0")))})
    case.scan()
    assert case.sums() == (2, "501", "501")


def test_files_that_change_after_they_were_read(cases):
    """Nothing in the manifest shows it: another size or time does."""
    case = cases["grown"]
    case.deliver({"rep-1.csv.gz": gzip.compress(case.csv(case.row("10.0")))})
    case.scan()
    assert case.sums() == (1, "10", "10")
    first = case.newest()["delivery"]
    case.deliver({"rep-1.csv.gz": gzip.compress(case.csv(case.row("10.0"), case.row("20.0")))})
    case.scan()
    assert case.sums() == (2, "30", "30")
    states = {d["delivery"]: d["state"] for d in case.stack.cli("delivery", "list", "--payer", case.payer)}
    assert len(states) == 2 and states[first] == "superseded"
    case.scan()
    assert len(case.stack.cli("delivery", "list", "--payer", case.payer)) == 2
    # A file that goes away takes nothing with it.
    shutil.rmtree(case.root / "rep" / FOLDER)
    case.scan()
    assert case.sums() == (2, "30", "30")


def test_a_file_without_lines_is_told(cases):
    case = cases["header-only"]
    case.deliver({"rep-1.csv.gz": gzip.compress(case.csv(case.row("500.0")))})
    case.scan()
    case.deliver({"rep-1.csv.gz": gzip.compress(case.csv())})
    done = case.scan(code=2)
    told = json.loads(done.stdout)[0]
    assert "no lines" in done.stderr and (told["lines"], told["state"]) == (0, "held")
    assert case.sums() == (1, "500", "500")                      # DELIVERY_SHRANK: a person decides
    assert "rep-1.csv.gz" in case.alerts()["NO_LINES", "rep-1.csv.gz"]


def test_bare_carriage_returns(cases):
    case = cases["bare-cr"]
    case.deliver({"rep-1.csv.gz": gzip.compress(case.csv(case.row("500.0"), case.row("1.0"), end="\r"))})
    case.scan(code=2)
    case.refused("BARE_CR", "rep-1.csv.gz", None, "pricing/unit")
    case = cases["cr-cr-lf"]
    rows = case.csv(case.row("90.0", lineItem__UsageAmount="1000.0", pricing__unit="GB"), end="\r\r\n")
    case.file(rows, "a.csv", code=2)
    case.refused("BARE_CR", "cr-cr-lf-a.csv", None, "pricing/unit")
    case.file(rows.replace(b"\r\r\n", b"\r\n"), "a.csv")
    assert case.sums() == (1, "90", "85")


def test_ingest_tells_of_its_own_deliveries_only(cases):
    """Good, bad, and the good one again: no word of the bad one, neither from files nor from the source."""
    case = cases["own"]
    good, bad = case.csv(case.row("42.0")), case.csv(case.row("x"))
    done = json.loads(case.file(good, "good.csv").stdout)
    assert [(d["state"], d["lines"], d["amount"], d["suspended_lines"]) for d in done] == [("good", 1, "42 USD", 0)]
    bad_told = case.file(bad, "bad.csv", code=2).stderr
    assert "own-bad.csv, row 1, column lineItem/UnblendedCost" in bad_told
    done = case.file(good, "good.csv")
    assert "bad.csv" not in done.stdout + done.stderr and "failed" not in done.stderr
    case.deliver({"rep-1.csv.gz": gzip.compress(case.csv(case.row("43.0")))})
    done = case.scan()
    assert "bad.csv" not in done.stdout + done.stderr and len(json.loads(done.stdout)) == 1
    assert case.sums() == (1, "43", "43")


def test_two_names_with_the_same_content(cases):
    case = cases["twins"]
    rows = case.csv(case.row("7.0"), case.row("8.0"))
    case.deliver({"rep-1.csv.gz": gzip.compress(rows), "rep-2.csv.gz": gzip.compress(case.csv(case.row("1.0"))),
                  "rep-3.csv.gz": gzip.compress(rows, 1)})
    case.scan()
    alerts = {key: text for key, text in case.alerts().items() if key[0] == "SAME_CONTENT"}
    assert list(alerts) == [("SAME_CONTENT", "rep-3.csv.gz")]
    assert "rep-1.csv.gz" in alerts["SAME_CONTENT", "rep-3.csv.gz"] and "15 USD" in alerts["SAME_CONTENT", "rep-3.csv.gz"]


def test_aliases_of_a_column(cases):
    """As Athena writes it: underscores, quotes, another form of times, product_region."""
    case = cases["athena"]
    header = [name.replace("product_region_code", "product_region") for name in CUR2]
    times = {"bill__BillingPeriodStartDate": "2025-06-01 00:00:00.000", "lineItem__UsageStartDate": "2025-06-03 04:00:00.000"}
    rows = [[f'"{value}"' for value in row] for row in (header, case.row("10.0", **times), case.row("1.0E-4", **times))]
    case.file(case.csv(*rows[1:], header=rows[0]), "athena.csv")
    assert case.sums() == (2, "10.0001", "15.00015")


def test_a_column_that_rating_needs(cases):
    """Named with the rule that asks for it; where nothing asks, what is lost is told."""
    case = cases["no-quantity"]
    gigabytes = case.row("90.0", pricing__unit="GB")
    done = case.file(case.csv(gigabytes, header=CUR2, without=("lineItem/UsageAmount",)), "a.csv", code=2)
    assert "line_item_usage_amount" in done.stderr and "rule gigabytes of price book rates" in done.stderr
    case.refused("COLUMN_NEEDED", "no-quantity-a.csv", None, "line_item_usage_amount")
    case = cases["no-region"]
    case.file(case.csv(case.row("10.0"), without=("product/regionCode",)), "a.csv", code=2)
    assert "rule frankfurt" in case.refused("COLUMN_NEEDED", "no-region-a.csv", None, "product/regionCode")
    case = cases["no-sku"]
    case.file(case.csv(case.row("10.0"), header=CUR2, without=("lineItem/UsageAmount", "product/sku")), "a.csv")
    assert case.sums() == (1, "10", "10")
    lost = {key[1] for key in case.alerts() if key[0] == "COLUMN_MISSING"}
    assert lost == {"line_item_usage_amount", "reservation_reservation_a_r_n"}


def test_account_ids_from_a_spreadsheet(cases):
    case = cases["spreadsheet"]
    case.file(case.csv(case.row("1.0")), "good.csv")
    for account in ("1E+11", "10000000005", "Total"):
        case.file(case.csv(case.row("1.0"), case.row("2.0", lineItem__UsageAccountId=account)), "bad.csv", code=2)
        assert "spreadsheet" in case.refused("BAD_ACCOUNT", "spreadsheet-bad.csv", 2, "lineItem/UsageAccountId")
    assert case.sums() == (1, "1", "1")


def test_files_that_are_cut(cases):
    case = cases["cut-csv"]
    rows = case.csv(case.row("1.0"), case.row("2.0"))
    case.file(rows[:-3], "last-field.csv", code=2)
    case.refused("CUT", "cut-csv-last-field.csv", 2, "pricing/unit")
    case.file(rows[:-40], "row.csv", code=2)
    assert case.newest()["error_code"] == "CUT" and case.newest()["error_row"] == 2
    case = cases["cut-zip"]
    rows = case.csv(case.row("1.0"), case.row("2.0"))
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rep-1.csv", rows)
    case.file(memory.getvalue()[:-30], "a.csv.zip", code=2)
    case.refused("CUT", "cut-zip-a.csv.zip")
    case.file(gzip.compress(rows)[:-9], "a.csv.gz", code=2)
    assert case.newest()["error_code"] == "CUT" and case.newest()["error_file"] == "cut-zip-a.csv.gz"


def test_what_a_file_is_not(cases):
    case = cases["parquet"]
    case.file(b"PAR1" + os.urandom(100), "a.csv.gz", code=2)
    assert "this is Parquet; its name says csv.gz" in case.refused("WRONG_FORMAT", "parquet-a.csv.gz")


def test_a_file_without_a_manifest_is_told(cases):
    case = cases["loose"]
    (case.root / "june.csv").write_bytes(case.csv(case.row("5.0")))
    done = case.stack.cli_raw("ingest", "--payer", case.payer, "--wait", "--timeout", 120)
    assert done.returncode == 0 and "june.csv" in done.stderr and "no manifest" in done.stderr, done
    case.deliver({"rep-1.csv.gz": gzip.compress(case.csv(case.row("5.0")))})
    done = case.stack.cli_raw("ingest", "--payer", case.payer, "--wait", "--timeout", 120)
    assert "june.csv" in done.stderr and "rep-1.csv.gz" not in done.stderr, done
