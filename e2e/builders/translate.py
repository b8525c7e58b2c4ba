"""Prints the CloudFormation template that AWS makes of a SAM template."""

import json
import sys

import yaml
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    def load(self):
        return {}


with open(sys.argv[1], encoding="utf-8") as file:
    json.dump(transform(yaml.safe_load(file), {}, NoManagedPolicies()), sys.stdout)
