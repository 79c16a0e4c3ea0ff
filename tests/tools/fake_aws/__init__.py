"""A stand-in for AWS Organizations, Tax Settings, Account and STS on loopback: signatures and requests are checked by botocore,
the rules of handshakes, transfers, inheritance and roles are written from AWS's documentation. See server.py."""
from .server import FakeAws  # noqa: F401
from .world import Refusal, World  # noqa: F401
