"""A database of its own, a catalog with payers that have `access`, and turns of org-linker against the fake (tests/tools/org_turn)."""
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse

from aws.place import BIN
from tools import private_postgres
from tools.fake_aws import FakeAws

OPERATOR = "999900001111"   # the account whose credentials curmill has; payers' roles trust it
EXTERNAL_ID = "ext-of-payer-"


class Postgres(private_postgres.PrivatePostgres):
    """With the tables of this version in database `base`."""

    def __init__(self):
        super().__init__(pathlib.Path(tempfile.mkdtemp(prefix="curmill-aws-")))
        self.sql("postgres", "CREATE DATABASE base")
        run(["migrate"], self.conninfo("base"), "2025-06-01T00:00:00Z")
        self.made = {}

    def database(self, folder, documents):
        """A database with this catalog and nothing else; made once for each catalog, emptied for each test."""
        text = "\n---\n".join(documents) + "\n"
        if text in self.made:
            self.sql(self.made[text], "TRUNCATE aws_turn, aws_support_look, aws_support_charge, account, payer_organization, handshake, role_check, link_history, link_request, notification CASCADE")
            return self.made[text]
        name = self.made[text] = f"t{len(self.made)}"
        self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE base")
        (folder / "catalog.yaml").write_text(text)
        run(["catalog", "apply", str(folder), "--now", "--by", "test", "--reason", "test"], self.conninfo(name), "2025-06-01T00:00:00Z")
        return name

    def stop(self):
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def run(arguments, conninfo, now, code=0):
    env = {**os.environ, "CURMILL_DATABASE": conninfo, "CURMILL_CLOCK": now}
    done = subprocess.run([BIN / "curmill", *arguments], env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout


class Linking:
    """Payers of an organization each with a role that trusts the operator's account under the payer's own external id."""

    def __init__(self, postgres, folder, payers, model="tdsynnex", kind="shared", tell=True):
        self.lane, self.postgres, self.fake = model, postgres, FakeAws()
        self.world, self.payers = self.fake.world, payers
        self.world.account(OPERATOR)
        self.environment = self.fake.environment(*self.world.access_key(OPERATOR))
        documents = ["kind: Reseller\nid: northwind\nname: Northwind",
                     "kind: Customer\nid: acme\nname: Acme\nreseller: northwind\ninvoice_currency: USD\nprice_book: standard",
                     "kind: PriceBook\nid: standard\ncurrency: USD\nversions: [{effective_from: 2025-01-01, rules: [{id: all, priority: 1, price: {pass: payer}}]}]"]
        for payer in payers:
            if tell and payer not in self.world.accounts:
                self.world.organization(payer)
            arn = self.world.role(payer, trusts=OPERATOR, external_id=EXTERNAL_ID + payer)
            documents.append(f'kind: Payer\nid: "{payer}"\nlane: {model}\nmodel: {model}\npayer_kind: {kind}\nreseller: northwind\n'
                             f'access: {{role_arn: "{arn}", external_id: "{EXTERNAL_ID}{payer}"}}')
        self.database = postgres.database(folder, documents)

    def sql(self, text):
        return self.postgres.sql(self.database, text)

    def now(self):
        return self.world.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def turns(self, *options):
        """All turns that are due at the world's time. Returns {payer: turn}; self.log is what was logged, self.peak the memory in KiB."""
        env = {n: v for n, v in os.environ.items() if not n.startswith("AWS_")} | self.environment
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "detect_leaks=0") + ":quarantine_size_mb=1"   # freed memory is no memory in use
        done = subprocess.run([BIN / "org-turn", self.postgres.conninfo(self.database), self.lane, self.now(), *map(str, options)], env=env,
                              capture_output=True, text=True, timeout=300 + 3 * len(self.payers), check=False)
        assert done.returncode == 0, done.stderr
        assert "ERROR: AddressSanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        if "--thread" in options:
            self.stopped_ms = lines[0]["stopped_ms"]
            return {}
        self.log, self.peak = done.stderr, lines.pop()["peak_kib"]
        assert not self.fake.own_faults, self.fake.own_faults[0]
        return {line["payer"]: line for line in lines}

    def hour(self, *options):
        """An hour later: every payer that is not in trouble has its turn again."""
        self.world.advance(hours=1)
        return self.turns(*options)

    def request(self, account, payer=None, state="approved", role=None, external_id=""):
        self.world.accounts.get(account) or self.world.account(account)
        row = self.sql("INSERT INTO link_request (kind, state, payer, lane, model, account, customer, support_plan, support_plan_group, role_required,"
                       " role_arn, external_id, mfa_confirmed, requested_at, requested_by, approved_at, approved_by, changed_at) VALUES"
                       f" ('link', '{state}', '{payer or self.payers[0]}', 'tdsynnex', 'tdsynnex', '{account}', 'acme', 'basic', 'g',"
                       f" {'true' if role else 'false'}, '{role or ''}', '{external_id}', true, '{self.now()}', 'test', '{self.now()}', 'test',"
                       f" '{self.now()}') RETURNING id")
        return int(row[0][0])

    def state(self, account):
        return self.sql(f"SELECT state FROM link_request WHERE account = '{account}' ORDER BY id DESC LIMIT 1")[0][0]

    def close(self):
        self.fake.stop()


class CannedAws:
    """Fixed answers, quickly, for measuring: who is told by the session's access key. `left`: payers whose last account is not listed."""

    def __init__(self, payers, members, left):
        self.count, canned = 0, self
        self.pages = {}
        for p, payer in enumerate(payers):
            numbers = [payer] + [f"7{p:04}{n:07}" for n in range(members - 1)]
            self.pages[payer] = numbers[:-1] if payer in left else numbers

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
                text = canned.answer(self.headers["Authorization"].split("Credential=")[1].split("/")[0], self.path, body).encode()
                canned.count += 1
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, key, path, body):
        if "Action=AssumeRole" in body:
            payer = urllib.parse.parse_qs(body)["RoleArn"][0].split(":")[4]
            return (f"<R><AssumeRoleResult><Credentials><AccessKeyId>ASIA{payer}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                    "<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></R>")
        payer = key.removeprefix("ASIA")
        if "Action=GetCallerIdentity" in body:
            return f"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{payer}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        if path != "/":
            return "{}"
        start = int(json.loads(body).get("NextToken") or 0)
        numbers = self.pages[payer]
        page = [{"Id": n, "Name": "", "Email": "", "State": "ACTIVE", "JoinedMethod": "INVITED", "JoinedTimestamp": 1735689600}
                for n in numbers[start:start + 20]]
        return json.dumps({"Accounts": page, **({"NextToken": str(start + 20)} if start + 20 < len(numbers) else {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
