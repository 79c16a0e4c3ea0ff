"""The query that the benchmarks compare with: read the same CUR files, add up exactly, group as curmill's control totals do.

read_csv with every column as text (CUR columns are sparse: sniffed types would be wrong), exact DECIMAL sums. Prints the rows.
"""
import sys

import duckdb

threads, *files = sys.argv[1:]
connection = duckdb.connect(config={"threads": int(threads)})
number = "CAST(coalesce(nullif({}, ''), '0') AS DECIMAL(38, 18))".format
rows = connection.execute(
    f"""
    SELECT "lineItem/UsageAccountId", "lineItem/ProductCode", "lineItem/LineItemType", "lineItem/CurrencyCode", count(*),
           sum({number('"lineItem/UsageAmount"')}), sum({number('"lineItem/UnblendedCost"')}), sum({number('"pricing/publicOnDemandCost"')})
    FROM read_csv(?, header = true, all_varchar = true, quote = '"', escape = '"', delim = ',', union_by_name = true)
    GROUP BY ALL
    """,
    [files],
).fetchall()
print(len(rows), sum(row[4] for row in rows), sum(row[6] for row in rows))
