-- The spine: catalog versions, deliveries, runs, applied batches, charges, draft statements, audit.
-- Amounts are `numeric`: exact, at most 18 decimals. Times are timestamptz, sessions run in UTC.
-- Ids of deliveries, runs, statements are 32 hex digits (128 bits of SHA-256 over what they stand for).

CREATE TABLE audit (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    actor     text NOT NULL,            -- a person (--by) or a worker's name
    action    text NOT NULL,            -- 'catalog.applied', 'delivery.failed', 'run.switched' ...
    object    text NOT NULL,            -- 'catalog:<id>', 'delivery:<id>', 'payer:<id>/2025-06' ...
    reason    text NOT NULL DEFAULT '',
    detail    jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_object ON audit (object, id);

-- Catalog: immutable contents, and a list of activations. In force is the activation with the highest seq whose
-- in_force_from is not after now (N14: from the next 00:00 UTC, or at once with --now).
CREATE TABLE catalog_version (
    id         text PRIMARY KEY,        -- digest of the normalised content, 32 hex digits
    content    text NOT NULL,           -- canonical JSON
    created_at timestamptz NOT NULL
);
CREATE TABLE catalog_activation (
    seq           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    catalog_id    text NOT NULL REFERENCES catalog_version (id),
    in_force_from timestamptz NOT NULL,
    applied_at    timestamptz NOT NULL,
    applied_by    text NOT NULL,
    reason        text NOT NULL,
    diff          text NOT NULL DEFAULT ''   -- against the activation before it
);
-- R06: who set a rate and when: first activation in which this content of the document appeared.
CREATE TABLE fx_rate_set (
    fx_id  text NOT NULL, rate numeric NOT NULL, period text NOT NULL, set_by text NOT NULL, set_at timestamptz NOT NULL,
    PRIMARY KEY (fx_id, rate, period)
);

-- A delivery: one complete version of one report of one payer for one period.
CREATE TABLE delivery (
    id              text PRIMARY KEY,
    seq             bigint GENERATED ALWAYS AS IDENTITY UNIQUE,  -- order of first sight: a higher one replaces a lower one
    payer           text NOT NULL,
    lane            text NOT NULL,
    period          text NOT NULL,      -- '2025-06'
    report          text NOT NULL,
    assembly        text NOT NULL,      -- assembly or execution id, '' for --file
    format          text NOT NULL,      -- 'legacy' | 'cur2'
    source          text NOT NULL,      -- source definition as canonical JSON (no secrets)
    manifest        text NOT NULL,      -- manifest's location, '' for --file
    manifest_digest text NOT NULL,      -- sha256 hex of its bytes (for --file: over the files' digests)
    immutable_keys  boolean NOT NULL,   -- create-new-versions layout: files are never overwritten
    -- planned: being read; good: all chunks read and a run completed; failed: see error; superseded: a newer one is current
    state           text NOT NULL CHECK (state IN ('planned', 'good', 'failed', 'superseded')),
    attempt         int NOT NULL DEFAULT 0, -- how often it was tried again after a failure, because its files changed
    discovered_at   timestamptz NOT NULL,
    error_code      text NOT NULL DEFAULT '',
    error_file      text NOT NULL DEFAULT '',
    error_row       bigint,
    error_column    text NOT NULL DEFAULT '',
    error_text      text NOT NULL DEFAULT ''
);
CREATE INDEX delivery_payer ON delivery (payer, period, seq);

CREATE TABLE chunk (
    delivery_id text NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    chunk       int NOT NULL,           -- from 1, in the manifest's order
    location    text NOT NULL,          -- key or path, for the source
    name        text NOT NULL,          -- file name, for people
    fingerprint text NOT NULL,          -- size and time stamp, or ETag; '' = missing
    bytes       bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (delivery_id, chunk)
);

CREATE TABLE run (
    id             text PRIMARY KEY,    -- hash(delivery, catalog, links version, engine version [, attempt])
    seq            bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    delivery_id    text NOT NULL REFERENCES delivery (id),
    catalog_id     text NOT NULL REFERENCES catalog_version (id),
    links_version  text NOT NULL DEFAULT '',
    engine_version text NOT NULL,
    attempt        int NOT NULL DEFAULT 0,
    payer          text NOT NULL,
    lane           text NOT NULL,
    period         text NOT NULL,
    shards         int NOT NULL,
    partitions     int NOT NULL,        -- of line.rated when the run began
    chunks         int NOT NULL,
    -- running: batches arrive; current: complete and the one that counts; superseded; failed; stopped: determinism broken
    state          text NOT NULL CHECK (state IN ('running', 'current', 'superseded', 'failed', 'stopped')),
    complete       boolean NOT NULL DEFAULT false,
    published      boolean NOT NULL DEFAULT false,  -- its chunk.planned records were acknowledged by the broker
    reason         text NOT NULL DEFAULT '',
    started_at     timestamptz NOT NULL,
    completed_at   timestamptz,
    lines          bigint NOT NULL DEFAULT 0,       -- filled at completion
    suspended_lines bigint NOT NULL DEFAULT 0,
    final_lines    bigint NOT NULL DEFAULT 0
);
CREATE INDEX run_payer ON run (payer, period, seq);
CREATE INDEX run_unpublished ON run (lane) WHERE NOT published AND state = 'running';
CREATE INDEX run_running ON run (lane) WHERE state = 'running';

-- The run that counts: one row for each payer and period, switched in one transaction.
CREATE TABLE current_run (
    payer       text NOT NULL,
    period      text NOT NULL,
    lane        text NOT NULL,
    run_id      text NOT NULL REFERENCES run (id),
    switched_at timestamptz NOT NULL,
    PRIMARY KEY (payer, period)
);

-- Control totals of a chunk as counted by ingest-cur (expected) and as applied (applied).
CREATE TABLE run_chunk (
    run_id            text NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    chunk             int NOT NULL,
    ended             boolean NOT NULL DEFAULT false,
    batches           int NOT NULL DEFAULT 0,
    expected_lines    bigint NOT NULL DEFAULT 0,
    expected_checksum numeric NOT NULL DEFAULT 0,   -- modulo 2^64
    expected_final    bigint NOT NULL DEFAULT 0,
    rounded           bigint NOT NULL DEFAULT 0,
    applied_lines     bigint NOT NULL DEFAULT 0,
    applied_checksum  numeric NOT NULL DEFAULT 0,   -- modulo 2^64
    expected_cost     jsonb NOT NULL DEFAULT '{}',  -- {"USD": "1.5"}
    PRIMARY KEY (run_id, chunk)
) WITH (fillfactor = 50);
CREATE TABLE run_chunk_cost (
    run_id   text NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    chunk    int NOT NULL,
    currency text NOT NULL,
    applied  numeric NOT NULL,
    PRIMARY KEY (run_id, chunk, currency)
) WITH (fillfactor = 50);

-- Exactly once by identity: an id that is here was applied; the same id with another digest stops the run.
CREATE TABLE applied_batch (
    run_id   text NOT NULL,
    chunk    int NOT NULL,
    sequence int NOT NULL,
    shard    int NOT NULL,
    digest   bigint NOT NULL,           -- XXH3-64 of the record's bytes
    lines    bigint NOT NULL,
    PRIMARY KEY (run_id, chunk, sequence, shard)
);

-- While a run is running its aggregates are appended to two tables of its own, charge_part_<run> and charge_day_part_<run>;
-- at completion they are merged into charge and charge_day and dropped: millions of rows go at once, without dead rows. These
-- two are their pattern and stay empty.
CREATE TABLE charge_part (
    customer       text NOT NULL, account text NOT NULL, line_item_type text NOT NULL, class text NOT NULL,
    product        text NOT NULL, usage_type text NOT NULL, operation text NOT NULL, region text NOT NULL,
    unit           text NOT NULL, rule text NOT NULL, currency text NOT NULL, reason text NOT NULL,
    lines          bigint NOT NULL, final_lines bigint NOT NULL,
    example_chunk  int NOT NULL, example_row bigint NOT NULL,
    quantity       numeric NOT NULL, payer_amount numeric NOT NULL, list_amount numeric NOT NULL,
    buy_amount     numeric NOT NULL, sell_amount numeric NOT NULL
);
CREATE TABLE charge_day_part (
    day date NOT NULL, account text NOT NULL, product text NOT NULL, currency text NOT NULL,
    lines bigint NOT NULL, quantity numeric NOT NULL, payer_amount numeric NOT NULL, list_amount numeric NOT NULL,
    buy_amount numeric NOT NULL, sell_amount numeric NOT NULL
);


-- The callers hold the run's row (FOR SHARE to write, FOR NO KEY UPDATE to drop), so that nobody writes while it is dropped.
CREATE FUNCTION curmill_run_parts(run text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF run !~ '^[0-9a-f]{32}$' THEN RAISE EXCEPTION 'not a run: %', run; END IF;
    IF to_regclass('charge_part_' || run) IS NOT NULL THEN RETURN; END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('curmill_run_parts ' || run, 0));
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I (LIKE charge_part) WITH (autovacuum_enabled = off)', 'charge_part_' || run);
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I (LIKE charge_day_part) WITH (autovacuum_enabled = off)', 'charge_day_part_' || run);
END $$;
CREATE FUNCTION curmill_drop_run_parts(run text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF run !~ '^[0-9a-f]{32}$' THEN RAISE EXCEPTION 'not a run: %', run; END IF;
    EXECUTE format('DROP TABLE IF EXISTS %I, %I', 'charge_part_' || run, 'charge_day_part_' || run);
END $$;

-- Charges of complete runs, partitioned by billing period (partitions are made by curmill_ensure_period).
CREATE TABLE charge (
    period         text NOT NULL,
    run_id         text NOT NULL,
    customer       text NOT NULL, account text NOT NULL, line_item_type text NOT NULL, class text NOT NULL,
    product        text NOT NULL, usage_type text NOT NULL, operation text NOT NULL, region text NOT NULL,
    unit           text NOT NULL, rule text NOT NULL, currency text NOT NULL, reason text NOT NULL,
    lines          bigint NOT NULL, final_lines bigint NOT NULL,
    example_chunk  int NOT NULL, example_row bigint NOT NULL,
    quantity       numeric NOT NULL, payer_amount numeric NOT NULL, list_amount numeric NOT NULL,
    buy_amount     numeric NOT NULL, sell_amount numeric NOT NULL
) PARTITION BY LIST (period);
CREATE INDEX charge_run ON charge (run_id, customer);
CREATE TABLE charge_day (
    period text NOT NULL, run_id text NOT NULL, day date NOT NULL, account text NOT NULL, product text NOT NULL,
    currency text NOT NULL, lines bigint NOT NULL, quantity numeric NOT NULL, payer_amount numeric NOT NULL,
    list_amount numeric NOT NULL, buy_amount numeric NOT NULL, sell_amount numeric NOT NULL
) PARTITION BY LIST (period);
CREATE INDEX charge_day_run ON charge_day (run_id);

CREATE FUNCTION curmill_ensure_period(p text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE suffix text := replace(p, '-', '_');
BEGIN
    IF p !~ '^\d{4}-\d{2}$' THEN RAISE EXCEPTION 'not a period: %', p; END IF;
    IF to_regclass('charge_' || suffix) IS NOT NULL AND to_regclass('charge_day_' || suffix) IS NOT NULL THEN RETURN; END IF;
    PERFORM pg_advisory_xact_lock(hashtext('curmill_ensure_period'));
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF charge FOR VALUES IN (%L)', 'charge_' || suffix, p);
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF charge_day FOR VALUES IN (%L)', 'charge_day_' || suffix, p);
END $$;

-- What a run's data says that a person should look at. One row for each run, code and object.
CREATE TABLE alert (
    run_id  text NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    code    text NOT NULL,              -- SUPPORT_PLAN_GROUP_MISSING, SUPPORT_PLAN_DRIFT, PAYER_USAGE (P06), NEGATIVE_MARGIN ...
    object  text NOT NULL,              -- account, or account/product
    detail  text NOT NULL,
    PRIMARY KEY (run_id, code, object)
);

-- Draft statements. A build belongs to (lane, period) and is made from the current runs and the catalog in force;
-- `basis` is their digest: a build whose basis is not today's is stale and is made again.
CREATE TABLE statement_build (
    lane     text NOT NULL,
    period   text NOT NULL,
    basis    text NOT NULL,
    built_at timestamptz NOT NULL,
    PRIMARY KEY (lane, period)
);
CREATE TABLE statement (
    -- hash(reseller, lane, period, customer, currency [, source currency if another]): the same draft keeps its id
    id        text PRIMARY KEY,
    number    text UNIQUE,
    kind      text NOT NULL DEFAULT 'statement',
    state     text NOT NULL CHECK (state IN ('draft', 'approved', 'issued', 'void')),
    reseller  text NOT NULL,
    lane      text NOT NULL,
    period    text NOT NULL,
    customer  text NOT NULL,
    currency  text NOT NULL,
    source_currency text NOT NULL,      -- of the charges; one document for each
    fx_id     text NOT NULL DEFAULT '', -- the rate that was used, '' if none (fx_rate_set says who set it)
    document  text NOT NULL,            -- canonical JSON of everything but gates
    catalog_id text NOT NULL,
    subtotal  numeric NOT NULL,
    total     numeric NOT NULL
);
CREATE INDEX statement_period ON statement (lane, period, customer);

-- Commands to ingest-cur: look now. Claimed with SKIP LOCKED; LISTEN channel curmill_scan.
CREATE TABLE scan_request (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane         text NOT NULL,
    payer        text NOT NULL DEFAULT '',   -- '' = all of the lane
    period       text NOT NULL DEFAULT '',   -- '' = all
    requested_at timestamptz NOT NULL,
    done_at      timestamptz,
    outcome      text NOT NULL DEFAULT ''    -- JSON: deliveries found, new, failed; or the error
);

CREATE TABLE worker (
    instance   text PRIMARY KEY,        -- host:pid
    name       text NOT NULL,
    lane       text NOT NULL,
    version    text NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL
);
