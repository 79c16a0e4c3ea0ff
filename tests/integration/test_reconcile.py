"""Invoices against a generated month (R11, R08, N05): what the oracle expects is matched to the last row; ten deviations are found and named, none invented.

The distributor writes a settled month, in EUR at its own rate; a later delivery has become a correction."""
import csv
import decimal
import random
from decimal import Decimal

import months
import pytest
from oracle import catalog as catalogs
from oracle import dec, invoice, load, rate

SETTLE = ("--by", "maria", "--reason", "test")
FORMATS = """kind: InvoiceFormat
id: tds
columns: {account: Account, product: Service, amount: Net amount, currency: Currency}
products: {Elastic Compute Cloud: AmazonEC2}
leave: {Service: Total}
---
kind: InvoiceFormat
id: by-account
level: account
delimiter: ";"
decimal: ","
currency: EUR
columns: {account: Account, amount: Net amount}
---
kind: InvoiceFormat
id: aws
level: invoice
currency: USD
tax: included
columns: {invoice: Invoice, amount: Amount}
"""
HEADER = ["Account", "Service", "Net amount", "Currency"]


class World:
    def __init__(self, stack, generate):
        self.stack = stack
        self.month = months.Month(stack, generate, "reconcile", months.next_period(),
                                  options=("--versions", 2, "--unlinked", "--rows", 1500, "--accounts", 12))
        first = self.month.write("--only-version", 1)[0]
        (self.month.catalog / "formats.yaml").write_text(FORMATS)
        months.apply(stack, self.month.catalog)
        self.month.ingest()
        stack.cli("period", "settle", "--payer", self.month.payer, "--period", self.month.period, *SETTLE, "--acknowledge-unbilled")
        second = self.month.write("--only-version", 2)[0]
        self.month.ingest()
        self.catalog = catalogs.from_folder(self.month.catalog)
        self.first, self.second = (self._charges(version) for version in (first, second))
        self.expected = self._expect(self.first)
        self.late = self._expect(self.second)
        self.files = self.month.files(first)

    def _charges(self, version):
        return rate.rate_lines(self.catalog, self.month.payer, self.month.period,
                               load.lines_of(self.catalog, self.month.payer, self.month.period, files=self.month.files(version)))

    def _expect(self, charges):
        exact = invoice.expected(self.catalog, charges, self.month.period)
        return {key: to_decimal(value) for key, value in invoice.converted(self.catalog, exact, "EUR", self.month.period).items()}

    def sums(self, charge_class):
        """{(account, product): payer amount of a class}, in EUR at the distributor's rate."""
        found = {}
        for charge, row in self.first.rows.items():
            if charge.charge_class == charge_class:
                key = (charge.currency, charge.account, charge.product)
                found[key] = found.get(key, 0) + row[2]
        return {key: to_decimal(value) for key, value in invoice.converted(self.catalog, found, "EUR", self.month.period).items()}

    def reconcile(self, rows, code, layout="tds", header=HEADER, delimiter=","):
        file = self.stack.data / f"invoice-{random.randrange(10**9)}.csv"
        with file.open("w", newline="") as out:
            csv.writer(out, delimiter=delimiter).writerows([header, *rows])
        return self.stack.cli("reconcile", "--invoice", file, "--payer", self.month.payer, "--period", self.month.period, "--layout", layout, code=code)


def to_decimal(value: int) -> Decimal:
    return Decimal(dec.show(value))


def multiplied(value: int, by: int) -> Decimal:
    return to_decimal(dec.multiply(value, by))


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), decimal.ROUND_HALF_UP)


def rows_of(amounts):
    return [[account, product, str(cents(amount)), "EUR"] for (account, product), amount in amounts.items() if cents(amount)]


@pytest.fixture(scope="module")
def world(stack, generate):
    return World(stack, generate)


def test_what_the_oracle_expects_is_matched(world):
    """R08: at the distributor's rate; N05: with the support that it bills."""
    rows = rows_of(world.expected)
    assert len(rows) > 40 and any(row[1] == "AWSSupport" for row in rows)
    answer = world.reconcile([*rows, ["", "Total", "1", "EUR"]], 0)
    assert answer["items"] == []
    assert answer["counts"]["matched"] >= len(rows) and answer["left_out"] == 1
    assert Decimal(answer["expected"]) == sum(world.expected.values())
    assert abs(Decimal(answer["difference"])) <= Decimal("0.005") * answer["counts"]["matched"]
    by_account = {}
    for (account, _), amount in world.expected.items():
        by_account[account] = by_account.get(account, 0) + amount
    rows = [[account.lstrip("0"), str(cents(amount)).replace(".", ",")] for account, amount in by_account.items()]
    assert world.reconcile(rows, 0, "by-account", ["Account", "Net amount"], ";")["items"] == []


def test_ten_deviations(world):
    """R11: each of ten has its own status and cause; nothing else is named."""
    rng = random.Random(7)
    amounts = dict(world.expected)
    large = sorted(key for key, amount in amounts.items() if amount > 30 and key[1] != "AWSSupport")
    assert len(large) > 10
    rng.shuffle(large)
    reseller, distributor = (to_decimal(world.catalog.rates[name, "USD", "EUR", world.month.period]) for name in ("reseller", "distributor"))
    assert reseller != distributor
    want, extra = {}, []

    def deviate(key, amount, status, cause):
        amounts[key] = amount
        want[key] = (status, cause)

    listed = {}
    for charge, row in world.first.rows.items():
        if charge.charge_class not in ("suspended", "tax", "support", "provider_discount"):
            listed[charge.account, charge.product] = listed.get((charge.account, charge.product), 0) + row[3]
    listed = {key: multiplied(value, world.catalog.rates["distributor", "USD", "EUR", world.month.period]) for key, value in listed.items()}
    key = max(large, key=lambda k: abs(listed[k] - amounts[k]))
    large.remove(key)
    assert abs(listed[key] - amounts[key]) > 1
    deviate(key, listed[key], "over" if listed[key] > amounts[key] else "short", "PRICE_BOOK")          # at list
    late = max(large, key=lambda key: abs(world.late.get(key, 0) - amounts[key]))
    large.remove(late)
    deviate(late, world.late.get(late, Decimal(0)), "over" if world.late.get(late, 0) > amounts[late] else "short", "LATE_LINE")
    (suspended, money), = [max(world.sums("suspended").items(), key=lambda item: item[1])]
    deviate(suspended, amounts.get(suspended, Decimal(0)) + money, "over" if suspended in world.expected else "unknown", "SUSPENDED")
    support = max((key for key in amounts if key[1] == "AWSSupport"), key=lambda key: amounts[key])
    deviate(support, amounts[support] * 10 / 9, "over", "SUPPORT")                                    # 10 % instead of buy_percent 9
    discounts = {key: money for key, money in world.sums("provider_discount").items() if key in large and abs(money) > Decimal("0.02")}
    discount = min(discounts, key=discounts.get)
    large.remove(discount)
    deviate(discount, amounts[discount] + discounts[discount], "short", "DISCOUNT")                   # N12: a month too early
    key = large.pop()
    deviate(key, amounts[key] / distributor * reseller, "over" if reseller > distributor else "short", "FX")
    key = max(large, key=lambda k: len({charge for charge in world.first.rows if (charge.account, charge.product) == k}))
    large.remove(key)
    deviate(key, amounts[key] + Decimal("0.03"), "over", "ROUNDING")
    key = large.pop()
    want[key] = ("over", "DUPLICATE")
    extra.append([*key, str(cents(amounts[key])), "EUR"])
    key = large.pop()
    deviate(key, Decimal(0), "short", "NOT_BILLED")
    want["999999999999", "AmazonEC2"] = ("unknown", "UNKNOWN_ACCOUNT")
    extra.append(["999999999999", "Elastic Compute Cloud", "12.34", "EUR"])

    answer = world.reconcile(rows_of(amounts) + extra, 2)
    got = {(item["account"], item["product"]): (item["status"], item["cause"]) for item in answer["items"]}
    assert got == want
    assert len(want) == 10
    for item in answer["items"]:
        assert bool(item["rows"]) == (item["cause"] != "NOT_BILLED")


def test_aws_invoices_by_id(stack, generate, world):
    """The sum of payer amounts for an InvoiceId is what is payable, taxes included; an id that no line has is unknown."""
    month = months.Month(stack, generate, "reconcile-aws", months.next_period(), options=("--versions", 1), catalog=world.month.catalog)
    version = month.write()[0]
    months.apply(stack, month.catalog)
    month.ingest()
    sums = {}
    for file in month.files(version):
        header, rows = months.rows_of(file)
        at, cost = header.index("bill/InvoiceId"), header.index("lineItem/UnblendedCost")
        for row in rows:
            assert row[at], "the last delivery is final"
            sums[row[at]] = sums.get(row[at], 0) + Decimal(row[cost])

    def answer(rows, code):
        file = stack.data / "aws-invoices.csv"
        file.write_text("Invoice,Amount\n" + "".join(f"{name},{amount}\n" for name, amount in rows))
        return stack.cli("reconcile", "--invoice", file, "--payer", month.payer, "--period", month.period, "--layout", "aws", code=code)

    rows = [(name, cents(amount)) for name, amount in sorted(sums.items())]
    good = answer(rows, 0)
    assert good["items"] == [] and good["lines_without_invoice_id"] == 0
    assert Decimal(good["expected"]) == sum(sums.values())
    bad = answer([(rows[0][0], rows[0][1] + 5), *rows[1:], ("X-1", "3")], 2)
    assert [(i["invoice_id"], i["status"], i["cause"]) for i in bad["items"]] == [(rows[0][0], "over", "UNEXPLAINED"), ("X-1", "unknown", "UNKNOWN_INVOICE")]


def test_a_month_without_delivery(world):
    """Nothing is known: everything is unknown for that reason, which is said."""
    file = world.stack.data / "early.csv"
    file.write_text("Account,Service,Net amount,Currency\n000011112222,AmazonEC2,5.00,EUR\n")
    answer = world.stack.cli("reconcile", "--invoice", file, "--payer", world.month.payer, "--period", "2031-01", "--layout", "tds", code=2)
    assert [(i["status"], i["cause"]) for i in answer["items"]] == [("unknown", "MISSING_DELIVERY")]
    assert "no usable delivery of 2031-01" in answer["missing"]


def test_refusals(world):
    """What is missing is named: a rate, a format, a column."""
    file = world.stack.data / "refused.csv"
    file.write_text("Account,Service,Net amount,Currency\n000011112222,AmazonEC2,5.00,CHF\n")
    base = ("reconcile", "--payer", world.month.payer, "--period", world.month.period, "--invoice", file)
    for more, code, words in [(("--layout", "tds"), 2, "FxRate of the set `distributor` from USD to CHF"), ((), 1, "--layout"), (("--layout", "none"), 3, "no InvoiceFormat none"),
                              (("--layout", "aws"), 1, 'no column "Amount"')]:
        done = world.stack.cli_raw(*base, *more)
        assert done.returncode == code and words in done.stderr, done.stderr
