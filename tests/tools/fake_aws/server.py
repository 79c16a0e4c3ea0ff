"""The HTTP side: signature, permission, parameters, faults, then the operation.

    fake = FakeAws(); fake.world.organization("111122223333", ["444455556666"])
    key, secret = fake.world.access_key("111122223333")
    ... AWS_ENDPOINT_URL=fake.url ...
    fake.stop()

Faults (`fake.fault(kind, times, operation=, account=)`): throttle, error500, html (a 502 page), xml (an XML error from a JSON service), hang
(no answer), drop_before (connection closed, nothing done), drop_after (done, then closed), cut (done, half of the answer), repeat_page (the page's
token leads to the same page again), empty_page, expired (the session is out of date), not_json. `fake.down = True`: every request is a 503 page.
What was asked is in `fake.requests` as (operation, account of the caller, status); what the fake itself got wrong is in `fake.own_faults`."""
import email.utils
import http.server
import threading
import traceback

from . import wire
from .operations import OPERATIONS
from .world import Refusal, World

REGION = "us-east-1"


class FakeAws:
    def __init__(self, world=None, port=0):
        self.world = world or World()
        self.requests, self.own_faults, self.faults = [], [], []
        self.down, self.hang_seconds = False, 30.0
        self._stopping = threading.Event()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def date_time_string(self, timestamp=None):
                return email.utils.format_datetime(fake.world.wall(), usegmt=True)

            def do_POST(self):
                fake.handle(self)

            do_GET = do_PUT = do_HEAD = do_POST

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self):
        self._stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def fault(self, kind, times=1, operation=None, account=None, after=0):
        """The next `times` requests that fit, but for the first `after` of them."""
        self.faults.append({"kind": kind, "times": times, "operation": operation, "account": account, "after": after})

    def calls(self, operation=None, account=None):
        with self.world.lock:
            return sum(1 for o, a, _ in self.requests if operation in (None, o) and account in (None, a))

    def environment(self, key, secret):
        """For a program under test: no credentials but these, no service but this."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": REGION}

    # --- one request ---

    def _take_fault(self, operation, account):
        for fault in self.faults:
            if fault["times"] > 0 and fault["operation"] in (None, operation) and fault["account"] in (None, account):
                if fault["after"] > 0:
                    fault["after"] -= 1
                    continue
                fault["times"] -= 1
                return fault["kind"]
        return None

    def handle(self, http_request):
        headers = {name.lower(): value for name, value in http_request.headers.items()}
        body = http_request.rfile.read(int(headers.get("content-length") or 0))
        note = {"operation": "?", "account": "?", "fault": None}
        with self.world.lock:
            answer = self._answer(http_request, headers, body, note)
            self.requests.append((note["operation"], note["account"], answer[0] if answer else 0))
        kind = note["fault"]
        if kind == "hang":
            self._stopping.wait(self.hang_seconds)
        if kind in ("hang", "drop_before", "drop_after"):
            http_request.close_connection = True
            return
        self._send(http_request, *answer, cut=kind == "cut")

    def _send(self, http_request, status, headers, body, cut=False):
        http_request.send_response(status)
        for name, value in headers.items():
            http_request.send_header(name, value)
        http_request.send_header("Content-Length", str(len(body)))
        http_request.end_headers()
        try:
            http_request.wfile.write(body[:len(body) // 2] if cut else body)
        except OSError:
            pass
        http_request.close_connection = http_request.close_connection or cut

    def _answer(self, http_request, headers, body, note):
        if self.down:
            return 503, {"Content-Type": "text/html"}, b"<html><body>Service Unavailable<br></body></html>"
        service = None
        try:
            service, name, raw = wire.find_operation(http_request.command, http_request.path, headers, body)
            note["operation"] = name
            caller = self._caller(service, http_request, headers, body)
            note["account"] = caller["account"]
            note["fault"] = kind = self._take_fault(name, caller["account"])
            early = self._early_fault(service, kind)
            if early:
                return early
            if kind in ("hang", "drop_before"):
                return 0, {}, b""
            if service != "sts" and caller["actions"] is not None and f"{wire.signing_name(service)}:{name}" not in caller["actions"]:
                raise Refusal("AccessDeniedException", f"User: {caller['arn']} is not authorized to perform: {wire.signing_name(service)}:{name}")
            return self._perform(service, name, raw, caller, kind)
        except wire.WireError as error:
            return wire.write_error(service, error.code, error.message, error.status)
        except Refusal as refusal:
            status = 403 if refusal.code == "AccessDenied" or (service == "account" and refusal.code == "AccessDeniedException") else None
            return wire.write_error(service, refusal.code, refusal.message, status, **refusal.members)
        except Exception:   # the fake's own fault: a test that looks at own_faults fails
            self.own_faults.append(traceback.format_exc())
            return 500, {"Content-Type": "text/html"}, b"<html>the fake broke</html>"

    def _perform(self, service, name, raw, caller, kind):
        try:
            parameters = wire.read_parameters(service, name, raw)
        except ValueError as error:
            code = {"organizations": "InvalidInputException", "sts": "ValidationError"}.get(service, "ValidationException")
            return wire.write_error(service, code, str(error), 400)
        function = OPERATIONS.get((service, name))
        if not function:
            return wire.write_error(service, "UnsupportedOperation", f"the fake has no {name}", 501)
        answer = function(self.world, caller, parameters, kind)
        token = next((t for t in ("NextToken", "nextToken") if answer.get(t)), None)
        if kind == "repeat_page" and token:
            answer[token] = parameters.get(token) or answer[token]
        return (200, *wire.write_answer(service, name, answer))

    def _caller(self, service, http_request, headers, body):
        access_key = wire.authorization_of(headers)[0]
        key = self.world.keys.get(access_key)
        if not key:
            raise wire.WireError(403, "InvalidClientTokenId" if service == "sts" else "UnrecognizedClientException",
                                 "The security token included in the request is invalid.")
        url = f"http://{headers['host']}{http_request.path}"
        wire.check_signature(service, REGION, http_request.command, url, headers, body, key, self.world.wall())
        if key["expires"] and self.world.wall() >= key["expires"]:
            raise wire.WireError(403 if service == "sts" else 400, "ExpiredToken" if service == "sts" else "ExpiredTokenException",
                                 "The security token included in the request is expired")
        return key

    def _early_fault(self, service, kind):
        if kind == "throttle":
            code = {"organizations": "TooManyRequestsException", "sts": "Throttling"}.get(service, "ThrottlingException")
            return wire.write_error(service, code, "Rate exceeded", 400 if service in ("organizations", "sts") else 429)
        if kind == "error500":
            return wire.write_error(service, "ServiceException" if service == "organizations" else "InternalServerException", "oops", 500)
        if kind == "html":
            return 502, {"Content-Type": "text/html"}, b"<html><body><br>Bad Gateway"
        if kind == "xml":
            return 400, {"Content-Type": "text/xml"}, b"<ErrorResponse><Error><Code>InvalidAction</Code><Message>no</Message></Error></ErrorResponse>"
        if kind == "not_json":
            return 200, {"Content-Type": "text/html"}, b"<html>welcome to the hotel network</html>"
        if kind == "expired":
            return wire.write_error(service, "ExpiredTokenException", "The security token included in the request is expired", 400)
        return None
