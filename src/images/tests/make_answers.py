#!/usr/bin/env python3
"""Writes answers.txt: which image the SageMaker SDK names for every framework, version, Python version, instance and region.

    pip install --no-deps sagemaker==2.257.7 'sagemaker-core<2' && pip install boto3 numpy jsonschema ...
    pip download --no-deps sagemaker-core && unzip -q sagemaker_core-*.whl -d sdk3
    SAGEMAKER_SUPPRESS_V2_WARNING=1 python make_answers.py sdk3/sagemaker/core/image_uri_config answers.txt

The code that answers is SDK 2's, as its estimators call it; the tables it looks into are SDK 3's, which have more. What
only SDK 3 can make a tag of is left out (SDK_3_ALONE), and so are Graviton instances, which the SDK gives images that
are for inference or for other processors.

An answer is `{account}.dkr.ecr.{region}.{suffix}/{image}`, where the account depends on the region but not on the instance,
and the image the other way round: the script fails where that isn't so. The file therefore has

    the instance types, in one line
    the regions with their suffix, in one line
    the tables of accounts: `account=region,region account=...`, a line each
    an empty line, then a line for each answer: the number of its table of accounts; a letter for each instance type, which
        stands for one of the images that follow (`-`: the SDK refuses; `.`: asked in another line, because the SDK looks
        into another table for it), where `$v` is the version as it was asked for and `$p` the Python version
    an empty line, then a line for each question, separated by `|`: name, version, base framework, Python version, library,
        the number of its answer; a part that is as in the line above is `=`
"""

import functools
import itertools
import json
import re
import sys
from pathlib import Path

from sagemaker import image_uris

TABLES = Path(sys.argv[1])
INSTANCES = [
    "ml.m5.xlarge",
    "ml.c7i-flex.xlarge",
    "ml.g5.2xlarge",
    "ml.p2.xlarge",
    "ml.p3.2xlarge",
    "ml.p4d.24xlarge",
    "ml.p4de.24xlarge",
    "ml.p5.48xlarge",
    "ml.p6-b200.48xlarge",
    "ml.trn1.32xlarge",
    "ml.inf2.xlarge",
    "local",
    "local_gpu",
]
NEURON = [instance for instance in INSTANCES if instance[3:6] in ("trn", "inf")]
DISTRIBUTIONS = {
    "smdistributed": {"smdistributed": {"dataparallel": {"enabled": True}}},
    "modelparallel": {"torch_distributed": {"enabled": True}, "smdistributed": {"modelparallel": {"enabled": True}}},
}
LIBRARIES = {
    "pytorch": ["compiler", "smdistributed", "modelparallel"],
    "huggingface": ["compiler", "smdistributed"],
    "tensorflow": ["compiler", "smdistributed"],
    "mxnet": ["smdistributed"],
}
SDK_3_ALONE = {"pytorch-amzn2023"}


@functools.cache
def table(name):
    return json.loads((TABLES / f"{name}.json").read_text())


image_uris.config_for_framework = table
image_uris.utils._botocore_resolver = functools.cache(image_uris.utils._botocore_resolver)


def ask(name, region, version, base, py, library, instance):
    """The URI, or None where the SDK refuses, by whatever error."""
    base_name, base_version = base or (None, None)
    try:
        return image_uris.get_training_image_uri(
            region,
            name,
            framework_version=version,
            py_version=py,
            instance_type=instance,
            distribution=DISTRIBUTIONS.get(library),
            compiler_config=library == "compiler" or None,
            pytorch_version=base_version if base_name == "pytorch" else None,
            tensorflow_version=base_version if base_name == "tensorflow" else None,
        )
    except Exception:  # noqa: BLE001 - the SDK refuses by errors of many types
        return None


def questions():
    for path in sorted(TABLES.glob("*.json")):
        name, config = path.stem, json.loads(path.read_text())
        training = config.get("training") or (config if "training" in config.get("scope", []) else None)
        if not training or name in SDK_3_ALONE:
            continue
        for library in ["", *LIBRARIES.get(name, [])]:
            versions = table(f"{name}-training-compiler")["training"] if has_own(name, library) else training
            if library == "modelparallel":
                versions = table("pytorch-smp")["training"]
            for version in [None, "0.0.7", *versions["versions"], *versions.get("version_aliases", {})]:
                for base, py in below(versions, version):
                    yield name, version, base, py, library


def groups(name):
    """Instance types by the table that the SDK looks into."""
    if name in ("pytorch", "huggingface"):
        return [[instance for instance in INSTANCES if instance not in NEURON], NEURON]
    return [INSTANCES]


def has_own(name, library):
    return library == "compiler" and (TABLES / f"{name}-training-compiler.json").exists()


def below(versions, version):
    """Base frameworks, and Python versions with one that there isn't."""
    entry = versions["versions"].get(versions.get("version_aliases", {}).get(version, version), {})
    nested = {key: value for key, value in entry.items() if isinstance(value, dict) and "repository" in value}
    names = [*nested, *entry.get("version_aliases", {})]
    if not nested or names[0].startswith("py3") or names[0].startswith("py2"):
        for py in [None, "py27", *nested, *entry.get("py_versions", [])]:
            yield None, py
        return
    for name in names:
        base = next((known, name[len(known) :]) for known in ("pytorch", "tensorflow") if name.startswith(known))
        found = nested.get(entry["version_aliases"].get(name, name))
        for py in [None, "py27", *found["py_versions"]]:
            yield base, py


def all_regions():
    found = set()

    def walk(value):
        if isinstance(value, dict):
            found.update(value.get("registries", {}))
            for item in value.values():
                walk(item)

    for path in TABLES.glob("*.json"):
        walk(json.loads(path.read_text()))
    return sorted(found)


def main(path):
    regions, suffixes, tables, shown, lines = all_regions(), {}, [], [], []
    for question in questions():
        for instances in groups(question[0]):
            accounts, images = answers(question, instances, regions, suffixes)
            answer = show(question, instances, accounts, images, tables)
            if answer not in shown:
                shown.append(answer)
            lines.append([*parts(question), str(shown.index(answer))])
    places = " ".join(f"{region}={suffixes[region]}" for region in regions if region in suffixes)
    Path(path).write_text("\n".join([" ".join(INSTANCES), places, *tables, "", *shown, "", *shortened(lines), ""]))


def answers(question, instances, regions, suffixes):
    name, *rest = question
    uris = {at: ask(name, at[0], *rest, at[1]) for at in itertools.product(regions, instances)}
    accounts, images = {}, {}
    for (region, instance), uri in uris.items():
        if uri:
            host, image = uri.split("/")
            account, suffix = host.split(f".dkr.ecr.{region}.")
            assert accounts.setdefault(region, account) == account, question
            assert images.setdefault(instance, image) == image, question
            assert suffixes.setdefault(region, suffix) == suffix, question
    for (region, instance), uri in uris.items():
        assert bool(uri) == (region in accounts and instance in images), question
    return accounts, images


def parts(question):
    name, version, base, py, library = question
    return [name, version or "", "".join(base or ()), py or "", library]


def show(question, instances, accounts, images, tables):
    by_account = {}
    for region, account in accounts.items():
        by_account.setdefault(account, []).append(region)
    table = " ".join(f"{account}={','.join(by_account[account])}" for account in sorted(by_account)) or "-"
    if table not in tables:
        tables.append(table)
    distinct = sorted(set(images.values()))
    letter = {it: "abcdefgh"[distinct.index(images[it])] if it in images else "-" for it in instances}
    letters = "".join(letter.get(it, ".") for it in INSTANCES)
    return " ".join([str(tables.index(table)), letters, *(abbreviated(image, question) for image in distinct)])


def abbreviated(image, question):
    repository, tag = image.split(":")
    for sign, word in [("$v", question[1]), ("$p", question[3])]:
        if word:
            tag = re.sub(rf"(?<![\d.]){re.escape(word)}(?![\d.])", sign, tag)
    return f"{repository}:{tag}"


def shortened(lines):
    above = [""] * 6
    for line in lines:
        yield "|".join("=" if part and part == before else part for part, before in zip(line, above, strict=False))
        above = line


main(sys.argv[2])
