"""The wire: who signed (SigV4 recomputed by botocore), what was asked (validated against botocore's service models), how it is answered."""
import calendar
import datetime
import hashlib
import json
import re
import urllib.parse
import xml.sax.saxutils

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.session
import botocore.validate

UTC = datetime.timezone.utc
SERVICES = ("organizations", "taxsettings", "account", "sts", "cur", "support", "billing")
SKEW = datetime.timedelta(minutes=15)
_session = botocore.session.get_session()
MODELS = {name: _session.get_service_model(name) for name in SERVICES}


class WireError(Exception):
    """What AWS answers before it looks at the operation."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def signing_name(service):
    return MODELS[service].metadata.get("signingName") or MODELS[service].metadata["endpointPrefix"]


def find_operation(method, path, headers, body):
    """(service, operation name, raw parameters) of a request; the service is told by the target, the path or the form."""
    target = headers.get("x-amz-target")
    kind = headers.get("content-type", "")
    if method != "POST":
        raise WireError(405, "MethodNotAllowed", f"{method} is not used by these services")
    if target:
        prefix, _, name = target.partition(".")
        service = next((s for s in SERVICES if MODELS[s].metadata.get("targetPrefix") == prefix), None)
        if not service or name not in MODELS[service].operation_names:
            raise WireError(400, "UnknownOperationException", f"no operation {target}")
        want = f"application/x-amz-json-{MODELS[service].metadata['jsonVersion']}"
        if kind != want or path != "/":
            raise WireError(400, "SerializationException", f"{target} wants POST / as {want}, not {path} as {kind}")
        return service, name, _json(body, required=True)
    if kind.startswith("application/x-www-form-urlencoded"):
        form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True, keep_blank_values=True))
        name, version = form.pop("Action", None), form.pop("Version", None)
        if name not in MODELS["sts"].operation_names or version != MODELS["sts"].api_version:
            raise WireError(400, "InvalidAction", f"no action {name} in version {version}")
        return "sts", name, form
    for service in SERVICES:
        for name in MODELS[service].operation_names if MODELS[service].metadata["protocol"] == "rest-json" else ():
            operation = MODELS[service].operation_model(name)
            if operation.http["requestUri"] == path and operation.http["method"] == method:
                has_input = bool(operation.input_shape and operation.input_shape.members)
                if has_input and kind != "application/json":
                    raise WireError(415, "UnsupportedMediaType", f"{name} wants application/json, not {kind!r}")
                if not has_input and (body or kind):
                    raise WireError(400, "SerializationException", f"{name} is sent without body and content type")
                return service, name, _json(body, required=has_input)
    raise WireError(404, "UnknownOperationException", f"nothing at {path}")


def _json(body, required):
    if not body and not required:
        return {}
    try:
        value = json.loads(body)
    except ValueError as error:
        raise WireError(400, "SerializationException", f"the body is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise WireError(400, "SerializationException", "the body is no JSON object")
    return value


# --- signatures ---------------------------------------------------------------------------------------------------


def authorization_of(headers):
    match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/, ]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
                         r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})", headers.get("authorization", ""))
    if not match:
        raise WireError(403, "MissingAuthenticationToken", "the request has no Authorization header of Signature Version 4")
    return match.groups()


def check_signature(service, region, method, url, headers, body, key, now):
    """`key`: {"secret", "token"} of the access key; raises unless the request was signed with it, for this service, now, and whole."""
    access_key, day, scope_region, scope_service, signed, signature = authorization_of(headers)
    if scope_service != signing_name(service) or scope_region != region:
        raise WireError(403, "SignatureDoesNotMatch",
                        f"Credential should be scoped to {region}/{signing_name(service)}, not {scope_region}/{scope_service}")
    signed = signed.split(";")
    must = {"host", "x-amz-date"} | {name for name in headers if name.startswith("x-amz-")}
    if headers.get("content-type"):
        must.add("content-type")
    if not must <= set(signed) or signed != sorted(signed):
        raise WireError(403, "SignatureDoesNotMatch", f"there are headers that were not signed: {sorted(must - set(signed))}")
    date = headers.get("x-amz-date", "")
    try:
        at = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise WireError(403, "IncompleteSignature", "x-amz-date is no date") from None
    if abs(at - now) > SKEW or date[:8] != day:
        raise WireError(403, "RequestTimeTooSkewed" if service == "sts" else "InvalidSignatureException",
                        f"Signature expired: {date} is not within 15 minutes of {now:%Y%m%dT%H%M%SZ}")
    if (headers.get("x-amz-security-token") or None) != key["token"]:
        raise WireError(403, "InvalidClientTokenId" if service == "sts" else "UnrecognizedClientException",
                        "The security token included in the request is invalid.")
    auth = botocore.auth.SigV4Auth(botocore.credentials.Credentials(access_key, key["secret"], None), scope_service, scope_region)
    request = botocore.awsrequest.AWSRequest(method, url, headers={n: headers[n] for n in signed if n in headers}, data=body)
    request.context["timestamp"] = date
    if auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request) != signature:
        raise WireError(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")


# --- parameters ---------------------------------------------------------------------------------------------------


def read_parameters(service, name, raw):
    """Typed parameters; raises ValueError that names the field for anything that the model does not allow."""
    shape = MODELS[service].operation_model(name).input_shape
    if not shape:
        if raw:
            raise ValueError(f"{name} has no parameters, got {sorted(raw)}")
        return {}
    value = _typed(shape, raw, MODELS[service].metadata["protocol"], "")
    report = botocore.validate.ParamValidator().validate(value, shape)
    if report.has_errors():
        raise ValueError(report.generate_report())
    return value


def _typed(shape, value, protocol, where):
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        unknown = sorted(set(value) - {m.serialization.get("name", n) for n, m in shape.members.items()})
        if unknown:
            raise ValueError(f"Unknown parameter in {where or 'input'}: {unknown}")
        return {n: _typed(m, value[m.serialization.get("name", n)], protocol, f"{where}.{n}")
                for n, m in shape.members.items() if m.serialization.get("name", n) in value}
    if kind == "list" and isinstance(value, list):
        return [_typed(shape.member, v, protocol, f"{where}[{i}]") for i, v in enumerate(value)]
    if kind == "timestamp" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.datetime.fromtimestamp(value, UTC)
    if kind == "integer" and protocol == "query":
        value = int(value) if re.fullmatch(r"-?\d+", value) else value
    if kind == "string" and isinstance(value, str):
        _check_text(shape, value, where)
    if kind == "integer" and isinstance(value, int) and value > shape.metadata.get("max", value):
        raise ValueError(f"Invalid range for parameter {where}: {value}")
    return value


def _check_text(shape, value, where):
    if shape.enum and value not in shape.enum:
        raise ValueError(f"{where}: {value!r} is none of {list(shape.enum)}")
    if not shape.metadata.get("min", 0) <= len(value) <= shape.metadata.get("max", len(value)):
        raise ValueError(f"{where}: {len(value)} characters")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern.replace("\\p{L}", "\\w"), value):
        raise ValueError(f"{where}: does not fit {pattern}")


# --- answers ------------------------------------------------------------------------------------------------------


def write_answer(service, name, value):
    """(headers, body). A member that the model does not know is the fake's own fault and raises."""
    protocol = MODELS[service].metadata["protocol"]
    shape = MODELS[service].operation_model(name).output_shape
    if protocol == "query":
        inner = _xml(shape, value) if shape else ""
        text = (f'<{name}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{name}Result>{inner}</{name}Result>'
                f"<ResponseMetadata><RequestId>{_request_id(inner)}</RequestId></ResponseMetadata></{name}Response>")
        return {"Content-Type": "text/xml"}, text.encode()
    body = json.dumps(_plain(shape, value)).encode() if shape and (value or protocol == "rest-json") else b"{}" if protocol == "rest-json" else b""
    kind = "application/json" if protocol == "rest-json" else f"application/x-amz-json-{MODELS[service].metadata['jsonVersion']}"
    return {"Content-Type": kind}, body


def _request_id(text):
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(shape, value):
    if shape.type_name == "structure":
        names = {n: m.serialization.get("name", n) for n, m in shape.members.items()}
        assert set(value) <= set(names), f"{shape.name} has no member {sorted(set(value) - set(names))}"
        return {names[n]: _plain(shape.members[n], v) for n, v in value.items() if v is not None}
    if shape.type_name == "list":
        return [_plain(shape.member, v) for v in value]
    if shape.type_name == "timestamp":
        if shape.serialization.get("timestampFormat") == "iso8601":
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        return calendar.timegm(value.utctimetuple()) + value.microsecond / 1_000_000
    return value


def _xml(shape, value):
    if shape.type_name == "structure":
        assert set(value) <= set(shape.members), value
        return "".join(f"<{n}>{_xml(shape.members[n], v)}</{n}>" for n, v in value.items() if v is not None)
    if shape.type_name == "timestamp":
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return xml.sax.saxutils.escape(str(value))


def error_status(service, code):
    shape = next((s for s in MODELS[service].error_shapes if s.name == code), None)
    if MODELS[service].metadata["protocol"].startswith("json"):
        return 500 if shape is not None and shape.metadata.get("fault") else 400
    return (shape.metadata.get("error", {}).get("httpStatusCode") if shape is not None else None) or \
        (500 if shape is not None and shape.metadata.get("fault") else 400)


def write_error(service, code, message, status=None, **members):
    """(status, headers, body) in the service's protocol."""
    protocol = MODELS[service].metadata["protocol"] if service else "json"
    if service:
        status = status or error_status(service, code)
    if protocol == "query":
        text = (f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{code}</Code>'
                f"<Message>{xml.sax.saxutils.escape(message)}</Message></Error><RequestId>0</RequestId></ErrorResponse>")
        return status, {"Content-Type": "text/xml"}, text.encode()
    if protocol == "rest-json":
        return status, {"Content-Type": "application/json", "x-amzn-ErrorType": f"{code}:"}, json.dumps({"message": message, **members}).encode()
    kind = {"Content-Type": "application/x-amz-json-1.1"}
    return status or 400, kind, json.dumps({"__type": f"com.amazonaws.{service}#{code}", "Message": message, **members}).encode()
