"""A Lambda function in Python that answers with its secrets. It reads them from
its environment, or fetches them itself during its initialization if FETCH is
"sequential" or "parallel". SECRETS holds their names as the function in Go wants
them."""

import json
import os

secrets = [field.split("=") for field in os.environ["SECRETS"].split()]


def fetch(parallel):
    import boto3

    client = boto3.client("secretsmanager")

    def get(secret):
        variable, name = secret
        answer = client.get_secret_value(SecretId=name)
        return variable, json.loads(answer["SecretString"])["password"]

    if not parallel:
        return dict(map(get, secrets))

    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(secrets)) as pool:
        return dict(pool.map(get, secrets))


fetched = fetch(os.environ["FETCH"] == "parallel") if "FETCH" in os.environ else None


def handler(event, context):
    return fetched or {variable: os.environ[variable] for variable, _ in secrets}
