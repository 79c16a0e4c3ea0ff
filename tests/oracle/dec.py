"""Fixed-point amounts: Python integers that count 10^-18, inside a signed 128-bit range.

rating.md section 1: addition is exact; a product or quotient is rounded half-even at 10^-18, once.
No float occurs in this package.
"""
import re

SCALE = 18
ONE = 10 ** SCALE
HUNDRED = 100 * ONE
MAX = 2 ** 127 - 1
MIN = -(2 ** 127)

_NUMBER = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?", re.ASCII)

# ISO 4217 minor units that are not 2.
_MINOR = {code: 0 for code in
          "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()}
_MINOR.update({code: 3 for code in "BHD IQD JOD KWD LYD OMR TND".split()})
_MINOR.update({"CLF": 4, "UYW": 4})


class DecimalError(ValueError):
    """A text that is no number, or a number outside the 128-bit range."""


def check(value):
    """`value` itself, if it fits a signed 128-bit count of 10^-18."""
    if not MIN <= value <= MAX:
        raise DecimalError("amount outside the 128-bit range: %d x 10^-18" % value)
    return value


def half_even(numerator, denominator):
    """numerator / denominator, rounded to an integer, ties to even."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        quotient += 1
    return quotient


def half_away(numerator, denominator):
    """numerator / denominator, rounded to an integer, ties away from zero."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    if numerator < 0:
        return -((-2 * numerator + denominator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)


def parse(text):
    """A plain or exponent number; more than 18 decimals are rounded half-even."""
    match = _NUMBER.fullmatch(text)
    if match is None or not (match.group(2) or match.group(3)):
        raise DecimalError("not a number: %r" % text)
    sign, whole, fraction, exponent = match.groups()
    fraction = fraction or ""
    digits = int((whole or "") + fraction)
    if digits == 0:
        return 0
    power = SCALE - len(fraction) + int(exponent or "0")
    if power >= 0:
        if power > 60:
            raise DecimalError("amount outside the 128-bit range: %r" % text)
        value = digits * 10 ** power
    else:
        value = half_even(digits, 10 ** -power)
    return check(-value if sign == "-" else value)


def parse_cell(text):
    """A number cell of a report: empty means zero."""
    return parse(text) if text else 0


def show(value):
    """Plain decimal text without trailing zeros, without exponent, never "-0" (S16)."""
    whole, fraction = divmod(abs(value), ONE)
    text = str(whole)
    if fraction:
        text += "." + str(fraction).rjust(SCALE, "0").rstrip("0")
    return "-" + text if value < 0 else text


def multiply(a, b):
    """a x b, half-even at 10^-18."""
    return check(half_even(a * b, ONE))


def percent_of(basis, percent):
    """basis x percent / 100, half-even at 10^-18."""
    return check(half_even(basis * percent, HUNDRED))


def plus_percent(basis, percent):
    """basis x (100 + percent) / 100, half-even at 10^-18, rounded once (S7)."""
    return check(half_even(basis * (HUNDRED + percent), HUNDRED))


def minor_digits(currency):
    """Decimals of a currency's minor unit (ISO 4217)."""
    return _MINOR.get(currency, 2)


def unit_of(currency):
    """The minor unit of a currency as a count of 10^-18."""
    return 10 ** (SCALE - minor_digits(currency))
