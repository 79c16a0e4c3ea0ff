"""Lets pytest find the self-check."""
from selfcheck import *  # noqa: F401,F403
