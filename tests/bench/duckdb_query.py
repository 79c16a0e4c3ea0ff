"""The query that the benchmarks compare with: read the same CUR files, add up exactly, group as curmill's control totals do.

The quickest form found for this version of DuckDB: every column as text and an exact CAST of the three that are added up (typed columns
in read_csv took 1.2 times as long). Prints groups, rows, sum of cost.
"""
import sys

import duckdb

threads, *files = sys.argv[1:]
connection = duckdb.connect(config={"threads": int(threads)})
number = "CAST(coalesce(nullif({}, ''), '0') AS DECIMAL(38, 18))".format
exact = ["lineItem/UsageAmount", "lineItem/UnblendedCost", "pricing/publicOnDemandCost"]
rows = connection.execute(
    f"""
    SELECT "lineItem/UsageAccountId", "lineItem/ProductCode", "lineItem/LineItemType", "lineItem/CurrencyCode", count(*),
           {", ".join("sum(" + number(chr(34) + column + chr(34)) + ")" for column in exact)}
    FROM read_csv(?, header = true, all_varchar = true, quote = '"', escape = '"', delim = ',')
    GROUP BY ALL
    """,
    [files],
).fetchall()
print(len(rows), sum(row[4] for row in rows), sum(row[6] for row in rows))
