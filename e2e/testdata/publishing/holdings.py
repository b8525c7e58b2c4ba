"""Prints as JSON what an account holds in the given regions: the versions of layers
with their permissions, and parameters. Leaves out what differs between accounts that
hold the same."""

import json
import sys

import boto3


def statements(client, version):
    try:
        answer = client.get_layer_version_policy(LayerName=version["LayerArn"].split(":")[-1], VersionNumber=version["Version"])
    except client.exceptions.ResourceNotFoundException:
        return []
    return json.loads(answer["Policy"])["Statement"]


def versions(region):
    client = boto3.client("lambda", region_name=region)
    for layer in client.list_layers()["Layers"]:
        for listed in client.list_layer_versions(LayerName=layer["LayerName"])["LayerVersions"]:
            version = client.get_layer_version(LayerName=layer["LayerName"], VersionNumber=listed["Version"])
            yield {
                "arn": version["LayerVersionArn"],
                "description": version["Description"],
                "license": version["LicenseInfo"],
                "architectures": version["CompatibleArchitectures"],
                "sum": version["Content"]["CodeSha256"],
                "statements": statements(client, version),
            }


def parameters(region):
    client = boto3.client("ssm", region_name=region)
    for page in client.get_paginator("get_parameters_by_path").paginate(Path="/", Recursive=True):
        for parameter in page["Parameters"]:
            yield region + parameter["Name"], parameter["Value"]


regions = sys.argv[1:]
json.dump(
    {
        "versions": sorted((v for r in regions for v in versions(r)), key=lambda v: v["arn"]),
        "parameters": dict(p for r in regions for p in parameters(r)),
    },
    sys.stdout,
)
