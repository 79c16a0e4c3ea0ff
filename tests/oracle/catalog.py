"""The catalog (rating.md section 8): a folder of YAML documents, read as text only.

BaseLoader keeps every scalar a string, so no number passes through a float and no date is guessed.
Checks are those a wrong answer could hide behind; the full checker is the program's own.
"""
import pathlib
import re
from dataclasses import dataclass, field, replace

import yaml

from . import dec, plans, when
from .plans import Band

CLASSES = ("tax", "provider_discount", "bundled_discount", "credit", "support", "commitment_fee", "refund", "marketplace",
           "covered_usage", "commitment_offset", "usage", "fee")

# rating.md section 2, the rows that look at the line item type alone.
BUILT_IN_TYPES = {
    "Tax": "tax",
    "EdpDiscount": "provider_discount", "PrivateRateDiscount": "provider_discount",
    "RiVolumeDiscount": "provider_discount", "SppDiscount": "provider_discount",
    "DistributorDiscount": "provider_discount", "Discount": "provider_discount",
    "BundledDiscount": "bundled_discount",
    "Credit": "credit",
    "Refund": "refund",
    "DiscountedUsage": "covered_usage", "SavingsPlanCoveredUsage": "covered_usage",
    "SavingsPlanNegation": "commitment_offset",
    "RIFee": "commitment_fee", "SavingsPlanRecurringFee": "commitment_fee", "SavingsPlanUpfrontFee": "commitment_fee",
    "Usage": "usage",
    "Fee": "fee", "FlatRateSubscription": "fee",
}


class CatalogError(ValueError):
    """The catalog contradicts itself or a rule."""


@dataclass(frozen=True)
class Model:
    """What differs between payer models and matters for prices (architecture.md section 7)."""
    name: str
    suppresses_support: bool         # N02-N04: AWS's own support lines are replaced
    discount_is_bought: bool         # provider discounts reach the reseller's buy price
    allows_pass_through: bool        # O06
    discount_arrears: int            # N12: months until the distributor credits provider discounts; 0: it does not


MODELS = {
    "tdsynnex": Model("tdsynnex", True, False, False, 1),
    "ingram": Model("ingram", False, True, True, 0),
}


@dataclass(frozen=True)
class Payer:
    id: str
    lane: str
    model: Model
    reseller: str
    source: dict
    reports: tuple
    buy_book: str


@dataclass(frozen=True)
class Link:
    """Customer of an account under a payer, during [start, end)."""
    payer: str
    account: str
    customer: str
    start: int
    end: int | None
    group: str


@dataclass(frozen=True)
class Customer:
    id: str
    name: str
    reseller: str
    currency: str
    price_book: str
    commitment_policy: str
    credit_mode: str
    credit_percent: int
    refund_keeps: bool
    tax: tuple                       # of (name, percent)
    support_plan_group: str          # of accounts that name none
    terms: tuple = ()                # of (first month, {field: value}), ascending

    def at(self, month):
        """The customer with the terms of a month: each entry replaces the keys that it names (rating.md section 8)."""
        changes = {}
        for start, fields in self.terms:
            if start <= month:
                changes.update(fields)
        return replace(self, **changes) if changes else self


@dataclass(frozen=True)
class Rule:
    id: str
    priority: int
    match: dict
    price: tuple                     # ("percent", p, layer) | ("rate", r) | ("pass",) | ("free",) | ("tiers", tiers, mode, over)


@dataclass(frozen=True)
class Version:
    start: int
    rules: tuple


@dataclass(frozen=True)
class PriceBook:
    id: str
    currency: str
    versions: tuple                  # ascending by start

    def version_at(self, instant):
        """The version in force at an instant, or None."""
        found = None
        for version in self.versions:
            if version.start <= instant:
                found = version
        return found


_TOTAL_USAGE = ("usage", "covered_usage", "bundled_discount")


@dataclass(frozen=True)
class GroupTerms:
    """What a group asks in a month."""
    percent: int | None = None
    minimum: int | None = None
    layer: str = "sell"
    classes: tuple = _TOTAL_USAGE
    buy_percent: int | None = None


@dataclass(frozen=True)
class SupportGroup:
    id: str
    type: str                        # "" where it names a plan
    plan: str                        # id of a plan; "" for business, passthrough, basic
    over: str                        # account | group
    versions: tuple                  # of (first month, GroupTerms), ascending; the first is of all months

    def at(self, month):
        """The terms of a month."""
        return [terms for start, terms in self.versions if start <= month][-1]


@dataclass(frozen=True)
class CustomCharge:
    """What a customer owes besides its usage, in months from <= month < to (None: without end)."""
    id: str
    name: str
    customer: str
    lane: str
    start: str
    to: str | None
    amount: int | None               # fixed, in `currency`
    currency: str
    percent: int | None              # or of a base
    layer: str
    classes: tuple


@dataclass(frozen=True)
class Credit:
    """A balance that the reseller grants, for months from <= month < expires."""
    id: str
    name: str
    customer: str
    lane: str
    amount: int
    currency: str
    start: str
    expires: str | None


@dataclass
class Catalog:
    payers: dict = field(default_factory=dict)
    resellers: dict = field(default_factory=dict)
    customers: dict = field(default_factory=dict)
    links: dict = field(default_factory=dict)           # (payer, account) -> list of Link
    books: dict = field(default_factory=dict)
    groups: dict = field(default_factory=dict)
    plans: dict = field(default_factory=lambda: dict(plans.BUILT_IN))
    rates: dict = field(default_factory=dict)           # (set, from, to, period) -> rate
    types: dict = field(default_factory=dict)           # line item type -> class
    support_products: set = field(default_factory=set)  # product codes in lower case
    custom_charges: dict = field(default_factory=dict)
    credits: dict = field(default_factory=dict)
    distributors: dict = field(default_factory=dict)

    def group_of(self, link, month):
        """Id of the support plan group of a link: its own, or the one of the customer's terms."""
        return link.group or self.customers[link.customer].at(month).support_plan_group

    def payer(self, payer_id):
        if payer_id not in self.payers:
            raise CatalogError("payer %s is not in the catalog" % payer_id)
        return self.payers[payer_id]


def _text(document, key, default=None):
    value = document.get(key, default)
    if value is None:
        raise CatalogError("%s %s: %s is missing" % (document.get("kind"), document.get("id"), key))
    if not isinstance(value, str):
        raise CatalogError("%s %s: %s must be a single value" % (document.get("kind"), document.get("id"), key))
    return value


def _list(value):
    return [value] if isinstance(value, str) else list(value)


def _glob(pattern):
    """S15: only `*` and `?` have a meaning."""
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern), re.DOTALL)


_MATCH_KEYS = ("service", "usage_type", "operation", "region", "sku", "class", "line_item_type", "account", "payer",
               "unit", "marketplace")


def _match(raw, where):
    match = {}
    for key, value in (raw or {}).items():
        if key not in _MATCH_KEYS:
            raise CatalogError("%s: unknown match key %s" % (where, key))
        if key == "marketplace":
            if value not in ("true", "false"):
                raise CatalogError("%s: marketplace is true or false" % where)
            match[key] = value == "true"
        elif key in ("usage_type", "operation"):
            match[key] = tuple(_glob(pattern) for pattern in _list(value))
        else:
            match[key] = frozenset(_list(value))
    return match


def _tiers(raw, where):
    tiers = tuple(Band(dec.parse(tier["up_to"]) if tier.get("up_to") else None, dec.parse(tier["rate"])) for tier in raw["tiers"])
    borders = [tier.up_to for tier in tiers[:-1]]
    if not tiers or tiers[-1].up_to is not None or None in borders or borders != sorted(set(borders)):
        raise CatalogError("%s: tiers need ascending borders, the last has none" % where)
    if raw.get("mode") not in ("graduated", "volume") or raw.get("over", "account") not in ("account", "customer"):
        raise CatalogError("%s: tiers are graduated or volume, over account or customer" % where)
    return ("tiers", tiers, raw["mode"], raw.get("over", "account"))


def _price(raw, where):
    if "tiers" in raw:
        return _tiers(raw, where)
    if "percent" in raw:
        layer = raw.get("of", "")
        if layer not in ("list", "payer", "buy"):
            raise CatalogError("%s: percent needs `of: list`, `payer` or `buy`" % where)
        return ("percent", dec.parse(raw["percent"]), layer)
    if "rate" in raw:
        return ("rate", dec.parse(raw["rate"]))
    if raw.get("pass") == "payer":
        return ("pass",)
    if raw.get("free") == "true":
        return ("free",)
    raise CatalogError("%s: unknown price %r" % (where, raw))


def _check_tiers(book, versions):
    """Tiers count a month by rule id: versions that hold in one month agree about such a rule."""
    for position, later in enumerate(versions):
        first = when.period_bounds(when.day_of(later.start)[:7])[0]
        for index in range(position - 1, -1, -1):
            if versions[index + 1].start <= first:
                break
            prices = {rule.id: rule.price for rule in versions[index].rules}
            for rule in later.rules:
                pair = (rule.price, prices.get(rule.id, rule.price))
                if pair[0] != pair[1] and "tiers" in (pair[0][0], pair[1][0]):
                    raise CatalogError("PriceBook %s rule %s: tiers count a whole month" % (book, rule.id))


def _book(document):
    versions = []
    for raw in document["versions"]:
        rules = []
        for rule in raw["rules"]:
            where = "PriceBook %s rule %s" % (document["id"], rule.get("id"))
            rules.append(Rule(rule["id"], int(rule["priority"]), _match(rule.get("match"), where),
                              _price(rule["price"], where)))
        rules.sort(key=lambda rule: rule.priority)
        if len({rule.priority for rule in rules}) != len(rules):
            raise CatalogError("PriceBook %s: a priority is used twice in one version" % document["id"])
        if not any(not rule.match for rule in rules):
            raise CatalogError("PriceBook %s: a version has no catch-all rule" % document["id"])
        versions.append(Version(when.parse_time(raw["effective_from"]), tuple(rules)))
    versions.sort(key=lambda version: version.start)
    _check_tiers(document["id"], versions)
    return PriceBook(document["id"], _text(document, "currency"), tuple(versions))


def _credit_policy(raw, where):
    """credit_policy: `keep`, `pass`, or {mode: split, percent: p}."""
    if isinstance(raw, str):
        raw = {"mode": raw}
    mode = raw.get("mode", "keep")
    if mode not in ("keep", "pass", "split"):
        raise CatalogError("%s: unknown credit policy %r" % (where, mode))
    return {"credit_mode": mode, "credit_percent": dec.parse(raw["percent"]) if mode == "split" else 0}


_TERMS = ("invoice_currency", "price_book", "commitment_policy", "credit_policy", "refund_policy", "tax", "support_plan_group")
_NO_FIGURE = ("spend_limit",)


def _terms(raw, where):
    """The fields of a Customer that the given keys set."""
    fields = {field: raw[key] for key, field in (("invoice_currency", "currency"), ("price_book", "price_book"), ("support_plan_group", "support_plan_group"))
              if key in raw}
    if "commitment_policy" in raw:
        fields["commitment_policy"] = raw["commitment_policy"]
        if raw["commitment_policy"] not in ("on_demand", "pass_through"):
            raise CatalogError("%s: unknown commitment policy %r" % (where, raw["commitment_policy"]))
    if "credit_policy" in raw:
        fields.update(_credit_policy(raw["credit_policy"], where))
    if "refund_policy" in raw:
        refund = raw["refund_policy"]
        fields["refund_keeps"] = (refund.get("mode") if isinstance(refund, dict) else refund) == "keep"
    if "tax" in raw:
        fields["tax"] = tuple((tax["name"], dec.parse(tax["percent"])) for tax in raw["tax"] or [])
    return fields


def _dated_terms(document, where):
    terms = []
    for raw in document.get("terms") or []:
        if not set(raw) <= {"from", *_TERMS, *_NO_FIGURE}:
            raise CatalogError("%s: terms can set %s" % (where, ", ".join(_TERMS + _NO_FIGURE)))
        when.period_bounds(raw.get("from", ""))
        if terms and raw["from"] <= terms[-1][0]:
            raise CatalogError("%s: terms in ascending order" % where)
        terms.append((raw["from"], _terms(raw, where)))
    return tuple(terms)


def _customer(document, catalog):
    where = "Customer %s" % document["id"]
    first = {"currency": "USD", "price_book": "", "commitment_policy": "on_demand", "credit_mode": "keep", "credit_percent": 0, "refund_keeps": False,
             "tax": (), "support_plan_group": "", **_terms(document, where)}
    customer = Customer(document["id"], _text(document, "name", ""), _text(document, "reseller"), **first, terms=_dated_terms(document, where))
    catalog.customers[customer.id] = customer
    for raw in document.get("accounts") or []:
        end = raw.get("to", "")
        link = Link(raw["payer"], raw["id"], customer.id, when.parse_time(raw["from"]),
                    when.parse_time(end) if end not in ("", "null", "~") else None,
                    raw.get("support_plan_group", ""))
        catalog.links.setdefault((link.payer, link.account), []).append(link)


_GROUP_KEYS = ("percent", "minimum", "base", "buy_percent")


def _group_terms(before, raw, where):
    """`before` with the keys that `raw` names."""
    if "base" in raw:
        base = raw["base"] or {}
        if base.get("layer", "sell") not in ("payer", "list", "buy", "sell"):
            raise CatalogError("%s: unknown layer %r" % (where, base["layer"]))
        before = replace(before, layer=base.get("layer", "sell"), classes=tuple(_list(base.get("classes", _TOTAL_USAGE))))
    return replace(before, **{key: dec.parse(raw[key]) for key in _GROUP_KEYS if key != "base" and key in raw})


def _group(document):
    where = "SupportPlanGroup %s" % document["id"]
    if ("type" in document) == ("plan" in document):
        raise CatalogError("%s: either a type or a plan" % where)
    kind = document.get("type", "")
    if kind not in ("", "business", "passthrough", "basic", *plans.TYPES):
        raise CatalogError("%s: unknown type %r" % (where, kind))
    over = document.get("over", "account")
    if over not in ("account", "group"):
        raise CatalogError("%s: over is account or group" % where)
    versions = [("", _group_terms(GroupTerms(), document, where))]
    for raw in document.get("versions") or []:
        if not set(raw) <= {"from", *_GROUP_KEYS}:
            raise CatalogError("%s: a version can set %s" % (where, ", ".join(_GROUP_KEYS)))
        when.period_bounds(raw["from"])
        if raw["from"] <= versions[-1][0]:
            raise CatalogError("%s: versions in ascending order" % where)
        versions.append((raw["from"], _group_terms(versions[-1][1], raw, where)))
    return SupportGroup(document["id"], kind, document.get("plan") or (kind if kind in plans.TYPES else ""), over, tuple(versions))


def _support_plan(document):
    where = "SupportPlan %s" % document["id"]
    try:
        bands = plans.graduated(document["bands"], where) if document.get("bands") else None
    except ValueError as error:
        raise CatalogError(str(error)) from error
    months = [document.get(key, "")[:7] for key in ("from", "to")]
    for month in filter(None, months):
        when.period_bounds(month)
    return plans.Plan(document["id"], *months, _text(document, "currency", "USD"), dec.parse(document.get("minimum", "0")), bands)


def _following(month):
    return when.day_of(when.period_bounds(month)[1])[:7]


def _custom_charge(document):
    once = document.get("period")
    if bool(once) == ("from" in document):
        raise CatalogError("CustomCharge %s: either period or from" % document["id"])
    if ("amount" in document) == ("percent" in document) or ("amount" in document) != ("currency" in document):
        raise CatalogError("CustomCharge %s: either amount and currency, or percent" % document["id"])
    base = document.get("base") or {}
    return CustomCharge(
        document["id"], _text(document, "name", document["id"]), _text(document, "customer"), _text(document, "lane", ""),
        once or document["from"], _following(once) if once else document.get("to"),
        dec.parse(document["amount"]) if "amount" in document else None, document.get("currency", ""),
        dec.parse(document["percent"]) if "percent" in document else None,
        base.get("layer", "sell"), tuple(_list(base.get("classes", _TOTAL_USAGE))))


def _credit(document):
    return Credit(document["id"], _text(document, "name", document["id"]), _text(document, "customer"), _text(document, "lane", ""),
                  dec.parse(document["amount"]), _text(document, "currency"), _text(document, "from"), document.get("expires"))


def _lane_of(catalog, customer):
    lanes = {catalog.payer(link.payer).lane for links in catalog.links.values() for link in links if link.customer == customer}
    if len(lanes) != 1:
        raise CatalogError("Customer %s: a custom charge or credit needs a lane" % customer)
    return lanes.pop()


def _report_names(reports):
    """A list, or a mapping with `names`; the months that reports come for matter to gates only."""
    return tuple(_list(reports.get("names") or [] if isinstance(reports, dict) else reports))


def _add(catalog, document):
    kind = document.get("kind")
    if kind == "Payer":
        if not re.fullmatch(r"\d{12}", document["id"], re.ASCII):
            raise CatalogError("Payer %s: an account id has 12 digits (N16)" % document["id"])
        if document["model"] not in MODELS:
            raise CatalogError("Payer %s: unknown model %s" % (document["id"], document["model"]))
        catalog.payers[document["id"]] = Payer(
            document["id"], _text(document, "lane"), MODELS[document["model"]], _text(document, "reseller", ""),
            document.get("source") or {}, _report_names(document.get("reports") or []),
            _text(document, "buy_book", ""))
    elif kind == "Reseller":
        catalog.resellers[document["id"]] = document
    elif kind == "Customer":
        _customer(document, catalog)
    elif kind == "PriceBook":
        catalog.books[document["id"]] = _book(document)
    elif kind == "SupportPlanGroup":
        catalog.groups[document["id"]] = _group(document)
    elif kind == "SupportPlan":
        catalog.plans[document["id"]] = _support_plan(document)          # of a built-in one's id: instead of it
    elif kind == "FxRate":
        key = (document.get("set", "reseller"), document["from"], document["to"], document["period"])
        if key in catalog.rates:
            raise CatalogError("FxRate %s: a second rate for %s" % (document.get("id"), " ".join(key)))
        catalog.rates[key] = dec.parse(document["rate"])
    elif kind == "LineItemType":
        name = document.get("name") or document["id"]
        if name in BUILT_IN_TYPES:
            raise CatalogError("LineItemType %s: a built-in type can't be redefined" % name)
        if document["class"] not in CLASSES:
            raise CatalogError("LineItemType %s: unknown class %s" % (name, document["class"]))
        catalog.types[name] = document["class"]
    elif kind == "SupportProduct":
        catalog.support_products.add((document.get("name") or _text(document, "id")).lower())
    elif kind == "CustomCharge":
        catalog.custom_charges[document["id"]] = _custom_charge(document)
    elif kind == "Credit":
        catalog.credits[document["id"]] = _credit(document)
    elif kind == "Distributor":
        if any(other["lane"] == _text(document, "lane") for other in catalog.distributors.values()):
            raise CatalogError("Distributor %s: a lane is one distributor" % document["id"])
        catalog.distributors[document["id"]] = document  # no figure depends on it
    elif kind == "InvoiceFormat":
        pass                                             # how an invoice is written: no figure depends on it
    else:
        raise CatalogError("unknown kind %r" % kind)


def passes_through(customer, link):
    """Whether a month's terms pass commitments through while a link holds (O06)."""
    months = ["0001-01"] + [start for start, _ in customer.terms]
    for month, following in zip(months, [*months[1:], ""]):
        begun = not following or link.start < when.period_bounds(following)[0]
        if begun and (link.end is None or link.end > when.period_bounds(month)[0]) and customer.at(month).commitment_policy == "pass_through":
            return True
    return False


def _check(catalog):
    for customer in catalog.customers.values():
        if not customer.price_book and not any("price_book" in fields for _, fields in customer.terms[:1]):
            raise CatalogError("Customer %s: price_book is missing (O02)" % customer.id)
        for terms in [customer, *(customer.at(start) for start, _ in customer.terms)]:
            if terms.price_book and terms.price_book not in catalog.books:
                raise CatalogError("Customer %s: no price book %s (O02)" % (customer.id, terms.price_book))
            if terms.support_plan_group and terms.support_plan_group not in catalog.groups:
                raise CatalogError("Customer %s: no support plan group %s" % (customer.id, terms.support_plan_group))
    for payer in catalog.payers.values():
        if payer.buy_book and payer.buy_book not in catalog.books:
            raise CatalogError("Payer %s: no price book %s" % (payer.id, payer.buy_book))
        for version in catalog.books[payer.buy_book].versions if payer.buy_book else ():
            for rule in version.rules:
                if rule.price[0] == "tiers":
                    raise CatalogError("PriceBook %s: a buy book can't have tiers" % payer.buy_book)
                if rule.price[0] == "percent" and rule.price[2] == "buy":
                    raise CatalogError("PriceBook %s: a buy book can't read the layer buy" % payer.buy_book)
    for group in catalog.groups.values():
        if group.plan and (group.plan not in catalog.plans or catalog.plans[group.plan].bands is None):
            raise CatalogError("SupportPlanGroup %s: no plan %s with bands" % (group.id, group.plan))
    for kept in (catalog.custom_charges, catalog.credits):
        for one in kept.values():
            if one.customer not in catalog.customers:
                raise CatalogError("%s: no customer %s" % (one.id, one.customer))
            if not one.lane:
                kept[one.id] = replace(one, lane=_lane_of(catalog, one.customer))
    for (payer_id, account), links in catalog.links.items():
        links.sort(key=lambda link: link.start)
        for first, second in zip(links, links[1:]):
            if first.end is None or first.end > second.start:
                raise CatalogError("account %s under payer %s: two links at one time" % (account, payer_id))
        for link in links:
            payer = catalog.payer(payer_id)
            if link.group and link.group not in catalog.groups:
                raise CatalogError("account %s: no support plan group %s" % (account, link.group))
            if passes_through(catalog.customers[link.customer], link) and not payer.model.allows_pass_through:
                raise CatalogError("Customer %s: pass_through is not available for model %s (O06)"
                                   % (link.customer, payer.model.name))


def from_text(*texts):
    """A catalog from YAML texts."""
    catalog = Catalog()
    for text in texts:
        for document in yaml.load_all(text, Loader=yaml.BaseLoader):
            if document:
                _add(catalog, document)
    _check(catalog)
    return catalog


def from_folder(folder):
    """A catalog from every *.yaml and *.yml below a folder."""
    paths = sorted(path for path in pathlib.Path(folder).rglob("*") if path.suffix in (".yaml", ".yml"))
    if not paths:
        raise CatalogError("no catalog documents below %s" % folder)
    return from_text(*(path.read_text(encoding="utf-8") for path in paths))
