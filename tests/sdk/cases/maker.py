"""What the cases have in common."""

from pathlib import Path

from sagemaker import image_uris
from sagemaker.estimator import Estimator

REGION = "eu-west-1"
ROLE = "arn:aws:iam::111122223333:role/Role"
MINE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/mine:1"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000000"
LAMBDA = "arn:aws:lambda:eu-west-1:111122223333:function:login"
PLAN = "arn:aws:sagemaker:eu-west-1:111122223333:training-plan/plan"
RULES = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/rules:1"

# Values of every kind. Estimators write into what they are given: each takes a copy.
VALUES = {
    "epochs": 10,
    "big": 12345678901234,
    "negative": -3,
    "rate": 0.001,
    "small": 1e-5,
    "large": 1e20,
    "whole": 2.0,
    "shuffle": True,
    "quiet": False,
    "optimizer": "adam",
    "empty": "",
    "like-a-number": "007",
    "quotes": "say \"hi\" and 'bye' \\ $HOME\n\tend",
    "unicode": "Zürich 東京 😀",
    "layers": [64, 32.5, "a"],
    "schedule": {"warmup": 5, "kind": "cosine", "nested": {"on": True}},
}

SOURCE = str(Path(__file__).parent.parent / "specs" / "src")
NETWORK = {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}
COMMON = {"role": ROLE, "instance_count": 1, "instance_type": "ml.m5.xlarge", "output_path": "s3://bucket/jobs"}


class Maker:
    """Makes estimators with what is common to all; a setting that is None is left out."""

    def __init__(self, session):
        self.session = session

    def __call__(self, kind, *args, region=REGION, **settings):
        merged = {**COMMON, "sagemaker_session": self.session(region), **settings}
        return kind(*args, **{name: value for name, value in merged.items() if value is not None})

    def script(self, kind, version=None, py=None, instance="ml.m5.xlarge", **settings):
        versions = {"framework_version": version, "py_version": py}
        return self(kind, entry_point="train.py", source_dir=SOURCE, instance_type=instance, **versions, **settings)

    def algorithm(self, name, version, instance="ml.m5.xlarge", region=REGION, **settings):
        image = image_uris.retrieve(name, region, version=version, instance_type=instance)
        return self(Estimator, image, instance_type=instance, region=region, **settings)
