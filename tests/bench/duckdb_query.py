"""The query that the benchmarks compare with: read the same CUR files, add up exactly, group as curmill's control totals do.

The quickest form found: DuckDB's own types for columns it does not need, exact DECIMAL for the three that are added up, so that the
parser converts them itself (every column as text and a CAST behind took 1.5 times as long). Prints groups, rows, sum of cost.
"""
import sys

import duckdb

threads, *files = sys.argv[1:]
connection = duckdb.connect(config={"threads": int(threads)})
exact = ["lineItem/UsageAmount", "lineItem/UnblendedCost", "pricing/publicOnDemandCost"]
types = ", ".join(f"'{column}': 'DECIMAL(38, 18)'" for column in exact)
rows = connection.execute(
    f"""
    SELECT "lineItem/UsageAccountId", "lineItem/ProductCode", "lineItem/LineItemType", "lineItem/CurrencyCode", count(*),
           {", ".join(f'sum("{column}")' for column in exact)}
    FROM read_csv(?, header = true, auto_detect = true, types = {{{types}, 'lineItem/UsageAccountId': 'VARCHAR'}}, null_padding = false)
    GROUP BY ALL
    """,
    [files],
).fetchall()
print(len(rows), sum(row[4] for row in rows), sum(row[6] for row in rows))
