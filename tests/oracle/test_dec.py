"""Amounts: rating.md section 1, S7, S16; statements.md rounding."""
import pathlib
import tokenize

import pytest

from oracle import dec, when


@pytest.mark.parametrize("text,shown", [
    ("0.0", "0"), ("-0.0", "0"), ("0E-10", "0"), ("4.0E-7", "0.0000004"), ("-7.0E-10", "-0.0000000007"),
    ("1.23456789E7", "12345678.9"), ("8130.0", "8130"), ("+3", "3"), (".5", "0.5"), ("5.", "5"),
    ("12.50", "12.5"), ("-0.10", "-0.1"), ("0.0000004000", "0.0000004"), ("1e2", "100")])
def test_parse_and_show(text, shown):
    assert dec.show(dec.parse(text)) == shown


@pytest.mark.parametrize("text", ["", " 1", "1 ", "1,000", "0x10", "NaN", "Infinity", "1e", ".", "-", "--1", "1.2.3", "٣"])
def test_what_is_no_number(text):
    with pytest.raises(dec.DecimalError):
        dec.parse(text)


@pytest.mark.parametrize("text,units", [
    ("0.0000000000000000005", 0), ("0.0000000000000000015", 2), ("0.0000000000000000025", 2),
    ("-0.0000000000000000005", 0), ("-0.0000000000000000015", -2), ("0.00000000000000000050001", 1), ("15E-19", 2)])
def test_more_than_18_decimals_are_rounded_half_even(text, units):
    assert dec.parse(text) == units


def test_range_is_128_bits():
    assert dec.parse("170141183460469231731.687303715884105727") == 2 ** 127 - 1
    assert dec.parse("-170141183460469231731.687303715884105728") == -(2 ** 127)
    for text in ("170141183460469231731.687303715884105728", "1e30", "1e9999"):
        with pytest.raises(dec.DecimalError):
            dec.parse(text)
    with pytest.raises(dec.DecimalError):
        dec.multiply(dec.parse("1e15"), dec.parse("1e15"))


@pytest.mark.parametrize("a,b,even,away", [
    (5, 2, 2, 3), (7, 2, 4, 4), (-5, 2, -2, -3), (-7, 2, -4, -4), (5, -2, -2, -3), (1, 3, 0, 0), (2, 3, 1, 1), (-2, 3, -1, -1), (0, 5, 0, 0)])
def test_rounding_modes(a, b, even, away):
    assert dec.half_even(a, b) == even
    assert dec.half_away(a, b) == away


def test_products_round_once_half_even():
    tiny = dec.parse("0.000000000000000001")
    assert dec.multiply(tiny, dec.parse("0.5")) == 0
    assert dec.multiply(3 * tiny, dec.parse("0.5")) == 2
    assert dec.multiply(-3 * tiny, dec.parse("0.5")) == -2
    assert dec.plus_percent(10 * tiny, dec.parse("5")) == 10          # 10.5 -> 10
    assert dec.plus_percent(10 * tiny, dec.parse("15")) == 12         # 11.5 -> 12
    assert dec.plus_percent(dec.parse("437"), dec.parse("-5")) == dec.parse("415.15")
    assert dec.percent_of(dec.parse("437"), dec.parse("10")) == dec.parse("43.7")


def test_minor_units():
    assert [dec.minor_digits(code) for code in ("USD", "JPY", "KWD", "EUR", "CLF")] == [2, 0, 3, 2, 4]


def test_times():
    first = when.parse_time("2025-06-01")
    assert first == when.parse_time("2025-06-01T00:00:00Z") == when.parse_time("20250601T000000.000Z") \
        == when.parse_time("2025-06-01 00:00:00") == when.parse_time("2025-06-01T00:00:00.000Z")
    assert when.day_of(first - 1) == "2025-05-31"
    assert when.day_of(when.parse_time("2024-02-29T23:59:59.999999Z")) == "2024-02-29"
    assert when.period_bounds("2025-12") == (when.parse_time("2025-12-01"), when.parse_time("2026-01-01"))
    for text in ("2025-02-29", "2025-6-1", "2025-06-01T24:00:00Z", "2025-06-01T00:00:00+02:00", ""):
        with pytest.raises(ValueError):
            when.parse_time(text)


def test_no_float_in_the_oracle():
    """No float literal, no `float`, no true division anywhere in the package."""
    for path in pathlib.Path(__file__).parent.glob("*.py"):
        if path.name.startswith("test_"):
            continue
        with tokenize.open(path) as text:
            for token in tokenize.generate_tokens(text.readline):
                where = "%s:%d" % (path.name, token.start[0])
                assert not (token.type == tokenize.NAME and token.string in ("float", "complex")), where
                assert not (token.type == tokenize.NUMBER and ("." in token.string or "e" in token.string.lower())), where
                if token.type == tokenize.OP and token.string == "/" and path.name in ("dec.py", "rate.py", "totals.py", "statement.py", "when.py"):
                    pytest.fail("true division in " + where)
