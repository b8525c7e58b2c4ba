"""Tells what a function sees of its secrets, and shows none of them. It reads
variables and a file as it would without secretwrap, and knows nothing of it."""

import json
import os
import stat
from urllib.parse import unquote, urlsplit


def handler(event, context):
    password = os.environ["DB_PASSWORD"]
    return {
        "DB_PASSWORD": {"characters": len(password)},
        "DATABASE_URL": url(os.environ["DATABASE_URL"], password),
        "DB_FILE": file(os.environ["DB_FILE"], password),
    }


def url(text, password):
    parts = urlsplit(text)
    return {
        "scheme": parts.scheme,
        "has_host_and_port": bool(parts.hostname and parts.port),
        "same_password": unquote(parts.password or "") == password,
    }


def file(path, password):
    with open(path, encoding="utf-8") as opened:
        mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
        fields = json.load(opened)
    return {
        "mode": f"{mode:04o}",
        "fields": sorted(fields),
        "same_password": fields["password"] == password,
    }
