-- What org-linker keeps besides requests.

-- What reports say of an account, by the month: of the newest delivery that named it.
CREATE TABLE account_usage (
    payer            text NOT NULL,
    account          text NOT NULL,
    period           text NOT NULL,
    lane             text NOT NULL,
    delivery_seq     bigint NOT NULL,     -- delivery.seq
    first_usage      timestamptz NOT NULL,
    last_usage       timestamptz NOT NULL,
    support_products text[] NOT NULL,     -- product codes of AWS support lines (O16), sorted
    usage_seen       boolean NOT NULL,    -- lines of usage; of the payer itself: P06
    PRIMARY KEY (payer, account, period)
);
CREATE INDEX account_usage_account ON account_usage (account);

-- The last word on each account's owners, and the outbox of topic account.link: a newer word takes the place of one that was not published yet.
CREATE TABLE account_link (
    lane       text NOT NULL,
    account    text NOT NULL,
    payload    bytea NOT NULL,            -- AccountLink
    digest     text NOT NULL,             -- of the payload, 32 hex digits
    changed_at timestamptz NOT NULL,
    published  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (lane, account)
);
CREATE INDEX account_link_waiting ON account_link (lane, account) WHERE NOT published;
-- What table account_link follows from: digest of the catalog in force and the lane's link sets.
CREATE TABLE account_link_basis (
    lane  text PRIMARY KEY,
    basis text NOT NULL
);
