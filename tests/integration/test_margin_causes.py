"""Eight losses injected among rows that earn, from report lines to `negative`: each is told with its cause, nothing else is (rating.md section 7; O15, N12, R08).
What is injected is known by construction; the program and the oracle must both find it. No server."""
import json
import subprocess

import months
import stack as stacks
from oracle import catalog as catalogs
from oracle import cur, margin, rate, statement

TDS, ING, PERIOD = "111122223333", "444455556666", "2025-06"
CATALOG = """
kind: Reseller
id: one
---
{kind: Payer, id: "111122223333", lane: tdsynnex, model: tdsynnex, payer_kind: shared, reseller: one}
---
{kind: Payer, id: "444455556666", lane: ingram, model: ingram, payer_kind: master, reseller: one}
---
{kind: FxRate, id: ours, set: reseller, from: USD, to: EUR, period: 2025-06, rate: 0.9}
---
{kind: FxRate, id: theirs, set: distributor, from: USD, to: EUR, period: 2025-06, rate: 0.93}
---
kind: PriceBook
id: book
currency: USD
versions:
  - effective_from: 2024-01-01
    rules:
      - {id: old, priority: 1, match: {service: OldPrice}, price: {rate: 0.5}}
      - {id: dumping, priority: 2, match: {service: Dumping}, price: {percent: -20, of: payer}}
      - {id: shared, priority: 3, match: {service: Withheld}, price: {percent: -10, of: payer}}
      - {id: thin, priority: 4, match: {service: Thin}, price: {percent: 2, of: payer}}
      - {id: rest, priority: 9, match: {}, price: {percent: 12, of: payer}}
---
kind: Customer
id: acme
reseller: one
price_book: book
invoice_currency: EUR
accounts:
  - {id: "000000000001", payer: "111122223333", from: 2025-01-01}
  - {id: "000000000002", payer: "111122223333", from: 2025-01-01}
  - {id: "000000000003", payer: "444455556666", from: 2025-01-01}
  - {id: "000000000004", payer: "444455556666", from: 2025-01-01}
---
{kind: Credit, id: welcome, name: Welcome, customer: acme, lane: tdsynnex, amount: 50, currency: USD, from: 2025-06}
"""

# (payer, line, account, product, cause)
INJECTED = (
    (ING, [{"type": "Usage", "product": "AWSSupportBusiness", "cost": "29"}], "000000000003", "AWSSupportBusiness", "SUPPORT_GROUP_MISSING"),
    (ING, [{"type": "RIFee", "product": "Reserved", "cost": "40", "reservation": "arn:ri"}], "000000000003", "Reserved", "COMMITMENT_SHIFT"),
    (TDS, [{"type": "SavingsPlanRecurringFee", "product": "ComputeSavingsPlans", "cost": "70"}], "000000000001", "ComputeSavingsPlans", "COMMITMENT_SHIFT"),
    (TDS, [], "", "Welcome", "CREDIT"),
    (TDS, [{"type": "Usage", "product": "Withheld", "cost": "100"}, {"type": "EdpDiscount", "product": "Withheld", "cost": "-15"}], "000000000001", "Withheld",
     "DISCOUNT_WITHHELD_ELSEWHERE"),
    (TDS, [{"type": "Usage", "product": "OldPrice", "cost": "10", "quantity": "12"}], "000000000002", "OldPrice", "PRICE_BELOW_BUY"),
    (ING, [{"type": "Usage", "product": "Dumping", "cost": "10"}], "000000000004", "Dumping", "PRICE_BELOW_BUY"),
    (ING, [{"type": "Usage", "product": "Thin", "cost": "1000"}], "000000000004", "Thin", "FX"),
)
ACCOUNTS = {TDS: ("000000000001", "000000000002"), ING: ("000000000003", "000000000004")}


def _lines(payer):
    """Injected ones, and 60 account and product pairs that earn 12 %; some with kinds of lines that others lose by."""
    lines = [{**line, "account": account} for at, some, account, _, _ in INJECTED if at == payer for line in some]
    for number in range(30):
        for account in ACCOUNTS[payer]:
            product = "Healthy%d" % number
            lines.append({"account": account, "type": "Usage", "product": product, "cost": "%d.%02d" % (100 + number, number)})
            if number % 4 == 0:
                lines.append({"account": account, "type": "EdpDiscount", "product": product, "cost": "-1.5"})
            if number % 5 == 0:
                lines.append({"account": account, "type": "SavingsPlanCoveredUsage", "product": product, "cost": "4", "list": "6"})
            if number % 6 == 0:
                lines.append({"account": account, "type": "Credit", "product": product, "cost": "-3"})
            if number % 7 == 0:
                lines.append({"account": account, "type": "Tax", "product": product, "cost": "9"})
            if number % 8 == 0:
                lines.append({"account": account, "type": "Refund", "product": product, "cost": "-2"})
    return lines


def test_eight_causes_and_no_false_one(tmp_path):
    folder = tmp_path / "catalog"
    folder.mkdir()
    (folder / "catalog.yaml").write_text(CATALOG)
    catalog, told, known = catalogs.from_folder(folder), [], []
    for payer, lane in ((TDS, "tdsynnex"), (ING, "ingram")):
        file = months.write_report(tmp_path / (payer + ".csv"), payer, PERIOD, _lines(payer))
        rated = json.loads(subprocess.run([stacks.programs() / "rate-file", "--catalog", folder, "--payer", payer, "--period", PERIOD, file],
                                          capture_output=True, text=True, check=True).stdout)
        assert rated["suspended_lines"] == 0
        charges = [{**{name: group[name] for name in ("customer", "account", "product", "usage_type", "unit", "currency", "class", "rule", "quantity")},
                    "payer": payer, **{layer + "_amount": group[layer] for layer in ("payer", "list", "buy", "sell")}} for group in rated["groups"]]
        done = subprocess.run([stacks.programs() / "statement-probe", folder, lane, PERIOD], input=json.dumps({"charges": charges, "used": {}}),
                              capture_output=True, text=True, check=True)
        rows = 0
        for one in json.loads(done.stdout)["margins"]:
            told += [(loss["account"], loss["product"], loss["cause"]) for loss in one["negative"]]
            rows += len({(row["account"], row["product"]) for row in one["rows"]})
        assert rows > 60
        ours = rate.rate_lines(catalog, payer, PERIOD, cur.read_files([file], payer, PERIOD))
        for sections in statement.grouped(catalog, [ours], PERIOD)[0].values():
            known += [(account, product, cause) for _, account, product, _, cause in
                      margin.margin(catalog, [(section, section.rows) for section in sections], PERIOD)[1]]
    injected = sorted((account, product, cause) for _, _, account, product, cause in INJECTED)
    assert sorted(told) == injected
    assert sorted(known) == injected
