"""S3 as a source of reports, through source-probe: against versitygw, which checks signatures, regions and hashes strictly, and
against servers that misbehave in the ways that AWS and networks do."""
import datetime
import email.utils
import hashlib
import json
import os
import subprocess
import time

import pytest

import stack as stacks
from s3_server import ACCESS_KEY, REGION, SECRET_KEY, CuttingProxy, FakeS3, Versitygw, versitygw_program

BUCKET = "curmill-test"
PAYER = "012345678901"
ODD_KEYS = ["odd/a+b.csv", "odd/a b.csv", "odd/é ü 日本.csv", "odd/a&b=c.csv", "odd/%41.csv", "odd/a:b,c;d@e!$'()*.csv", "odd/~-_..csv",
            "odd/a%2Bb.csv", "odd/q?x#y.csv", "odd/<tag>&amp;.csv"]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    program = versitygw_program()
    if program is None:
        pytest.skip("versitygw is not built and there is no Go to build it with")
    server = Versitygw(program, tmp_path_factory.mktemp("versitygw"))
    try:
        server.put(BUCKET)
        yield server
    finally:
        server.stop()


@pytest.fixture
def servers():
    """Keeps servers of one test to stop them at its end."""
    started = []
    yield started
    for server in started:
        server.stop()


def environment(**more):
    clean = {k: v for k, v in stacks.clean_environment().items() if not k.startswith("AWS_") and not k.lower().endswith("_proxy")}
    return {**clean, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": "/nonexistent", **{k: v for k, v in more.items() if v is not None}}


def command(url, *args, **definition):
    source = {"type": "s3", "bucket": BUCKET, "region": REGION, "endpoint": url, **definition}
    return [stacks.programs() / "source-probe", json.dumps({k: v for k, v in source.items() if v}), *args]


def probe(url, *args, env=None, **definition):
    """Runs source-probe; whatever happens, no secret may show."""
    done = subprocess.run(command(url, *args, **definition), env=environment(**(env or {})), stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=120, check=False)
    shown = (done.stdout if args[0] not in ("cat", "cats") else b"") + done.stderr
    assert not stacks.SANITIZER_REPORT.search(done.stderr.decode(errors="replace")), done.stderr.decode(errors="replace")
    for secret in (SECRET_KEY, "the-wrong-secret", "role-secret", "role-token", "external-id"):
        assert secret.encode() not in shown, shown
    return done


def good(done):
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def error(done):
    assert done.returncode == 1, done.stdout[:1000]
    return json.loads(done.stderr.decode().strip().splitlines()[-1])


def listing(objects, token=None):
    body = "".join(f"<Contents><Key>{key}</Key><Size>{size}</Size><ETag>&quot;{tag}&quot;</ETag>"
                   "<LastModified>2025-06-01T00:00:00.000Z</LastModified></Contents>" for key, size, tag in objects)
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return (f'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{more}'
            f"<EncodingType>url</EncodingType>{body}</ListBucketResult>").encode()


def failure(code, message="no"):
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


# --- against a strict server ----------------------------------------------------------------------------------------

def test_list_of_more_than_a_page(gateway):
    keys = [f"many/{n:04}" for n in range(1105)]
    for key in keys:
        gateway.put(BUCKET, key, key.encode())
    objects = json.loads(good(probe(gateway.url, "list", "many/")))
    assert [o["key"] for o in objects] == keys
    assert {o["bytes"] for o in objects} == {9}
    assert objects[7]["fingerprint"] == "9:" + hashlib.md5(b"many/0007").hexdigest()
    assert json.loads(good(probe(gateway.url, "list", "many/110"))) == objects[1100:]
    assert json.loads(good(probe(gateway.url, "list", "", prefix="many"))) == objects, "the source's prefix is a folder"
    assert json.loads(good(probe(gateway.url, "list", "", prefix="man"))) == []
    assert json.loads(good(probe(gateway.url, "list", "other/", prefix="many"))) == [], "nothing outside of the source's folder"


def test_odd_keys(gateway):
    for key in ODD_KEYS:
        gateway.put(BUCKET, key, b"content of " + key.encode())
    objects = json.loads(good(probe(gateway.url, "list", "odd/")))
    assert [o["key"].encode() for o in objects] == sorted(k.encode() for k in ODD_KEYS)
    for one in objects:
        assert json.loads(good(probe(gateway.url, "stat", one["key"])))["fingerprint"] == one["fingerprint"]
        assert good(probe(gateway.url, "cat", one["key"], one["fingerprint"])).decode() == "content of " + one["key"]


def test_refusals_are_typed_and_hold_no_secret(gateway):
    for env in ({"AWS_SECRET_ACCESS_KEY": "the-wrong-secret"}, {"AWS_ACCESS_KEY_ID": "unknown-key"}):
        for args in (("list",), ("stat", "x"), ("cat", "x")):
            said = error(probe(gateway.url, *args, env=env))
            assert (said["class"], said["code"]) == ("RETRY", "DENIED"), said
            assert BUCKET in said["text"] and "tried" not in said["text"]
    assert error(probe(gateway.url, "list", region="eu-west-9"))["code"] == "INVALID"
    said = error(probe(gateway.url, "list", env={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}))
    assert said["code"] == "NO_CREDENTIALS" and "AWS_ACCESS_KEY_ID" in said["text"]


def test_what_is_not_there(gateway):
    for args, definition in ((("list",), {"bucket": "no-such-bucket"}), (("stat", "none"), {}), (("cat", "none"), {})):
        said = error(probe(gateway.url, *args, **definition))
        assert said["class"] == "NOT_FOUND", said
    assert good(probe(gateway.url, "list", "none/")).strip() == b"[]"


def test_endpoint_from_the_environment(gateway):
    gateway.put(BUCKET, "endpoint/x", b"1")
    for env in ({"AWS_ENDPOINT_URL": gateway.url}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": gateway.url}):
        assert len(json.loads(good(probe(None, "list", "endpoint/", env=env)))) == 1
    assert len(json.loads(good(probe(gateway.url, "list", "endpoint/", env={"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"})))) == 1


def test_large_object_in_little_memory(gateway):
    body = os.urandom(1 << 20) * 48
    gateway.put(BUCKET, "large.bin", body)
    gateway.put(BUCKET, "small.bin", body[:1000])
    memory = {}
    env = {"SOURCE_PROBE_MEMORY": "1", "ASAN_OPTIONS": ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=1"]))}
    for key, size in (("small.bin", 1000), ("large.bin", len(body))):
        done = probe(gateway.url, "cat", key, env=env)
        assert hashlib.sha256(good(done)).digest() == hashlib.sha256(body[:size]).digest()
        memory[key] = int(done.stderr.split(b"max_rss_kib=")[1].split()[0])
    assert 0 < memory["small.bin"] and memory["large.bin"] - memory["small.bin"] < 12 * 1024, memory


def test_slow_reader(gateway):
    body = os.urandom(1 << 20) * 12
    gateway.put(BUCKET, "slow.bin", body)
    with subprocess.Popen(command(gateway.url, "cat", "slow.bin"), env=environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        read = b""
        for _ in range(6):
            time.sleep(0.1)
            read += process.stdout.read(500_000)
        read += process.stdout.read()
        assert process.wait(30) == 0, process.stderr.read()
    assert read == body


def test_many_objects_over_one_connection(servers):
    fake = FakeS3(lambda request, n: (200, {"ETag": '"e"'}, request["path"].encode() * 1000), keep_alive=True)
    servers.append(fake)
    out = good(probe(fake.url, "cats", *(f"several/{n}" for n in range(20))))
    assert out == b"".join(f"/{BUCKET}/several/{n}".encode() * 1000 for n in range(20))
    assert (fake.connections, len(fake.requests)) == (1, 20)


# --- cut connections ------------------------------------------------------------------------------------------------

def test_a_cut_connection_is_taken_up_where_it_broke(gateway, servers):
    body = os.urandom(3_000_000)
    gateway.put(BUCKET, "cut.bin", body)
    fingerprint = json.loads(good(probe(gateway.url, "stat", "cut.bin")))["fingerprint"]
    proxy = CuttingProxy(gateway.port, [1_000_000, 700_000, 0, 300_000])
    servers.append(proxy)
    assert good(probe(proxy.url, "cat", "cut.bin", fingerprint)) == body
    assert len(proxy.heads) == 5
    tag = f'If-Match: "{hashlib.md5(body).hexdigest()}"'
    assert all(tag in head for head in proxy.heads)
    starts = [int(head.split("Range: bytes=")[1].split("-")[0]) if "Range:" in head else 0 for head in proxy.heads]
    assert starts[0] == 0 < starts[1] < starts[2] == starts[3] < starts[4] < len(body), starts


def test_overwritten_in_the_middle(gateway, servers):
    body = os.urandom(2_000_000)
    gateway.put(BUCKET, "overwritten.bin", body)
    proxy = CuttingProxy(gateway.port, [1_000_000], on_cut=lambda: gateway.put(BUCKET, "overwritten.bin", b"!" + body[1:]))
    servers.append(proxy)
    done = probe(proxy.url, "cat", "overwritten.bin")
    said = error(done)
    assert (said["class"], said["code"]) == ("POISON", "CHANGED"), said
    assert "overwritten.bin" in said["text"] and body.startswith(done.stdout)


def test_deleted_in_the_middle(gateway, servers):
    gateway.put(BUCKET, "deleted.bin", os.urandom(2_000_000))
    proxy = CuttingProxy(gateway.port, [1_000_000], on_cut=lambda: gateway.request("DELETE", BUCKET, "deleted.bin"))
    servers.append(proxy)
    assert error(probe(proxy.url, "cat", "deleted.bin"))["code"] == "CHANGED"


def test_overwritten_since_it_was_listed(gateway):
    gateway.put(BUCKET, "listed.csv", b"first")
    fingerprint = json.loads(good(probe(gateway.url, "stat", "listed.csv")))["fingerprint"]
    assert good(probe(gateway.url, "cat", "listed.csv", fingerprint)) == b"first"
    gateway.put(BUCKET, "listed.csv", b"other")
    said = error(probe(gateway.url, "cat", "listed.csv", fingerprint))
    assert (said["class"], said["code"]) == ("POISON", "CHANGED"), said


def test_a_connection_that_always_breaks(gateway, servers):
    gateway.put(BUCKET, "hopeless.bin", os.urandom(100_000))
    proxy = CuttingProxy(gateway.port, [10] * 50)
    servers.append(proxy)
    said = error(probe(proxy.url, "cat", "hopeless.bin", env={"AWS_MAX_ATTEMPTS": "4"}))
    assert (said["class"], said["code"]) == ("RETRY", "UNAVAILABLE"), said
    assert len(proxy.heads) == 4


# --- servers that misbehave -----------------------------------------------------------------------------------------

def test_throttling_is_waited_out(servers):
    answers = [(503, {}, failure("SlowDown", "Please reduce your request rate.")), (500, {}, failure("InternalError")),
               (400, {}, failure("RequestTimeout")), (200, {}, listing([("a+b", 3, "e")]))]
    fake = FakeS3(lambda request, n: answers[n])
    servers.append(fake)
    assert json.loads(good(probe(fake.url, "list"))) == [
        {"bytes": 3, "fingerprint": "3:e", "key": "a b", "modified": "2025-06-01T00:00:00Z"}]
    assert len(fake.requests) == 4


def test_throttling_that_does_not_end(servers):
    fake = FakeS3(lambda request, n: (503, {}, failure("SlowDown")))
    servers.append(fake)
    said = error(probe(fake.url, "list", env={"AWS_MAX_ATTEMPTS": "3"}))
    assert (said["class"], said["code"]) == ("RETRY", "THROTTLED") and "3 times" in said["text"], said
    assert len(fake.requests) == 3


def test_a_listing_that_is_cut(servers):
    whole = listing([("k", 1, "e")])
    fake = FakeS3(lambda request, n: (200, {"Content-Length": str(len(whole))}, whole[:40] if n == 0 else whole))
    servers.append(fake)
    assert [o["key"] for o in json.loads(good(probe(fake.url, "list")))] == ["k"]
    assert len(fake.requests) == 2


def test_a_body_that_is_cut(servers):
    def answer(request, n):
        start = int(request["headers"]["Range"][6:-1]) if "Range" in request["headers"] else 0
        rest = b"0123456789"[start:]
        headers = {"ETag": '"e"', "Content-Length": str(len(rest)), "Content-Range": f"bytes {start}-9/10"}
        return (206 if start else 200), headers, rest[:3]

    fake = FakeS3(answer)
    servers.append(fake)
    assert good(probe(fake.url, "cat", "k")) == b"0123456789"
    assert [r["headers"].get("Range") for r in fake.requests] == [None, "bytes=3-", "bytes=6-", "bytes=9-"]


def test_html_from_something_in_between(servers):
    fake = FakeS3(lambda request, n: (502, {}, b"<html><body><h1>Bad Gateway</h1><br></body></html>"))
    servers.append(fake)
    assert error(probe(fake.url, "list", env={"AWS_MAX_ATTEMPTS": "2"}))["code"] == "UNAVAILABLE"
    fake = FakeS3(lambda request, n: (200, {}, b"<html><body>log in here"))
    servers.append(fake)
    assert "XML" in error(probe(fake.url, "list"))["text"]


def test_a_wrong_clock_is_corrected(servers):
    ahead = datetime.timedelta(hours=2)

    def answer(request, n):
        now = datetime.datetime.now(datetime.timezone.utc) + ahead
        signed = datetime.datetime.strptime(request["headers"]["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        headers = {"Date": email.utils.format_datetime(now, usegmt=True)}
        if abs(now - signed) > datetime.timedelta(minutes=15):
            return 403, headers, failure("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
        return 200, headers, listing([("k", 1, "e")])

    fake = FakeS3(answer)
    servers.append(fake)
    assert len(json.loads(good(probe(fake.url, "list")))) == 1
    assert len(fake.requests) == 2


def test_a_server_that_repeats_secrets(servers):
    fake = FakeS3(lambda request, n: (400, {}, failure("InvalidArgument", f"you said {SECRET_KEY}")))
    servers.append(fake)
    assert "you said ***" in error(probe(fake.url, "list"))["text"]


def test_slow_is_not_dead(servers):
    fake = FakeS3(lambda request, n: (time.sleep(3), (200, {}, listing([])))[1])
    servers.append(fake)
    began = time.monotonic()
    good(probe(fake.url, "list"))
    assert time.monotonic() - began >= 3 and len(fake.requests) == 1


def test_another_account_by_its_role(servers):
    """role_arn and external_id of the payer's source: AssumeRole once, then its session signs."""
    expires = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def answer(request, n):
        if request["method"] == "POST":
            form = request["body"].decode()
            if "ExternalId=external-id" not in form:
                return 403, {}, b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>"
            return 200, {}, (
                "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>role-secret"
                f"</SecretAccessKey><SessionToken>role-token</SessionToken><Expiration>{expires}</Expiration></Credentials>"
                "</AssumeRoleResult></AssumeRoleResponse>").encode()
        allowed = request["headers"].get("x-amz-security-token") == "role-token" and "Credential=ROLE/" in request["headers"]["Authorization"]
        return (200, {"ETag": '"e"'}, b"data") if allowed else (403, {}, failure("AccessDenied"))

    fake = FakeS3(answer)
    servers.append(fake)
    role = {"role_arn": "arn:aws:iam::111122223333:role/reports", "external_id": "external-id"}
    env = {"AWS_ENDPOINT_URL_STS": fake.url}
    assert good(probe(fake.url, "cats", "a", "b", "c", env=env, **role)) == b"data" * 3
    assert [r["method"] for r in fake.requests] == ["POST", "GET", "GET", "GET"], "the session is kept"
    said = error(probe(fake.url, "list", env=env, role_arn=role["role_arn"]))
    assert said["code"] == "DENIED" and "role/reports" in said["text"], said


# --- reports --------------------------------------------------------------------------------------------------------

def test_reports_in_a_bucket(gateway):
    execution = "2025-06-16T15:24:15.653Z-04e9e487-79a7-42b1-a680-1de7c660dc8f"
    cur2 = f"reports/c/e/data/BILLING_PERIOD=2025-06/{execution}/e-00001.csv.gz"
    legacy = "reports/r/20250601-20250701/20250702T010203Z/r-00001.csv.zip"
    gateway.put(BUCKET, cur2, b"1234")
    gateway.put(BUCKET, legacy, b"12")
    gateway.put(BUCKET, "reports/copy/" + legacy, b"an older copy")  # the exact key wins in a bucket
    gateway.put(BUCKET, "reports/c/e/metadata/BILLING_PERIOD=2025-06/e-Manifest.json", json.dumps(
        {"executionId": execution[25:], "columns": [], "dataFiles": [f"s3://{BUCKET}/{cur2}"]}).encode())
    gateway.put(BUCKET, "reports/r/20250601-20250701/r-Manifest.json", json.dumps(
        {"assemblyId": "20250702T010203Z", "account": PAYER, "reportName": "r", "compression": "ZIP", "reportKeys": [legacy],
         "billingPeriod": {"start": "20250601T000000.000Z", "end": "20250701T000000.000Z"}}).encode())
    gateway.put(BUCKET, "reports/r/20250701-20250801/r-Manifest.json", json.dumps(
        {"assemblyId": "A", "account": PAYER, "reportName": "r", "reportKeys": ["reports/r/20250701-20250801/A/r-1.csv.gz"],
         "billingPeriod": {"start": "20250701T000000.000Z", "end": "20250801T000000.000Z"}}).encode())
    found = json.loads(good(probe(gateway.url, "find", PAYER, prefix="reports/")))
    assert [(d["report"], d["period"], d["error_code"]) for d in found] == [
        ("e", "2025-06", ""), ("r", "2025-06", ""), ("r", "2025-07", "MISSING_FILE")]
    assert found[0]["assembly"] == execution and found[0]["format"] == "cur2" and found[0]["immutable_keys"]
    assert [c["key"] for d in found[:2] for c in d["chunks"]] == [cur2, legacy]
    assert found[0]["chunks"][0]["fingerprint"] == "4:" + hashlib.md5(b"1234").hexdigest()
    assert f"s3://{BUCKET}/reports/" in found[2]["error_text"] and found[2]["chunks"][0]["key"] is None
    assert len(json.loads(good(probe(gateway.url, "find", PAYER, "2025-07", prefix="reports")))) == 1
    assert json.loads(good(probe(gateway.url, "find", "999999999999", "2025-06", prefix="reports/r")))[0]["error_code"] == "WRONG_PAYER"
