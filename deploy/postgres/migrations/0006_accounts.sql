-- Accounts and requests (accounts-and-taxes.md section 1): what is observed, what is wanted, how one becomes the other. Every change of the tables
-- behind effective_link sends NOTIFY curmill_accounts with the payer.

-- Observed facts: from reports (account.observed) and from AWS Organizations. Nobody writes wishes here.
CREATE TABLE account (
    payer         text NOT NULL,
    account       text NOT NULL CHECK (account ~ '^\d{12}$'),     -- N16
    lane          text NOT NULL,
    name          text NOT NULL DEFAULT '',
    root_email    text NOT NULL DEFAULT '',
    aws_state     text NOT NULL DEFAULT '',    -- as AWS writes it; '' = AWS was not asked
    joined_method text NOT NULL DEFAULT '',    -- 'INVITED' | 'CREATED' | ''
    joined_at     timestamptz,                 -- AWS's moment; null = not known
    first_seen    timestamptz NOT NULL,        -- first usage or first listing
    last_seen     timestamptz NOT NULL,
    left_at       timestamptz,                 -- no longer listed by AWS under this payer
    PRIMARY KEY (payer, account)
);
CREATE INDEX account_account ON account (account);

-- What AWS allows an organization, and what is known of it. No row: nothing known.
CREATE TABLE payer_organization (
    payer               text PRIMARY KEY,
    organization        text NOT NULL DEFAULT '', -- 'o-...'
    account_quota       int,                      -- null = not known: AWS's own answer decides
    invitations_per_day int,                      -- null = the setting's default
    listed_at           timestamptz               -- last complete listing of its accounts
);

-- Desired state: one row a request; an account has at most one that is not at its end. States are changed by one function (common/link/change.c).
CREATE TABLE link_request (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind               text NOT NULL CHECK (kind IN ('link', 'create')),
    state              text NOT NULL CHECK (state IN ('requested', 'info_requested', 'approved', 'invited', 'accepted', 'account_created',
                           'root_password_reset', 'role_pending', 'active', 'offboarding', 'rejected', 'withdrawn', 'cancelled', 'declined',
                           'expired', 'left')),
    version            bigint NOT NULL DEFAULT 1, -- commands are compare-and-set on it
    payer              text NOT NULL,
    lane               text NOT NULL,
    model              text NOT NULL,             -- the payer's, when it was requested
    account            text NOT NULL DEFAULT '' CHECK (account = '' OR account ~ '^\d{12}$'), -- '' until it is created
    customer           text NOT NULL,
    root_email         text NOT NULL DEFAULT '',  -- small letters
    nickname           text NOT NULL DEFAULT '',
    support_plan       text NOT NULL,             -- declared (O10)
    support_plan_group text NOT NULL DEFAULT '',  -- assigned (O14)
    sales_reference    text NOT NULL DEFAULT '',  -- O17
    role_arn           text NOT NULL DEFAULT '',
    external_id        text NOT NULL DEFAULT '',  -- the account's own
    region             text NOT NULL DEFAULT '',  -- queue (O07)
    country            text NOT NULL DEFAULT '',  -- ISO 3166 alpha-2, of the account's user (P17)
    portal_enabled     boolean NOT NULL DEFAULT false, -- O05
    transferred_in     boolean NOT NULL DEFAULT false, -- with a payer that existed before (P16)
    repurposed         boolean NOT NULL DEFAULT false, -- it had another customer before (O28)
    role_required      boolean NOT NULL,
    role_waived        boolean NOT NULL DEFAULT false,
    role_verdict       text NOT NULL DEFAULT 'unchecked' CHECK (role_verdict IN ('unchecked', 'valid', 'invalid')), -- O22
    mfa_confirmed      boolean NOT NULL DEFAULT false, -- P11
    handshake          text NOT NULL DEFAULT '',
    invited_at         timestamptz,
    remind_at          timestamptz,               -- N01
    expires_at         timestamptz,               -- AWS's ExpirationTimestamp
    liable_from        timestamptz,               -- AWS's moment of joining
    billed_from        timestamptz,               -- N11
    billed_from_wanted timestamptz,               -- set by a person
    left_at            timestamptz,
    billed_until       timestamptz,
    requested_at       timestamptz NOT NULL,
    requested_by       text NOT NULL,
    approved_at        timestamptz,
    approved_by        text NOT NULL DEFAULT '',
    activated_at       timestamptz,
    changed_at         timestamptz NOT NULL
);
CREATE UNIQUE INDEX link_request_open ON link_request (account)
    WHERE account <> '' AND state NOT IN ('rejected', 'withdrawn', 'cancelled', 'declined', 'expired', 'left');
-- O08: an address belongs to one account, for ever.
CREATE UNIQUE INDEX link_request_new_mail ON link_request (root_email) WHERE kind = 'create' AND state NOT IN ('rejected', 'withdrawn', 'cancelled');
CREATE INDEX link_request_payer ON link_request (payer, account);
CREATE INDEX link_request_customer ON link_request (customer);

CREATE TABLE link_history (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id bigint NOT NULL REFERENCES link_request (id),
    version    bigint NOT NULL,                -- that it led to
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    event      text NOT NULL,
    from_state text NOT NULL,                  -- '' for the first
    to_state   text NOT NULL,
    reason     text NOT NULL DEFAULT '',
    detail     jsonb NOT NULL DEFAULT '{}',
    UNIQUE (request_id, version)
);
CREATE FUNCTION curmill_history_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of requests is never changed';
END $$;
CREATE TRIGGER link_history_guard BEFORE UPDATE OR DELETE ON link_history FOR EACH ROW EXECUTE FUNCTION curmill_history_guard();

-- The last wall behind compare-and-set: a request never disappears, its version counts by one.
CREATE FUNCTION curmill_request_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'request % is never removed', OLD.id; END IF;
    IF NEW.version <> OLD.version + 1 THEN RAISE EXCEPTION 'request %: version % does not follow %', OLD.id, NEW.version, OLD.version; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER link_request_guard BEFORE UPDATE OR DELETE ON link_request FOR EACH ROW EXECUTE FUNCTION curmill_request_guard();

-- Invitations as AWS told of them. AWS forgets ended ones after 30 days; these rows stay.
CREATE TABLE handshake (
    id           text PRIMARY KEY,             -- 'h-...'
    payer        text NOT NULL,
    account      text NOT NULL DEFAULT '',     -- '' if the party is a mail address
    email        text NOT NULL DEFAULT '',
    request_id   bigint REFERENCES link_request (id),
    action       text NOT NULL DEFAULT 'INVITE',
    state        text NOT NULL,                -- as AWS writes it: REQUESTED OPEN CANCELED ACCEPTED DECLINED EXPIRED
    requested_at timestamptz NOT NULL,
    expires_at   timestamptz,
    first_seen   timestamptz NOT NULL,
    last_seen    timestamptz NOT NULL,
    ended_at     timestamptz                   -- when an end state was first seen
);
CREATE INDEX handshake_payer ON handshake (payer, requested_at);
CREATE INDEX handshake_request ON handshake (request_id);

-- Each try of a role (O13, O22): the newest row counts; link_request.role_verdict holds its verdict.
CREATE TABLE role_check (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id     bigint NOT NULL REFERENCES link_request (id),
    account        text NOT NULL,
    role_arn       text NOT NULL,
    verdict        text NOT NULL CHECK (verdict IN ('unchecked', 'valid', 'invalid')),
    missing_action text NOT NULL DEFAULT '',   -- 'sts:AssumeRole', or the first permission that is missing
    detail         text NOT NULL DEFAULT '',
    failures       int NOT NULL DEFAULT 0,     -- in a row
    checked_at     timestamptz NOT NULL,
    next_check_at  timestamptz NOT NULL
);
CREATE INDEX role_check_request ON role_check (request_id, id);

-- Off-boarding gates (N23, O30-O34, P18): one row for each gate and item that is open, with the evidence.
CREATE TABLE offboarding_gate (
    request_id bigint NOT NULL REFERENCES link_request (id),
    gate       text NOT NULL,
    item       text NOT NULL DEFAULT '',       -- a role or policy by name
    evidence   text NOT NULL,
    opened_at  timestamptz NOT NULL,
    opened_by  text NOT NULL,
    PRIMARY KEY (request_id, gate, item)
);

-- Duties of a payer by the month (N07, N08, O28): what a person said was submitted, as it was.
CREATE TABLE end_user_report (
    payer        text NOT NULL,
    period       text NOT NULL,
    duty         text NOT NULL,                -- 'end_user_report', 'apn_update': as the payer model lists them
    content      text NOT NULL DEFAULT '',     -- CSV as submitted
    accounts     int NOT NULL DEFAULT 0,
    submitted_at timestamptz NOT NULL,
    submitted_by text NOT NULL,
    reason       text NOT NULL DEFAULT '',
    PRIMARY KEY (payer, period, duty)
);

-- What people should be told. curmill does not send mail: a person (or a mailer of the site) sends it and marks it as sent.
CREATE TABLE notification (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane       text NOT NULL,
    request_id bigint REFERENCES link_request (id),
    code       text NOT NULL,                  -- REQUEST_RECEIVED, INVITATION_REMINDER ...
    recipient  text NOT NULL,                  -- 'reseller' | 'customer' | 'distributor'
    subject    text NOT NULL,
    body       text NOT NULL,
    made_at    timestamptz NOT NULL,
    sent_at    timestamptz,
    sent_by    text,
    UNIQUE (request_id, code)
);
CREATE INDEX notification_waiting ON notification (id) WHERE sent_at IS NULL;

-- What holds for rating: whose account it is, since when. Half-open.
CREATE VIEW effective_link AS
    SELECT payer, account, customer, billed_from, billed_until, support_plan_group, support_plan AS declared_plan, lane, id AS request_id
    FROM link_request
    WHERE state IN ('active', 'offboarding', 'left') AND billed_from IS NOT NULL AND (billed_until IS NULL OR billed_until > billed_from);

CREATE FUNCTION curmill_notify_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('curmill_accounts', NEW.payer);
    RETURN NULL;
END $$;
CREATE TRIGGER account_notify AFTER INSERT OR UPDATE ON account FOR EACH ROW EXECUTE FUNCTION curmill_notify_accounts();
CREATE TRIGGER link_request_notify AFTER INSERT OR UPDATE ON link_request FOR EACH ROW EXECUTE FUNCTION curmill_notify_accounts();
