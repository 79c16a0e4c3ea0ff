"""200 random months of catalog edits, deliveries, settle, reopen, void and restore in random order: no document is ever issued whose figures
differ from what the catalog in force for that month gives at that moment (statements.md sections 1, 4 and 5)."""
import conftest
import drive


def test_month(desk, figures, seed):
    """One world; CURMILL_TEST_CAMPAIGN=SEED repeats it."""
    month = drive.Month(desk, seed)
    try:
        found = month.run()
    except BaseException:
        print("\n".join(month.log))
        raise
    figures.update(month.count)
    figures["months"] += 1
    print("\n".join(month.log))
    assert not found, "\n".join(found)


def test_the_campaign_met_what_it_should(desk, figures):
    """It would prove little without documents that are issued, corrections, and refusals."""
    if len(conftest.seeds()) < 50:
        return
    assert figures["compared"] > 2 * figures["months"], figures
    for name in ("edits", "settled", "issued statement", "issued credit_note", "issued adjustment", "issue refused", "voided"):
        assert figures[name] > 5, (name, figures)
    for command, name in ((("period", "reopen"), "reopened"), (("delivery", "restore"), "restored"), (("delivery", "accept"), "accepted")):
        assert command not in desk.commands or figures[name] > 5, (name, figures)
