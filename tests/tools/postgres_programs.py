"""Where the programs of a PostgreSQL server are: initdb, postgres, psql."""
import os
import pathlib
import subprocess


def folder() -> pathlib.Path:
    """POSTGRES_BIN, else what pg_config says, else the newest version in Debian's folder."""
    if os.environ.get("POSTGRES_BIN"):
        return pathlib.Path(os.environ["POSTGRES_BIN"])
    said = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
    if said and (pathlib.Path(said) / "initdb").exists():
        return pathlib.Path(said)
    found = pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max(found, key=lambda program: int(program.parts[-3])).parent
