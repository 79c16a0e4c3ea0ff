"""From a catalog and a place of data to charges."""
from . import cur, rate


def lines_of(catalog, payer_id, period, *, report="", files=(), manifest="", source=""):
    """Lines of a payer's current delivery, of one manifest, or of files that have none; None if there is none."""
    if files:
        return cur.read_files(files, payer_id, period)
    payer = catalog.payer(payer_id)
    root = source or payer.source.get("path", "")
    if manifest:
        found = cur.read_manifest(manifest)
        if found.period != period:
            raise cur.ReportError("%s: the manifest is of %s, not of %s" % (manifest, found.period, period))
        root = root or str(found.path.parent)
    else:
        if not root:
            raise cur.ReportError("payer %s has no folder source; name --files, --manifest or --source" % payer_id)
        found = cur.find_manifest(root, period, payer.reports, report)
        if found is None:
            return None
    return cur.read_files(cur.data_files(root, found), payer_id, period)


def charges_of(catalog, payer_id, period, **where):
    """The charges of a payer and period, or None if nothing was delivered."""
    lines = lines_of(catalog, payer_id, period, **where)
    return None if lines is None else rate.rate_lines(catalog, payer_id, period, lines)
