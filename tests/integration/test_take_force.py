"""A catalog version takes force: the payers that it touches are rated again by themselves, no others (rating.md section 8)."""
import json

import months
import pytest
import stack as stacks

PERIOD, PAYERS = "2025-06", 20
HEADER = ("bill/BillingEntity,bill/PayerAccountId,bill/BillingPeriodStartDate,lineItem/UsageAccountId,lineItem/LineItemType,"
          "lineItem/UsageStartDate,lineItem/ProductCode,lineItem/UsageType,lineItem/UsageAmount,lineItem/CurrencyCode,lineItem/UnblendedCost,"
          "pricing/unit\n")


def _account(n):
    return months.payer_id(f"force account {n}")


def _payer(n):
    return months.payer_id(f"force {n}")


def _catalog(folder, percent):
    """Customer n buys by book n: `percent` of each."""
    text = "kind: Reseller\nid: northwind\nname: Northwind Cloud\n"
    for n in range(PAYERS):
        text += (f'---\nkind: Payer\nid: "{_payer(n)}"\nlane: ingram\nmodel: ingram\npayer_kind: master\nreseller: northwind\n'
                 f"---\nkind: Customer\nid: force-{n}\nname: Force {n}\nreseller: northwind\ninvoice_currency: USD\nprice_book: force-{n}\n"
                 f'accounts: [{{id: "{_account(n)}", payer: "{_payer(n)}", from: 2025-01-01}}]\n'
                 f"---\nkind: PriceBook\nid: force-{n}\ncurrency: USD\nversions: [{{effective_from: 2025-01-01, rules: "
                 f"[{{id: all, priority: 10, match: {{}}, price: {{percent: {percent(n)}, of: payer}}}}]}}]\n")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalog.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def delivered(stack, tmp_path_factory):
    folder = tmp_path_factory.mktemp("force")
    months.apply(stack, _catalog(folder / "catalog", lambda n: 0))
    for n in range(PAYERS):
        file = stack.data / f"force-{_payer(n)}.csv"
        file.write_text(HEADER + f"AWS,{_payer(n)},2025-06-01T00:00:00Z,{_account(n)},Usage,2025-06-03T00:00:00Z,AmazonEC2,Box,1,USD,100,Hrs\n")
        stack.cli("ingest", "--file", str(file), "--payer", _payer(n), "--period", PERIOD, *(["--wait"] if n == PAYERS - 1 else []))
    stacks.wait_until(lambda: all(_sell(stack, n) == "100" for n in range(PAYERS)), 60, "all of them are rated")
    return folder


def _sell(stack, n):
    try:
        return stack.cli("totals", "--payer", _payer(n), "--period", PERIOD)["groups"][0]["sell"]
    except AssertionError:
        return None  # no run yet


def _runs(stack):
    wanted = {_payer(n) for n in range(PAYERS)}
    return {r["run"]: r for r in stack.cli("run", "list", "--period", PERIOD) if r["payer"] in wanted}


def test_an_edit_that_touches_three_of_twenty_rates_three_again(stack, delivered):
    """Nobody says `run start`; the others keep their runs; what took how long is printed, not judged."""
    before = _runs(stack)
    applied = months.apply(stack, _catalog(delivered / "catalog", lambda n: 10 if n < 3 else 0))
    stacks.wait_until(lambda: [_sell(stack, n) for n in range(3)] == ["110"] * 3, 60, "three are rated again")
    after = _runs(stack)
    new = [after[run] for run in after.keys() - before.keys()]
    assert sorted(r["payer"] for r in new) == sorted(_payer(n) for n in range(3))
    assert [_sell(stack, n) for n in range(3, PAYERS)] == ["100"] * (PAYERS - 3)
    audit = stack.cli("audit", "list", "--object", f"catalog:{applied['version']}")
    print(json.dumps([{"started": r["started_at"], "completed": r["completed_at"]} for r in new]), json.dumps([(a["at"], a["action"]) for a in audit]))
