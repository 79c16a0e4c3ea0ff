"""Reads cost and usage reports: legacy CUR and CUR 2.0, csv, csv.gz, csv.zip; manifests of both.

Columns are found by name in the header of each chunk (formats.md section 1). The standard library's csv,
gzip and zipfile do the reading. Errors name file, row (1 = header) and column.
"""
import csv
import gzip
import io
import json
import os
import pathlib
import re
import zipfile
from typing import NamedTuple

from . import dec, when

csv.field_size_limit(1 << 30)


class ReportError(ValueError):
    """A delivery that can't be read: what, where, why."""


class Line(NamedTuple):
    """One line item, the columns that rating uses; amounts are counts of 10^-18."""
    account: str
    line_item_type: str
    usage_start: str
    product: str
    usage_type: str
    operation: str
    region: str
    unit: str
    sku: str
    billing_entity: str
    reservation: str
    invoice_id: str
    currency: str
    quantity: int
    cost: int
    on_demand: int
    savings_plan: str = ""
    net: int | None = None           # None: not filled
    discounts: tuple | None = None   # ((key, amount), ...) of CUR 2.0; None: the report has its discounts as lines (rating.md section 2a)
    total_discount: int | None = None
    row: str = ""                    # file and line, for alerts


# field -> names, first present and non-empty wins (S14 for region). The first 9 are mandatory (formats.md section 1).
# Names are compared without case, "/", "_" and blanks: Athena and others write them in their own way.
_MANDATORY = ("period_start", "period_end", "payer", "account", "line_item_type", "product", "usage_type",
              "usage_start", "cost", "currency")
_LEGACY = {
    "period_start": ["bill/BillingPeriodStartDate"], "period_end": ["bill/BillingPeriodEndDate"],
    "payer": ["bill/PayerAccountId"], "account": ["lineItem/UsageAccountId"],
    "line_item_type": ["lineItem/LineItemType"], "usage_start": ["lineItem/UsageStartDate"],
    "product": ["lineItem/ProductCode"], "usage_type": ["lineItem/UsageType"], "operation": ["lineItem/Operation"],
    "region": ["product/regionCode", "product/region", "product_region_code", "product_region"], "unit": ["pricing/unit"], "sku": ["product/sku"],
    "billing_entity": ["bill/BillingEntity"], "reservation": ["reservation/ReservationARN"],
    "invoice_id": ["bill/InvoiceId"], "currency": ["lineItem/CurrencyCode"], "quantity": ["lineItem/UsageAmount"],
    "cost": ["lineItem/UnblendedCost"], "on_demand": ["pricing/publicOnDemandCost"],
    "savings_plan": ["savingsPlan/SavingsPlanARN"], "net": ["lineItem/NetUnblendedCost"], "discounts": [], "total_discount": [],
}
_CUR2 = {
    "period_start": ["bill_billing_period_start_date"], "period_end": ["bill_billing_period_end_date"],
    "payer": ["bill_payer_account_id"], "account": ["line_item_usage_account_id"],
    "line_item_type": ["line_item_line_item_type"], "usage_start": ["line_item_usage_start_date"],
    "product": ["line_item_product_code"], "usage_type": ["line_item_usage_type"],
    "operation": ["line_item_operation"],
    "region": ["product_region_code", "product_region", "product/regionCode", "product/region"], "unit": ["pricing_unit"],
    "sku": ["product_sku"], "billing_entity": ["bill_billing_entity"],
    "reservation": ["reservation_reservation_a_r_n"], "invoice_id": ["bill_invoice_id"],
    "currency": ["line_item_currency_code"], "quantity": ["line_item_usage_amount"],
    "cost": ["line_item_unblended_cost"], "on_demand": ["pricing_public_on_demand_cost"],
    "savings_plan": ["savings_plan_savings_plan_a_r_n"], "net": ["line_item_net_unblended_cost"], "discounts": ["discount"],
    "total_discount": ["discount_total_discount"],
}
_FIELDS = [name for name in Line._fields if name not in ("region", "quantity", "cost", "on_demand", "savings_plan", "net", "discounts", "total_discount", "row")]


def _members(path):
    """The CSV byte streams of one file, as (name, binary file)."""
    name = str(path)
    if not os.path.getsize(path):
        raise ReportError("%s: the file has 0 bytes" % name)
    if name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                if not member.endswith("/"):
                    yield "%s:%s" % (name, member), archive.open(member)
    elif name.endswith(".gz"):
        yield name, gzip.open(path)
    else:
        yield name, open(path, "rb")


def _plain(column):
    return re.sub("[/_ ]", "", column).lower()


def _text_lines(name, stream):
    """Lines of a CSV stream; a CR outside quotes must be followed by LF, and only a compressed file may end without LF."""
    quoted, line = False, "\n"
    for number, line in enumerate(io.TextIOWrapper(stream, encoding="utf-8-sig", newline="\n"), 1):
        inside = quoted
        for at, one in enumerate(line if "\r" in line else ""):
            inside ^= one == '"'
            if one == "\r" and not inside and line[at + 1:at + 2] != "\n":
                raise ReportError("%s: line %d: a carriage return that is not followed by a line feed" % (name, number))
        quoted ^= line.count('"') % 2 == 1
        yield line
    if not line.endswith("\n") and not re.search(r"\.(gz|zip(:.*)?)$", name):
        raise ReportError("%s: line %d: the file ends without a line end" % (name, number))


def _columns(header, name):
    """Field -> list of column indexes, from a header row."""
    index = {}
    for position, column in enumerate(header):
        index.setdefault(_plain(column), []).append(position)
    names = _LEGACY if any("/" in column for column in header) else _CUR2
    columns = {}
    for field, choices in names.items():
        found = [index.get(_plain(column), []) for column in choices]
        if any(len(positions) > 1 for positions in found):
            raise ReportError("%s: row 1: the column %s is there twice" % (name, choices[0]))
        columns[field] = [positions[0] for positions in found if positions]
    for field in _MANDATORY:
        if not columns[field]:
            raise ReportError("%s: row 1: the column %s is missing" % (name, names[field][0]))
    return columns, names


class _Numbers:
    """Texts of numbers to amounts, remembered: reports repeat themselves."""

    def __init__(self):
        self.seen = {}

    def __call__(self, text):
        value = self.seen.get(text)
        if value is None:
            value = dec.parse_cell(text)
            if len(self.seen) > 1_000_000:
                self.seen.clear()
            self.seen[text] = value
        return value


def discount_map(text):
    """((key, amount), ...) of the map `discount`, JSON text in one cell; no number passes through a float."""
    if not text:
        return ()
    try:
        pairs = json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=tuple)
    except json.JSONDecodeError as error:
        raise dec.DecimalError("not a map of discounts: %r" % text) from error
    if text.strip() == "{}":
        return ()
    if not isinstance(pairs, tuple) or not all(isinstance(pair, tuple) and isinstance(pair[1], (str, type(None))) for pair in pairs):
        raise dec.DecimalError("not a map of discounts: %r" % text)
    return tuple((key, dec.parse_cell(value or "")) for key, value in pairs)


def _cell(columns):
    """The one column index of a field, or -1 for a column that is absent."""
    return columns[0] if columns else -1


def _member_lines(name, stream, payer, period):
    """Lines of one CSV stream."""
    bounds = when.period_bounds(period) if period else None
    numbers = _Numbers()
    good_starts, good_accounts = set(), set()
    reader = csv.reader(_text_lines(name, stream), strict=True)
    header = next(reader, None)
    if header is None:
        return
    columns, names = _columns(header, name)
    width = len(header)
    picks = [_cell(columns[field]) for field in _FIELDS]
    regions = columns["region"]
    at_quantity, at_cost, at_list = (_cell(columns[f]) for f in ("quantity", "cost", "on_demand"))
    at_plan, at_net, at_map, at_total = (_cell(columns[f]) for f in ("savings_plan", "net", "discounts", "total_discount"))
    in_columns = at_map >= 0 or at_total >= 0
    if names is _CUR2 and not in_columns:
        at_net = -1                                     # section 2a: the discounts are lines of their own
    at_start, at_payer = columns["period_start"][0], columns["payer"][0]
    for row in reader:
        if not row:
            continue
        if len(row) != width:
            raise ReportError("%s: row at line %d: %d fields, the header has %d"
                              % (name, reader.line_num, len(row), width))
        if payer and row[at_payer] and row[at_payer] != payer:
            raise ReportError("%s: line %d: column %s: payer %s, expected %s"
                              % (name, reader.line_num, names["payer"][0], row[at_payer], payer))
        if bounds and row[at_start] and row[at_start] not in good_starts:
            if when.parse_time(row[at_start]) != bounds[0]:
                raise ReportError("%s: line %d: column %s: %s is not the start of %s"
                                  % (name, reader.line_num, names["period_start"][0], row[at_start], period))
            good_starts.add(row[at_start])
        row.append("")                                  # index -1: a column that is absent
        region = ""
        for position in regions:
            region = region or row[position]
        try:
            amounts = (numbers(row[at_quantity]), numbers(row[at_cost]), numbers(row[at_list]))
            net, total = (numbers(row[at]) if row[at] else None for at in (at_net, at_total))
            discounts = discount_map(row[at_map]) if in_columns else None
        except dec.DecimalError as error:
            raise ReportError("%s: line %d: %s" % (name, reader.line_num, error)) from error
        (account, kind, start, product, usage_type, operation, unit, sku, entity, reservation, invoice,
         currency) = [row[position] for position in picks]
        if account not in good_accounts:
            if not re.fullmatch("[0-9]{12}", account):
                raise ReportError("%s: line %d: column %s: %s is not an account id of 12 digits"
                                  % (name, reader.line_num, names["account"][0], account))
            good_accounts.add(account)
        yield Line(account, kind, start, product, usage_type, operation, region, unit, sku, entity, reservation,
                   invoice, currency, *amounts, row[at_plan], net, discounts, total, "%s:%d" % (name, reader.line_num))


def read_files(paths, payer="", period=""):
    """Lines of data files, in order; each has a header of its own."""
    for path in paths:
        try:
            for name, stream in _members(path):
                with stream:
                    yield from _member_lines(name, stream, payer, period)
        except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, csv.Error, UnicodeDecodeError, OSError) as error:
            raise ReportError("%s: %s" % (path, error)) from error


class Manifest(NamedTuple):
    path: pathlib.Path
    report: str
    period: str
    version: str                     # assembly or execution id
    keys: tuple


_PERIOD_FOLDERS = (re.compile(r"BILLING_PERIOD=(\d{4}-\d\d)$"), re.compile(r"(\d{4})(\d\d)01-\d{8}$"))
_EXECUTION = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z-|\d{8}T\d{6}Z$")


def _folder_period(part):
    for pattern in _PERIOD_FOLDERS:
        match = pattern.match(part)
        if match:
            return "-".join(match.groups())
    return ""


def read_manifest(path):
    """A manifest of either kind."""
    path = pathlib.Path(path)
    raw = json.loads(path.read_text(encoding="utf-8-sig"))
    by_path = next((p for p in map(_folder_period, reversed(path.parts)) if p), "")
    if "billingPeriod" in raw:
        start = raw["billingPeriod"]["start"]
        return Manifest(path, raw["reportName"], "%s-%s" % (start[:4], start[4:6]), raw.get("assemblyId", ""),
                        tuple(raw["reportKeys"]))
    keys = raw.get("dataFiles", raw.get("reportKeys"))
    if keys is None or not by_path:
        raise ReportError("%s: not a manifest of a known layout" % path)
    return Manifest(path, path.name[:-len("-Manifest.json")], by_path, raw.get("executionId", ""), tuple(keys))


def _newest(manifests):
    """AWS's pointer (the manifest directly in the period folder) if there is one, else the newest version."""
    direct = [m for m in manifests if _folder_period(m.path.parent.name)]
    if direct:
        if len(direct) > 1:
            raise ReportError("two manifests for one report and period: %s and %s" % (direct[0].path, direct[1].path))
        return direct[0]
    if all(_EXECUTION.match(m.path.parent.name) for m in manifests):
        return max(manifests, key=lambda m: m.path.parent.name)
    return max(manifests, key=lambda m: (m.path.stat().st_mtime_ns, m.path.parent.name))


def find_manifest(root, period, reports=(), report=""):
    """The current manifest of a period below a folder; `report` chooses one of several reports."""
    found = {}
    for path in sorted(pathlib.Path(root).rglob("*-Manifest.json")):
        manifest = read_manifest(path)
        if manifest.period == period and (not reports or manifest.report in reports) \
                and (not report or manifest.report == report):
            found.setdefault(manifest.report, []).append(manifest)
    if not found:
        return None
    if len(found) > 1:
        raise ReportError("%s: several reports for %s, choose one with --report: %s"
                          % (root, period, ", ".join(sorted(found))))
    return _newest(next(iter(found.values())))


def data_files(root, manifest):
    """The files of a manifest: by the longest path suffix below the folder, or by name in the same period."""
    root = pathlib.Path(root)
    below = [path for path in sorted(root.rglob("*")) if path.is_file()]
    by_name = {}
    for path in below:
        by_name.setdefault(path.name, []).append(path)
    files = []
    for key in manifest.keys:
        parts = key.removeprefix("s3://").split("/")
        candidates = by_name.get(parts[-1], [])
        chosen = []
        for length in range(len(parts), 1, -1):
            chosen = [path for path in candidates if list(path.relative_to(root).parts[-length:]) == parts[-length:]]
            if chosen:
                break
        if not chosen:
            chosen = [path for path in candidates
                      if any(_folder_period(part) == manifest.period for part in path.relative_to(root).parts)]
        if not chosen:
            raise ReportError("%s: the data file %s is not below %s" % (manifest.path, key, root))
        if len(chosen) > 1:
            raise ReportError("%s: the data file %s could be %s or %s" % (manifest.path, key, chosen[0], chosen[1]))
        files.append(chosen[0])
    return files
