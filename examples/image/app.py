"""Tells what a function sees of its secrets, and shows none of them. It reads
variables and a file as it would without secretwrap, and knows nothing of it."""

import os
import stat
from urllib.parse import unquote, urlsplit


def handler(event, context):
    password = os.environ["DB_PASSWORD"]
    return {
        "DB_PASSWORD": {"characters": len(password)},
        "DATABASE_URL": url(os.environ["DATABASE_URL"], password),
        "SIGNING_KEY_PATH": file(os.environ["SIGNING_KEY_PATH"]),
    }


def url(text, password):
    parts = urlsplit(text)
    return {
        "scheme": parts.scheme,
        "has_host_and_port": bool(parts.hostname and parts.port),
        "same_password": unquote(parts.password or "") == password,
    }


def file(path):
    with open(path, encoding="utf-8") as opened:
        mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
        return {"mode": f"{mode:04o}", "characters": len(opened.read())}
