"""What stands on the pages of PDF statements (I04, I06, I09, I11, I12, I14, R04, P13): read back with poppler, without a stack.

Figures: those of the fixture's document, which is written by hand, and sums that are made here."""
import copy
import decimal
import json
import os
import pathlib
import re
import subprocess
import unicodedata

import pytest
import stack as stacks

FIXTURE = pathlib.Path(__file__).resolve().parents[1] / "unit" / "common" / "billing" / "print" / "fixtures" / "issued.json"


def _print(record, view, form, *columns, check=True, **environment):
    done = subprocess.run([stacks.programs() / "print-record", view, form, *columns], input=json.dumps(record).encode(), capture_output=True,
                          timeout=120, check=False, env={**os.environ, **environment})
    if check:
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout
    return done


def _tool(name, *options, pdf):
    return subprocess.run([name, *options, "-", *(["-"] if name == "pdftotext" else [])], input=pdf, capture_output=True, timeout=120, check=True).stdout.decode()


def _text(record, view="customer"):
    return _tool("pdftotext", "-layout", pdf=_print(record, view, "pdf"))


@pytest.fixture
def record():
    return json.loads(FIXTURE.read_text())


def _with_lines(record, count, digits=2, customers=("acme",)):
    """The record with other lines and taxes: amounts k / 10^digits, and their sums."""
    document = record["document"]
    unit = decimal.Decimal(1).scaleb(-digits)
    lines = [{"customer": customers[k % len(customers)], "account": f"{k % 7:012d}", "product": f"Product{k % 3}", "usage_type": f"usage-{k:05d}", "unit": "Hrs",
              "class": "usage", "quantity": str(k), "amount_exact": str((k * 7 + 1) * unit), "amount": str((k * 7 + 1) * unit)} for k in range(count)]
    lines.sort(key=lambda line: (line["customer"], line["account"], line["product"], line["usage_type"]))
    total = sum(decimal.Decimal(line["amount"]) for line in lines)
    document.update(lines=lines, subtotal=str(total), tax=[], total=str(total))
    return total


def _amount(text):
    return decimal.Decimal(text.replace(",", ""))


def test_a_statement_a_customer_accepts(record):
    """I12: parties; I06: what it is; I04: id and address; R06: the rate with who and when; every figure with the currency's decimals."""
    text = _text(record)
    for words in ("Northwind Cloud", "Harbour Road 5", "Dublin 1", "Tax no. IE1234567A", "billing@northwind.example", "Your partner for AWS.",
                  'Ácme, "GmbH"', "Hauptstr. 1", "10115 Berlin", "Tax no. DE123456789", "Jürgen Roe, CFO",
                  "Billing statement", "Non-payable billing statement", "no payment is due", "northwind/tds/2025/000007", "2025-06-01 to 2025-06-30", "2025-07-20",
                  "1 USD = 0.9217 EUR", "ines, 2025-07-01", "00112233445566778899aabbccddeeff", "Amount (EUR)", "Page 1 of 2", "Page 2 of 2",
                  "Account 000011112222", "Production", "cost;centre: a=b\\c", "EUC1-BoxUsage:c5.large", "1,234,567.5"):
        assert words in text, (words, text)
    sums = dict(re.findall(r"^(Usage and fees|Support|Custom charges|Credits|Subtotal|VAT 19 %|Total in EUR) +(-?[\d.,]+)$", text, re.M))
    assert sums == {"Usage and fees": "12.01", "Support": "1.20", "Custom charges": "5.00", "Credits": "-3.00", "Subtotal": "15.21", "VAT 19 %": "2.89",
                    "Total in EUR": "18.10"}
    assert "https://portal.example/statements/" in text
    assert b"https://portal.example/statements/00112233445566778899aabbccddeeff?from=mail" in _print(record, "customer", "pdf")    # a link to follow


SECRETS = ("buy", "payer", "margin", "discount", "111122223333", "secret-book", "7.77", "2.16279", "0.93", "9.93", "10.27", "1.66", "maria", "omar", "Distributor")


def test_customers_read_no_buy_price(record):
    """P13: neither words nor figures, in any output; the reseller's view has them, so the search can find them."""
    for form in ("pdf", "csv", "json"):
        shown = {}
        for view in ("customer", "reseller"):
            data = _print(record, view, form)
            shown[view] = _tool("pdftotext", "-layout", pdf=data) + _tool("pdfinfo", pdf=data) if form == "pdf" else data.decode()
            shown[view] = re.sub(r'"logo": "[^"]*"', "", shown[view]).lower()
        assert [word for word in SECRETS if word.lower() in shown["customer"]] == []
        assert "buy" in shown["reseller"] and "7.77" in shown["reseller"]


def test_drafts_are_not_for_customers(record):
    """I11; the reseller's own view of one says DRAFT, on every page."""
    record["document"].update(state="draft", number=None)
    del record["issued"]
    for form in ("json", "csv", "pdf"):
        done = _print(record, "customer", form, check=False)
        assert done.returncode == 2 and b"NOT_ISSUED" in done.stderr and b"statement approve" in done.stderr and done.stdout == b""
    _with_lines(record, 300)
    pages = _text(record, "reseller").split("\f")[:-1]
    assert len(pages) > 3 and all("DRAFT" in page for page in pages)
    record["document"]["state"] = "issued"
    assert "DRAFT" not in _text(record, "reseller")


def test_the_reseller_and_the_distributor(record):
    """R04: purchase price beside the customer's; I14: where to remit; N12: what is credited for earlier months."""
    text = _text(record, "reseller")
    for words in ("Not for customers", "Margin in EUR", "7.771230", "10.004000", "-0.069980", "2.162790", "1.668790", "PRICE_BELOW_BUY", "Approved by maria",
                  "Issued by omar", "Gate SUSPENDED overridden by maria: the customer knows", "c0ffee00c0ffee00c0ffee00c0ffee00", "earned in 2025-05",
                  "Distributor Ireland Ltd"):
        assert words in text, (words, text)
    text = _text(record, "distributor")
    for words in ("Purchases of a statement", "Buy (USD)", "8.431409", "Paid (EUR)", "9.236210", "1 USD = 0.93 EUR", "0.431409", "9.500000", "Remit to", "PO Box 7"):
        assert words in text, (words, text)
    assert "Subtotal" not in text


def test_pages_and_sums(record):
    """Every line once, page x of y on each page, the table's head again on each; the lines add up to the subtotal."""
    total = _with_lines(record, 700)
    text = _text(record)
    pages = text.split("\f")[:-1]
    assert len(pages) > 10
    assert [re.search(r"Page (\d+) of (\d+)", page).groups() for page in pages] == [(str(k + 1), str(len(pages))) for k in range(len(pages))]
    assert all("Amount (EUR)" in page for page in pages)
    lines = re.findall(r"^ *(usage-\d{5}) +Usage +[\d.,]+ +Hrs +(-?[\d.,]+)$", text, re.M)
    assert sorted(name for name, _ in lines) == [f"usage-{k:05d}" for k in range(700)]
    assert sum(_amount(amount) for _, amount in lines) == total
    accounts = re.findall(r"^ *Account \d{12} +(-?[\d.,]+)$", text, re.M)
    assert len(accounts) == 7 and sum(map(_amount, accounts)) == total
    assert _amount(re.search(r"^Subtotal +([\d.,]+)$", text, re.M).group(1)) == total


@pytest.mark.parametrize("currency, digits", [("JPY", 0), ("USD", 2), ("KWD", 3)])
def test_minor_units_and_alignment(record, currency, digits):
    """Amounts have the decimals of their currency and end at the same place."""
    _with_lines(record, 60, digits)
    record["document"]["currency"] = currency
    pdf = _print(record, "customer", "pdf")
    amounts = re.findall(r"Hrs +(\S+)$", _tool("pdftotext", "-layout", pdf=pdf), re.M)
    form = r"\d{1,3}(,\d{3})*" + (r"\.\d{%d}" % digits if digits else "")
    assert len(amounts) == 60 and all(re.fullmatch(form, amount) for amount in amounts), amounts
    words = re.findall(r'yMin="([\d.]+)" xMax="([\d.]+)" yMax="[\d.]+">([^<]*)</word>', _tool("pdftotext", "-bbox", pdf=pdf))
    ends = {round(float(right), 1) for top, right, word in words if word in set(amounts) and float(right) > 500 and 330 < float(top) < 770}
    assert max(ends) - min(ends) < 0.5, ends


SCRIPTS = {"latin": "Škoda Łódź Ærø", "combining": "Amélie Zoe\u0308", "cyrillic": "Общество Ромашка", "greek": "Εταιρεία Νερού", "japanese": "株式会社こんにちはテスト",
           "chinese": "北京云计算有限公司", "korean": "안녕하세요 주식회사", "hindi": "भारत सेवा", "thai": "บริษัทไทย", "hebrew": "חברת ענן", "arabic": "شركة السحاب"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_any_script(record, script):
    """Names in any script are there to be read, also from right to left: no letter is missing a font."""
    name = SCRIPTS[script]
    record["document"]["customers"][0]["name"] = name
    pdf = _print(record, "customer", "pdf")
    text = _tool("pdftotext", pdf=pdf)
    if script in ("latin", "cyrillic", "greek", "japanese", "chinese", "korean", "hebrew"):
        assert name in re.sub(r"[\u200e\u200f\u202a-\u202e]", "", text), text
    else:   # shaped: the letters are there, their order is the viewer's
        assert set(unicodedata.normalize("NFKD", name)) <= set(unicodedata.normalize("NFKD", text)), text


def test_long_names_wrap(record):
    """Nothing runs out of the page."""
    record["document"]["customers"][0]["name"] = "Very long name of a customer " * 12
    record["document"]["lines"][0]["usage_type"] = "EUC1-" + "x" * 300
    record["document"]["lines"][1]["product"] = "P" * 120
    words = re.findall(r'xMin="([\d.]+)" yMin="[\d.]+" xMax="([\d.]+)" yMax="([\d.]+)"', _tool("pdftotext", "-bbox", pdf=_print(record, "customer", "pdf")))
    assert words and all(float(left) > 40 and float(right) < 556 and float(low) < 820 for left, right, low in words)


def test_sections_of_many_customers(record):
    """I02: a section and a subtotal for each customer; I03: without breakdown there are none."""
    names = {f"c{k}": f"Customer {k}" for k in range(3)}
    total = _with_lines(record, 90, customers=tuple(names))
    record["document"]["customers"] = [{"id": one, "name": name} for one, name in names.items()]
    text = _text(record)
    assert "3 CUSTOMERS" in text
    sums = {name: _amount(amount) for name, amount in re.findall(r"^(Customer \d) +([\d.,]+)$", text, re.M)}
    wanted = {name: sum(decimal.Decimal(line["amount"]) for line in record["document"]["lines"] if line["customer"] == one) for one, name in names.items()}
    assert sums == wanted and sum(sums.values()) == total
    assert [one for one in names if f"({one})" in text] == list(names)
    for line in record["document"]["lines"]:
        line["customer"] = line["account"] = ""
    text = _text(record)
    assert not re.search(r"^Customer \d +[\d.,]+$", text, re.M) and "(c0)" not in text


def test_corrections_say_what_they_correct(record):
    record["document"].update(kind="credit_note", corrects={"number": "northwind/tds/2025/000003", "id": "ff", "period": "2025-05"})
    text = _text(record)
    assert "Credit note" in text and re.search(r"Corrects +northwind/tds/2025/000003", text) and "2025-05" in text
    record["document"].update(kind="adjustment", corrects={"number": None, "id": "ff", "period": "2025-05"})
    assert "Adjustment" in _text(record)


def test_reprints_are_identical(record):
    """I09: whatever clock, zone and language the machine has."""
    first = {(view, form): _print(record, view, form) for view, form in
             (("customer", "json"), ("customer", "csv"), ("customer", "pdf"), ("reseller", "pdf"), ("distributor", "pdf"))}
    for environment in ({"TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8", "LC_ALL": "C"}, {"TZ": "America/Los_Angeles", "SOURCE_DATE_EPOCH": "1"}):
        assert {(view, form): _print(copy.deepcopy(record), view, form, **environment) for view, form in first} == first
    info = _tool("pdfinfo", pdf=first["customer", "pdf"])
    assert re.search(r"CreationDate: .*Jul 20 .*2025", info) and "A4" in info
    record["settings"]["parties"]["reseller"]["country"] = "US"
    assert "letter" in _tool("pdfinfo", pdf=_print(record, "customer", "pdf"))
