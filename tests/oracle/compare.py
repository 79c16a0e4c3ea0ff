"""Compares a program's JSON answer with the oracle's and says the first differences readably."""
import json

DATA_GATES = ("FX_MISSING", "NOT_FINAL", "SUPPORT_PLAN_ENDED", "SUPPORT_PLAN_GROUP_MISSING", "SUSPENDED")
_SUMS = ("lines", "quantity", "payer", "list", "buy", "sell")
_LINE_KEY = ("customer", "account", "product", "usage_type", "unit", "class")
_DOCUMENT_KEY = ("reseller", "lane", "period", "customers", "currency", "rate")


def _say(value):
    return "(absent)" if value is _ABSENT else json.dumps(value, ensure_ascii=False)


_ABSENT = object()


def _fields(names, got, want, where, found):
    for name in names:
        left, right = got.get(name, _ABSENT), want.get(name, _ABSENT)
        if left != right or type(left) is not type(right):
            found.append("%s: %s is %s, the oracle says %s" % (where, name, _say(left), _say(right)))


def compare_totals(got, want):
    """Differences between two answers of `totals`, empty when they agree. Extra keys of `got` are allowed."""
    found = []
    _fields(("payer", "period", "complete", "lines", "suspended_lines", "derived_lines"), got, want, "totals", found)
    keys = [name for name in want["groups"][0] if name not in _SUMS] if want["groups"] else ["currency"]

    def index(groups, who):
        answer = {}
        for group in groups:
            key = tuple(group.get(name) for name in keys)
            if key in answer:
                found.append("%s has the group %s twice" % (who, _name(keys, key)))
            answer[key] = group
        return answer

    left, right = index(got.get("groups", []), "the program"), index(want["groups"], "the oracle")
    for key, group in right.items():
        if key not in left:
            found.append("group %s: missing, the oracle has %s lines" % (_name(keys, key), group["lines"]))
        else:
            _fields(_SUMS, left[key], group, "group %s" % _name(keys, key), found)
    found.extend("group %s: not in the oracle" % _name(keys, key) for key in left if key not in right)
    if not found and list(left) != list(right):
        at = next(i for i, pair in enumerate(zip(left, right)) if pair[0] != pair[1])
        found.append("order of groups: at %d the program has %s, the oracle %s"
                     % (at, _name(keys, list(left)[at]), _name(keys, list(right)[at])))
    return found


def _name(keys, values):
    return " ".join("%s=%s" % pair for pair in zip(keys, values))


def _compare_document(got, want, where, gates, found):
    _fields(("kind", "reseller", "lane", "period", "currency", "rate", "subtotal", "tax", "total"),
            got, want, where, found)
    got_lines, want_lines = got.get("lines", []), want["lines"]
    if len(got_lines) != len(want_lines):
        found.append("%s: %d lines, the oracle has %d" % (where, len(got_lines), len(want_lines)))
    got_keys = [tuple(line.get(name) for name in _LINE_KEY) for line in got_lines]
    want_keys = [tuple(line[name] for name in _LINE_KEY) for line in want_lines]
    for position, key in enumerate(want_keys):
        if key not in got_keys:
            found.append("%s: line missing: %s" % (where, _name(_LINE_KEY, key)))
        elif position < len(got_keys) and got_keys[position] == key:
            _fields(("quantity", "amount_exact", "amount"), got_lines[position], want_lines[position],
                    "%s: line %d (%s)" % (where, position, _name(_LINE_KEY, key)), found)
        else:
            found.append("%s: line %d is out of order: %s" % (where, position, _name(_LINE_KEY, key)))
    found.extend("%s: line not in the oracle: %s" % (where, _name(_LINE_KEY, key))
                 for key in got_keys if key not in want_keys)
    if gates:
        shut = [{gate["code"] for gate in document.get("gates", []) if not gate["open"]} & set(DATA_GATES)
                for document in (got, want)]
        if shut[0] != shut[1]:
            found.append("%s: shut gates %s, the oracle says %s" % (where, sorted(shut[0]), sorted(shut[1])))


def compare_statements(got, want, gates=False):
    """Differences between two lists of documents (or single documents). Void documents are ignored."""
    got = [got] if isinstance(got, dict) else got
    want = [want] if isinstance(want, dict) else want
    found = []

    def index(documents):
        answer = {}
        for document in documents:
            if document.get("state") != "void":
                ids = ",".join(customer["id"] for customer in document["customers"])
                key = tuple(ids if name == "customers" else document.get(name) for name in _DOCUMENT_KEY)
                answer.setdefault(key, []).append(document)
        return answer

    left, right = index(got), index(want)
    for key in right:
        where = "statement %s" % _name(_DOCUMENT_KEY, key)
        pairs = left.pop(key, [])
        if len(pairs) != len(right[key]):
            found.append("%s: the program has %d, the oracle %d" % (where, len(pairs), len(right[key])))
        for one, other in zip(pairs, right[key]):
            _compare_document(one, other, where, gates, found)
    found.extend("statement %s: not in the oracle" % _name(_DOCUMENT_KEY, key) for key in left)
    return found
