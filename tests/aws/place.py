"""What the tests of AWS calls share: a fake with a payer, and aws-probe, which makes one call through common/platform/aws."""
import json
import os
import pathlib
import subprocess

import boto3
from botocore.config import Config

from tools.fake_aws import FakeAws

BIN = pathlib.Path(os.environ.get("CURMILL_BIN") or pathlib.Path(__file__).resolve().parents[2] / "build" / "dev" / "bin")
PAYER, MEMBER, OTHER_PAYER, STRANGER = "111122223333", "444455556666", "222233334444", "777788889999"


class Answer:
    def __init__(self, process):
        self.code, self.log = process.returncode, process.stderr
        self.lines = [json.loads(line) for line in process.stdout.splitlines()]
        last = process.stderr.strip().splitlines()[-1:] if process.returncode else []
        self.error = json.loads(last[0]) if last and last[0].startswith("{") else None


def run_probe(environment, *arguments, attempts=4):
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env.update(environment, AWS_MAX_ATTEMPTS=str(attempts))
    process = subprocess.run([BIN / "aws-probe", *arguments], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert "ERROR: AddressSanitizer" not in process.stderr and "runtime error" not in process.stderr, process.stderr
    return Answer(process)


class Place:
    """A fake with one payer that has a member, a stranger outside of it, and a key of the operator's own account with a role in the payer."""

    def __init__(self):
        self.fake = FakeAws()
        self.world = self.fake.world
        self.world.organization(PAYER, [MEMBER])
        self.world.account(STRANGER)
        self.world.account("999900001111")
        self.key, self.secret = self.world.access_key(PAYER)
        self.environment = self.fake.environment(self.key, self.secret)

    def probe(self, *arguments, **more):
        return run_probe(self.environment, *arguments, **more)

    def boto(self, service, key=None, secret=None, token=None, region="us-east-1"):
        return boto3.client(service, endpoint_url=self.fake.url, aws_access_key_id=key or self.key, aws_secret_access_key=secret or self.secret,
                            aws_session_token=token, region_name=region, config=Config(retries={"max_attempts": 1, "mode": "standard"}))
