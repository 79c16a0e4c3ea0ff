"""Random changes to a report that the generator wrote, so that the rare rows of rating.md sections 2 and 2a are many: discounts in columns,
support products and their refunds, refunds of commitments, aliases of columns. The same seed gives the same file."""
import csv
import gzip
import json
import random

from . import dec

SUPPORT_PRODUCTS = ("AmazonRDS", "awslambda")            # named in a SupportProduct by random_catalog
_KEYS = ("edp_discount", "private_rate_discount", "RiVolumeDiscount", "spp_discount", "DISTRIBUTOR_DISCOUNT", "bundled_discount", "partner_gift", "edpDiscount")
_PRODUCTS = ("AWSEnterpriseOnRamp", "awsenterpriseonrampX", "OCBPremiumSupport", "AWSSupportBusiness", "awsdevelopersupport", "XAWSSupport", *SUPPORT_PRODUCTS)
_ARN = {"reservation": "arn:aws:ec2:eu-central-1:000000000001:reserved-instances/x", "plan": "arn:aws:savingsplans::000000000001:savingsplan/x"}
_LEGACY = {"type": "lineItem/LineItemType", "product": "lineItem/ProductCode", "entity": "bill/BillingEntity", "cost": "lineItem/UnblendedCost",
           "net": "lineItem/NetUnblendedCost", "reservation": "reservation/ReservationARN", "plan": "savingsPlan/SavingsPlanARN"}
_CUR2 = {"type": "line_item_line_item_type", "product": "line_item_product_code", "entity": "bill_billing_entity", "cost": "line_item_unblended_cost",
         "net": "line_item_net_unblended_cost", "reservation": "reservation_reservation_a_r_n", "plan": "savings_plan_savings_plan_a_r_n",
         "map": "discount", "total": "discount_total_discount", "region": "product_region_code"}


def _amount(pick):
    places = pick.choice((1, 2, 10, 18))
    return dec.show(pick.randint(-90 * 10 ** places, 9 * 10 ** places) * 10 ** (18 - places))


def _columns(pick, row, names):
    """Discounts of one row: explained, explained with the other sign, unexplained, only a map, only a total, or none."""
    kind, keys = pick.randrange(7), pick.sample(_KEYS, pick.randint(1, 3))
    amounts = [_amount(pick) for _ in keys]
    total = sum(map(dec.parse, amounts))
    cell = "{%s}" % ", ".join("%s: %s" % (json.dumps(key), amount) for key, amount in zip(keys, amounts))
    net = dec.parse_cell(row[names["cost"]]) + total
    row.update({names["map"]: cell, names["total"]: dec.show(total), names["net"]: dec.show(net)})
    if kind == 1:
        row[names["net"]] = dec.show(net - 2 * total)
    elif kind == 2:
        row[names["net"]] = dec.show(net + 1)
    elif kind == 3:
        row.update({names["net"]: "", names["total"]: "99"})
    elif kind == 4:
        row.update({names["net"]: "", names["map"]: pick.choice(("", "{}"))})
    elif kind == 5:
        row.update({names["net"]: "", names["map"]: "{}", names["total"]: ""})
    elif kind == 6:
        row.update({names["map"]: pick.choice(("", "{}"))})


def _change(pick, row, names, in_columns):
    change = pick.randrange(6)
    if change == 0:
        row[names["product"]] = pick.choice(_PRODUCTS)
    elif change == 1:
        row.update({names["product"]: pick.choice(_PRODUCTS), names["type"]: pick.choice(("Refund", "Fee", "RIFee", "Credit", "Discount", "NewUse"))})
    elif change == 2:
        row[names["type"]] = pick.choice(("Refund", "Fee", "FlatRateSubscription", "SavingsPlanUpfrontFee"))
        for arn in pick.choice((("reservation",), ("plan",), ("reservation", "plan"), ())):
            row[names[arn]] = _ARN[arn]
        row[names["entity"]] = pick.choice(("AWS", "AWS", "AWS Marketplace"))
    elif in_columns:
        _columns(pick, row, names)
    elif pick.randrange(3):
        row[names["net"]] = dec.show(dec.parse_cell(row[names["cost"]]) + dec.parse(_amount(pick)) * pick.randrange(2))


def rewrite(path, source, seed, percent=30):
    """Write `source` (csv.gz of either form) to `path` (csv), `percent` of its rows changed; returns `path`."""
    pick = random.Random(seed)
    with gzip.open(source, "rt", encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        header, rows = list(reader.fieldnames), list(reader)
    names = _LEGACY if _LEGACY["type"] in header else _CUR2
    header += [name for name in names.values() if name not in header]
    in_columns = names is _CUR2 and pick.randrange(4) > 0
    for row in rows:
        for name in header:
            row.setdefault(name, "")
        if pick.randrange(100) < percent:
            _change(pick, row, names, in_columns)
    written = {name: name for name in header}
    if names is _CUR2:
        written["product_region_code"] = pick.choice(("product_region_code", "product_region"))
        for name in ("discount", "discount_total_discount") if not in_columns else pick.choice(((), ("discount",), ("discount_total_discount",))):
            written.pop(name)
    with open(path, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(written.values())
        writer.writerows([row[name] for name in written] for row in rows)
    return path
