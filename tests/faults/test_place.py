"""What is read does not depend on where a stack and its deliveries lie."""
import json
import shutil

import fault_runs


def moved(work, month, tmp_path):
    """A catalog that names a copy of the month's files: another path, other time stamps and inodes, the same contents."""
    shutil.copytree(month.folder, tmp_path / "copy", copy_function=shutil.copyfile)
    catalog = tmp_path / "catalog"
    shutil.copytree(work.catalog, catalog)
    for file in catalog.glob("*.yaml"):
        file.write_text(file.read_text().replace(f'"{month.folder}"', f'"{tmp_path / "copy"}"'))
    return catalog


def test_another_folder_changes_the_id_of_the_catalog_and_nothing_else(work, small, reference, make_stack, tmp_path):
    """A payer's source is part of the catalog, so its path is part of the catalog's id; of what rates a payer, its slice, it is not."""
    month = small("tdsynnex")
    wanted = reference(month)
    stack = make_stack(catalog=moved(work, month, tmp_path))
    fault_runs.run_all(stack, [month])
    fault_runs.assert_complete(stack, month)
    said = fault_runs.read_all(stack, month)
    ids = {name: (json.loads(wanted.said["totals"])[name], json.loads(said["totals"])[name]) for name in ("run", "catalog", "delivery")}
    assert ids["delivery"][0] == ids["delivery"][1] and ids["run"][0] == ids["run"][1]
    assert ids["catalog"][0] != ids["catalog"][1]
    for here in said:
        text = said[here]
        text = text.replace(ids["catalog"][1], ids["catalog"][0])
        assert text == wanted.said[here], f"{here} differs:\n{fault_runs.first_difference(wanted.said[here], text)}"
