"""The oracle as a command: `PYTHONPATH=tests python3 -m oracle totals|statements|compare ...`."""
import argparse
import json
import sys

from . import catalog as catalogs
from . import compare, cur, links, load, statement, totals


def _tree():
    parser = argparse.ArgumentParser(prog="oracle", description="Totals and statements by an independent implementation.")
    commands = parser.add_subparsers(dest="command", required=True)

    one = commands.add_parser("totals", help="exact sums of one payer and period")
    one.add_argument("--catalog", required=True)
    one.add_argument("--links", default="", help="JSON file: links of org-linker beside the catalog's")
    one.add_argument("--payer", required=True)
    one.add_argument("--period", required=True)
    one.add_argument("--by", default="", help="comma-separated: " + ", ".join(totals.KEYS))
    one.add_argument("--report", default="", help="which report, where the folder holds several")
    one.add_argument("--source", default="", help="folder instead of the catalog's")
    one.add_argument("--manifest", default="", help="this delivery instead of the newest")
    one.add_argument("--files", nargs="+", default=[], help="data files without a manifest")

    many = commands.add_parser("statements", help="draft documents of a period over all payers")
    many.add_argument("--catalog", required=True)
    many.add_argument("--links", default="", help="JSON file: links of org-linker beside the catalog's")
    many.add_argument("--period", required=True)
    many.add_argument("--lane", default="")
    many.add_argument("--customer", default="")
    for option in ("source", "manifest", "report"):
        many.add_argument("--" + option, action="append", default=[], metavar="PAYER=" + option.upper())
    many.add_argument("--files", action="append", default=[], metavar="PAYER=FILE,FILE")

    both = commands.add_parser("compare", help="compare a program's JSON file with the oracle's; exit 1 if they differ")
    both.add_argument("what", choices=["totals", "statements"])
    both.add_argument("program")
    both.add_argument("oracle")
    both.add_argument("--gates", action="store_true", help="also the gates that depend on data alone")
    both.add_argument("--first", type=int, default=20, help="how many differences to print")
    return parser


def _print(answer):
    json.dump(answer, sys.stdout, indent=1, ensure_ascii=False)
    print()


def _pairs(options):
    return dict(option.split("=", 1) for option in options)


def _catalog(args):
    catalog = catalogs.from_folder(args.catalog)
    return links.with_links(catalog, links.read(args.links)) if args.links else catalog


def _totals(args):
    catalog = _catalog(args)
    charges = load.charges_of(catalog, args.payer, args.period, report=args.report, files=args.files,
                              manifest=args.manifest, source=args.source)
    if charges is None:
        print("oracle: no delivery of payer %s for %s" % (args.payer, args.period), file=sys.stderr)
        return 3
    _print(totals.totals(charges, [key for key in args.by.split(",") if key]))
    return 0


def _statements(args):
    catalog = _catalog(args)
    sources, manifests, reports, files = map(_pairs, (args.source, args.manifest, args.report, args.files))
    given = []
    for payer_id, payer in sorted(catalog.payers.items()):
        if args.lane and payer.lane != args.lane:
            continue
        charges = load.charges_of(catalog, payer_id, args.period, source=sources.get(payer_id, ""),
                                  manifest=manifests.get(payer_id, ""), report=reports.get(payer_id, ""),
                                  files=[name for name in files.get(payer_id, "").split(",") if name])
        if charges is not None:
            given.append(charges)
    _print(statement.statements(catalog, given, args.period, args.lane, args.customer))
    return 0


def _compare(args):
    with open(args.program, encoding="utf-8") as left, open(args.oracle, encoding="utf-8") as right:
        got, want = json.load(left), json.load(right)
    found = compare.compare_totals(got, want) if args.what == "totals" else \
        compare.compare_statements(got, want, args.gates)
    for difference in found[:args.first]:
        print(difference)
    if len(found) > args.first:
        print("... and %d more" % (len(found) - args.first))
    return 1 if found else 0


def main():
    """Run one command; 0 done, 1 differences or wrong usage, 2 refused input, 3 nothing there."""
    args = _tree().parse_args()
    try:
        return {"totals": _totals, "statements": _statements, "compare": _compare}[args.command](args)
    except (catalogs.CatalogError, cur.ReportError, ValueError) as error:
        print("oracle: %s" % error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
