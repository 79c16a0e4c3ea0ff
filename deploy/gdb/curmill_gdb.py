"""Lets gdb print curmill's values as people write them: amounts, errors, texts, moments.

In gdb:   source deploy/gdb/curmill_gdb.py
Always:   echo "source $PWD/deploy/gdb/curmill_gdb.py" >> ~/.gdbinit

    (gdb) print line.cost
    $1 = 12.5
    (gdb) info pretty-printer curmill        which there are
    (gdb) print/r line.cost                  the bare structure

Reads memory only, calls no function of the program: it works on a core dump, too."""
import datetime

import gdb
import gdb.printing

SCALE = 18           # common/base/decimal/decimal.h: CM_DECIMAL_SCALE
LONGEST_TEXT = 1000  # of a slice; "..." stands for the rest


def signed_128(value: gdb.Value) -> int:
    """Over gdb's own text: it prints an __int128, but does not make a number of Python from one."""
    return int(value.format_string(format="d"))


def decimal_text(units: int) -> str:
    whole, rest = divmod(abs(units), 10**SCALE)
    text = f"{whole}.{rest:0{SCALE}}".rstrip("0").rstrip(".")
    return "-" + text if units < 0 else text


def bounded_text(pointer: gdb.Value, length: int) -> str:
    if length == 0:
        return ""
    text = pointer.string("utf-8", "backslashreplace", min(length, LONGEST_TEXT))
    return text if length <= LONGEST_TEXT else f"{text}... ({length} bytes)"


class Decimal:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return decimal_text(signed_128(self.value["units"]))


class Slice:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return '"' + bounded_text(self.value["text"], int(self.value["length"])) + '"'


class Error:
    """The class by its name, then code and text: TRANSIENT DATABASE: cannot connect"""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        code = self.value["code"].string("utf-8", "backslashreplace")
        text = self.value["text"].string("utf-8", "backslashreplace")
        return f"{self.value['class']} {code or '(no code)'}: {text or '(no text)'}"


class Instant:
    """Microseconds since 1970, in UTC."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        at = int(self.value)
        try:
            return (datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=at)).isoformat() + f"Z ({at})"
        except OverflowError:
            return str(at)


class Printers(gdb.printing.PrettyPrinter):
    """By the name as it is declared: a typedef of an integer (cm_instant) is no type of its own once typedefs are stripped."""

    KINDS = {"cm_decimal": Decimal, "cm_slice": Slice, "cm_error": Error, "cm_instant": Instant}

    def __init__(self):
        super().__init__("curmill", [gdb.printing.SubPrettyPrinter(name) for name in self.KINDS])

    def __call__(self, value):
        kind = value.type.unqualified()
        name = kind.name if kind.name in self.KINDS else kind.strip_typedefs().tag
        if name not in self.KINDS or not next(printer for printer in self.subprinters if printer.name == name).enabled:
            return None
        return self.KINDS[name](value)


gdb.printing.register_pretty_printer(gdb.current_objfile(), Printers(), replace=True)
