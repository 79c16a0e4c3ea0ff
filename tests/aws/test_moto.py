"""STS and account calls against somebody else's server with its signature checks on (moto's)."""
import json
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import boto3
import pytest

from aws.place import run_probe


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    """(environment of a user who may do what we call, role ARN with an external id). Not started: the tests fail, they are never skipped."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("moto") / "log"
    with open(log, "wb") as out:
        server = subprocess.Popen([str(pathlib.Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)], stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{url}/moto-api/", timeout=2).read()
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.2)
        yield url, *_furnish(url)
    finally:
        server.terminate()
        server.wait(10)


def _furnish(url):
    def client(service):
        return boto3.client(service, endpoint_url=url, aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1")
    iam = client("iam")
    iam.create_user(UserName="curmill")
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["sts:*", "organizations:List*", "organizations:Describe*"], "Resource": "*"}]}
    iam.put_user_policy(UserName="curmill", PolicyName="p", PolicyDocument=json.dumps(allow))
    key = iam.create_access_key(UserName="curmill")["AccessKey"]
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:user/curmill"}, "Action": "sts:AssumeRole",
                                                    "Condition": {"StringEquals": {"sts:ExternalId": "the-right-id"}}}]}
    arn = iam.create_role(RoleName="payer", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="payer", PolicyName="p", PolicyDocument=json.dumps(allow))
    organizations = client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    organizations.create_account(Email="one@customer.example", AccountName="one")
    request = urllib.request.Request(f"{url}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"})
    urllib.request.urlopen(request, timeout=10).read()   # from here on signatures are checked
    return key["AccessKeyId"], key["SecretAccessKey"], arn


def environment(moto, secret=None):
    return {"AWS_ENDPOINT_URL": moto[0], "AWS_ACCESS_KEY_ID": moto[1], "AWS_SECRET_ACCESS_KEY": secret or moto[2], "AWS_REGION": "us-east-1"}


def test_identity(moto):
    answer = run_probe(environment(moto), "identity")
    assert answer.lines == [{"account": "123456789012"}], answer.log
    assert run_probe(environment(moto, "wrong"), "identity").error["code"] == "DENIED"   # signatures are really checked


def test_role_session_signs_the_next_calls(moto):
    role = ["--role", moto[3], "--external-id"]
    answer = run_probe(environment(moto), *role, "the-right-id", "identity")
    assert answer.lines == [{"account": "123456789012"}], answer.log
    wrong = run_probe(environment(moto), *role, "a-wrong-id", "identity")
    assert wrong.error["code"] == "DENIED", wrong.log


def test_accounts(moto):
    answer = run_probe(environment(moto), "accounts")
    assert "one" in [line["name"] for line in answer.lines], answer.log
    root = run_probe(environment(moto), "root").lines[0]
    number = next(line["id"] for line in answer.lines if line["name"] == "one")
    assert run_probe(environment(moto), "parent", number).lines == [{"id": root["id"], "kind": "ROOT"}]
    assert run_probe(environment(moto), "account", number).lines[0]["email"] == "one@customer.example"


def test_what_it_cannot_do_is_an_error_and_no_crash(moto):
    """Its unmodelled calls answer as HTML or XML even where the service speaks JSON."""
    error = run_probe(environment(moto), "invitations", attempts=2).error
    assert error["class"] == "RETRY", error
