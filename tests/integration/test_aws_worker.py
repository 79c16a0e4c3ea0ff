"""The worker itself with AWS (the fake): it asks by itself, invites what is approved, stops in time, and its logs hold no secret."""
import datetime

import pytest
import stack as stacks
from tools.fake_aws import FakeAws, World

PAYER, NEW, OPERATOR, EXTERNAL_ID = "111122223333", "777788889999", "999900001111", "external-id-of-the-payer"

CATALOG = """kind: Reseller
id: northwind
name: Northwind
---
kind: PriceBook
id: standard
currency: USD
versions: [{{effective_from: 2025-01-01, rules: [{{id: all, priority: 1, price: {{pass: payer}}}}]}}]
---
kind: Customer
id: acme
name: Acme
reseller: northwind
invoice_currency: USD
price_book: standard
---
kind: Payer
id: "{payer}"
lane: tdsynnex
model: tdsynnex
payer_kind: shared
reseller: northwind
access: {{role_arn: "{role}", external_id: {external_id}}}
"""


@pytest.fixture
def fake():
    with FakeAws(World(datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))) as it:
        for number in (NEW, OPERATOR):
            it.world.account(number)
        it.world.organization(PAYER)
        yield it
        assert not it.own_faults, it.own_faults[0]


def test_org_linker_asks_aws_and_invites(fake, make_stack, monkeypatch, tmp_path):
    """O19, O20: an approved request is invited within seconds, not at the next hour."""
    role = fake.world.role(PAYER, trusts=OPERATOR, external_id=EXTERNAL_ID)
    for name, value in fake.environment(*fake.world.access_key(OPERATOR)).items():
        monkeypatch.setenv(name, value)
    stack = make_stack(settings={"log.level": "debug"})
    (tmp_path / "catalog.yaml").write_text(CATALOG.format(payer=PAYER, role=role, external_id=EXTERNAL_ID))
    stack.apply_catalog("aws", tmp_path)
    stacks.wait_until(lambda: stack.sql("SELECT 1 FROM aws_turn WHERE good_at IS NOT NULL"), 60, "AWS is asked about the payer")
    assert stack.sql("SELECT account, joined_method, aws_state FROM account") == [{"account": PAYER, "joined_method": "CREATED", "aws_state": "ACTIVE"}]
    fake.fault("drop_after", operation="ListAccounts")
    stack.sql(f"""INSERT INTO link_request (kind, state, payer, lane, model, account, customer, support_plan, support_plan_group, role_required,
                  mfa_confirmed, requested_at, requested_by, approved_at, approved_by, changed_at) VALUES ('link', 'approved', '{PAYER}', 'tdsynnex',
                  'tdsynnex', '{NEW}', 'acme', 'basic', '', false, true, now(), 'test', now(), 'test', now()) RETURNING id""")
    stacks.wait_until(lambda: stack.sql("SELECT 1 FROM link_request WHERE state = 'invited'"), 30, "the request is invited")
    assert [h["target"] for h in fake.world.handshakes.values()] == [NEW]
    logs = "".join(file.read_text(errors="replace") for file in stack.log.iterdir() if file.is_file())
    assert "AWS call is tried again" in logs
    secrets = [value for key in fake.world.keys.values() for value in (key["secret"], key["token"]) if value]
    assert len(secrets) >= 3 and not [secret for secret in [*secrets, EXTERNAL_ID] if secret in logs]
