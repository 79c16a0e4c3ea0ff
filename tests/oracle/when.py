"""Instants as integer microseconds since 1970-01-01T00:00:00Z, and billing periods."""
import datetime
import re

DAY = 86_400_000_000
_EPOCH = datetime.date(1970, 1, 1).toordinal()
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z?)?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?Z?", re.ASCII)
_PERIOD = re.compile(r"(\d{4})-(\d\d)", re.ASCII)


def parse_time(text):
    """A date or a UTC time in any of the forms seen in reports, manifests and catalogs."""
    match = _TIME.fullmatch(text) or _COMPACT.fullmatch(text)
    if match is None:
        raise ValueError("not a time: %r" % text)
    year, month, day, hour, minute, second, fraction = match.groups()
    days = datetime.date(int(year), int(month), int(day)).toordinal() - _EPOCH
    hour, minute, second = int(hour or 0), int(minute or 0), int(second or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError("not a time: %r" % text)
    micro = int((fraction or "")[:6].ljust(6, "0"))
    return days * DAY + ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro


def day_of(instant):
    """The UTC date of an instant, YYYY-MM-DD."""
    return datetime.date.fromordinal(instant // DAY + _EPOCH).isoformat()


def period_bounds(period):
    """[start, end) of a billing period YYYY-MM."""
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise ValueError("not a billing period (YYYY-MM): %r" % period)
    year, month = int(match.group(1)), int(match.group(2))
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    return tuple((datetime.date(y, m, 1).toordinal() - _EPOCH) * DAY for y, m in ((year, month), following))


def clamp(instant, bounds):
    """S2: moved into [period start, period end - 1 microsecond]."""
    start, end = bounds
    return min(max(instant, start), end - 1)


def next_period(period):
    """The month after "2025-06"."""
    year, month = int(period[:4]), int(period[5:])
    return "%04d-%02d" % (year + month // 12, month % 12 + 1)
