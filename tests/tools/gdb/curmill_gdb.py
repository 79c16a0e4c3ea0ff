"""gdb: amounts as people write them. In gdb: source tests/tools/gdb/curmill_gdb.py

cm_decimal    12.5                  instead of {units = 12500000000000000000}
cm_slice      "AmazonEC2"           instead of a pointer and a length"""
import gdb
import gdb.printing

SCALE = 18  # CM_DECIMAL_SCALE


def decimal_text(units: int) -> str:
    """Plain notation without trailing zeros, as cm_decimal_print writes it."""
    digits = str(abs(units)).rjust(SCALE + 1, "0")
    fraction = digits[-SCALE:].rstrip("0")
    return ("-" if units < 0 else "") + digits[:-SCALE] + ("." + fraction if fraction else "")


class Decimal:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return decimal_text(int(self.value["units"].format_string(format="d")))  # as text: 128 bits do not fit gdb's Python


class Slice:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        text, length = self.value["text"], int(self.value["length"])
        return text.string("utf-8", "replace", length) if length else ""

    def display_hint(self):
        return "string"


def printers():
    collection = gdb.printing.RegexpCollectionPrettyPrinter("curmill")
    collection.add_printer("cm_decimal", "^cm_decimal$", Decimal)
    collection.add_printer("cm_slice", "^cm_slice$", Slice)
    return collection


gdb.printing.register_pretty_printer(None, printers(), replace=True)
