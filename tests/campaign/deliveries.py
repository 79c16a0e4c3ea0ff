"""Reports of a world: a few lines of every kind, and the next version of them. Written as AWS does, read by the program and by the oracle."""
from __future__ import annotations

import csv
import json
import random

import world as worlds
from oracle import cur, dec, when

_LEGACY = {"id": "identity/LineItemId", "invoice": "bill/InvoiceId", "entity": "bill/BillingEntity", "payer": "bill/PayerAccountId",
           "begin": "bill/BillingPeriodStartDate", "end": "bill/BillingPeriodEndDate", "account": "lineItem/UsageAccountId", "type": "lineItem/LineItemType",
           "start": "lineItem/UsageStartDate", "product": "lineItem/ProductCode", "usage_type": "lineItem/UsageType", "operation": "lineItem/Operation",
           "quantity": "lineItem/UsageAmount", "currency": "lineItem/CurrencyCode", "cost": "lineItem/UnblendedCost", "list": "pricing/publicOnDemandCost",
           "unit": "pricing/unit", "region": "product/regionCode", "sku": "product/sku", "reservation": "reservation/ReservationARN",
           "plan": "savingsPlan/SavingsPlanARN"}
_CUR2 = {"id": "identity_line_item_id", "invoice": "bill_invoice_id", "entity": "bill_billing_entity", "payer": "bill_payer_account_id",
         "begin": "bill_billing_period_start_date", "end": "bill_billing_period_end_date", "account": "line_item_usage_account_id", "type": "line_item_line_item_type",
         "start": "line_item_usage_start_date", "product": "line_item_product_code", "usage_type": "line_item_usage_type", "operation": "line_item_operation",
         "quantity": "line_item_usage_amount", "currency": "line_item_currency_code", "cost": "line_item_unblended_cost", "list": "pricing_public_on_demand_cost",
         "unit": "pricing_unit", "region": "product_region_code", "sku": "product_sku", "reservation": "reservation_reservation_a_r_n",
         "plan": "savings_plan_savings_plan_a_r_n", "net": "line_item_net_unblended_cost", "map": "discount", "total": "discount_total_discount"}
HAS_DISCOUNT_COLUMNS = "discounts" in cur.Line._fields
_KINDS = ("Usage",) * 9 + ("SavingsPlanCoveredUsage", "DiscountedUsage", "SavingsPlanNegation", "RIFee", "EdpDiscount", "SppDiscount", "Credit", "Refund", "Refund",
                           "Tax", "Fee", "BundledDiscount", "Marketplace", "Support", "Support", "Given back")


def _line(rng, world, payer, month):
    accounts = [account for account, under in world.links if under == payer] or world.accounts[:1]
    kind, cost = rng.choice(_KINDS), worlds.amount(rng, 0, 120)
    line = {"account": rng.choice(accounts), "type": kind, "product": rng.choice(world.products), "usage_type": rng.choice("xy"), "cost": cost,
            "start": "%s-%02dT%02d:00:00Z" % (month, rng.randint(1, 28), rng.randrange(24)), "quantity": worlds.amount(rng, 0, 90), "unit": rng.choice(("Hrs", "GB")),
            "list": worlds.amount(rng, 1, 150), "entity": "AWS", "currency": "USD", "operation": "Run", "region": "eu-central-1", "sku": "S"}
    if kind in ("EdpDiscount", "SppDiscount", "Credit", "Refund", "BundledDiscount", "SavingsPlanNegation", "Given back"):
        line.update(cost="-" + cost if cost != "0" else "0", list="")
    if kind in ("Tax", "Fee", "RIFee", "Support"):
        line["list"] = ""
    if kind == "Marketplace":
        line.update(type="Usage", entity="AWS Marketplace")
    elif kind == "Support":
        line.update(type=rng.choice(("Usage", "Fee")), product="AWSSupportBusiness")
    elif kind == "Given back":
        line.update(type="Refund", **rng.choice(({"product": "AWSSupportBusiness"}, {"plan": "arn:aws:savingsplans::1:savingsplan/x"}, {"reservation": "arn:aws:ec2:x"})))
    return line


def first(rng, world, payer, month):
    """Lines of a first delivery."""
    return [_line(rng, world, payer, month) for _ in range(rng.randint(6, 14))]


def following(rng, world, payer, month, lines):
    """Lines of the next one: some restated, some gone, some new."""
    lines = [dict(line) for line in lines if rng.random() > 0.1] or first(rng, world, payer, month)
    for line in rng.sample(lines, min(len(lines), 2)):
        line["cost"] = ("-" if line["cost"].startswith("-") else "") + worlds.amount(rng, 1, 120)
    return lines + [_line(rng, world, payer, month) for _ in range(rng.randint(0, 3))]


def shrunk(lines):
    """Fewer than half of them."""
    return [dict(line) for line in lines[:(len(lines) - 1) // 2]]


def unknown(world, month):
    """A line of an account that nobody owns: its money is suspended."""
    return {"account": world.unknown, "type": "Usage", "product": "AmazonEC2", "usage_type": "x", "cost": "7.77", "list": "", "quantity": "1", "unit": "Hrs",
            "start": month + "-05T00:00:00Z", "entity": "AWS", "currency": "USD", "operation": "Run", "region": "", "sku": ""}


def _discounts(rng, line, in_columns):
    """Discounts of CUR 2.0 in columns of the line that they belong to."""
    if not in_columns or rng.random() < 0.6 or line["cost"].startswith("-"):
        return {}
    parts = {rng.choice(("edp_discount", "spp_discount")): worlds.amount(rng, -9, 0), "bundled_discount": worlds.amount(rng, -3, 0)}
    total = sum(map(dec.parse, parts.values()))
    return {"map": "{%s}" % ",".join("%s:%s" % (json.dumps(key), value) for key, value in parts.items()), "total": dec.show(total),
            "net": dec.show(dec.parse(line["cost"]) + total)}


def write(path, seed, payer, month, lines, final):
    """One CSV file, of either form; `final`: every line has its invoice id. The same seed gives the same bytes."""
    rng = random.Random("file %s" % seed)
    cur2 = rng.random() < 0.5
    names = _CUR2 if cur2 else _LEGACY
    in_columns = cur2 and HAS_DISCOUNT_COLUMNS and rng.random() < 0.7
    columns = [key for key in names if in_columns or key not in ("map", "total", "net")]
    with open(path, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([names[key] for key in columns])
        for number, line in enumerate(lines, 1):
            row = {**line, **_discounts(rng, line, in_columns), "id": "l%d" % number, "payer": payer, "begin": month + "-01T00:00:00Z",
                   "end": when.next_period(month) + "-01T00:00:00Z", "invoice": "INV1" if final or number % 5 else ""}
            writer.writerow([row.get(key, "") for key in columns])
    return path
