#!/usr/bin/env python3
"""Writes catalog.json, the training images of AWS's registries, from the tables that an installed SageMaker SDK carries.

    pip download --no-deps sagemaker-core && unzip -q sagemaker_core-*.whl -d sdk && pip install botocore
    python make_catalog.py sdk/sagemaker/core/image_uri_config > catalog.json

The same SDK and the same botocore give the same bytes. What the file holds:

    source      what it was made from
    suffixes    the DNS suffix of regions whose name starts so; "" is every other region
    registries  tables of account -> regions, which the images' entries name by number
    rules       the image that evaluates the debugger's and the profiler's built-in rules
    images      name -> processors, aliases and versions. A version has one entry, or several: one for each Python version
                that has a repository of its own (`py`), or for each base framework (`base`: its full name, then its aliases)
"""

import json
import re
import sys
from importlib.metadata import version
from pathlib import Path

import botocore.loaders

# In the SDK's code, not its tables (sagemaker 2.257.7, image_uris.get_training_image_uri): a Hugging Face image on a GPU
# has this suffix when its entry has none.
HUGGINGFACE_SUFFIX = {"gpu": "cu110-ubuntu18.04"}


class Registries:
    """The tables of accounts, each once."""

    def __init__(self):
        self.tables = []

    def number(self, account_of):
        table = {}
        for region in sorted(account_of):
            table.setdefault(account_of[region], []).append(region)
        table = {account: " ".join(table[account]) for account in sorted(table)}
        if table not in self.tables:
            self.tables.append(table)
        return self.tables.index(table)


def training(config):
    """The part of a framework's file that is about training, if there is one.

    The one file without a scope is that of remote functions' images, which the SDK itself can't look up by a name.
    """
    return config.get("training") or (config if "training" in config.get("scope", []) else None)


def image(name, config, registries):
    made = {}
    if "processors" in config:
        made["processors"] = [trainium(processor) for processor in config["processors"]]
    if "version_aliases" in config:
        made["aliases"] = config["version_aliases"]
    made["versions"] = {
        number: list(entries(name, table, registries, "processors" not in config))
        for number, table in config["versions"].items()
    }
    return made


def entries(name, table, registries, own_processors):
    if "repository" in table:
        yield entry(name, table, registries, own_processors)
        return
    aliases = table.get("version_aliases", {})
    for key, nested in table.items():
        if key == "version_aliases":
            continue
        made = entry(name, nested, registries, own_processors)
        if key.startswith("py") and key[2:].isdigit():
            made["py"] = [key]
        else:
            made["base"] = [key] + [alias for alias, full in aliases.items() if full == key]
        yield made


def entry(name, table, registries, own_processors):
    made = {"repository": table["repository"], "registry": registries.number(table["registries"])}
    if own_processors and "processors" in table:
        made["processors"] = table["processors"]
    if "py_versions" in table:
        made["py"] = table["py_versions"]
    if "tag_prefix" in table:
        made["prefix"] = table["tag_prefix"]
    if not table.get("processor_in_tag", True):
        made["bare"] = True
    suffix = table.get("container_version") or (HUGGINGFACE_SUFFIX if name == "huggingface" else None)
    if suffix:
        made["suffix"] = neuron_suffix(suffix, table)
    return made


def rules(folder, registries):
    """The same for every version of everything."""
    ((tag, table),) = json.loads((Path(folder) / "debugger.json").read_text())["versions"].items()
    return {"repository": table["repository"], "registry": registries.number(table["registries"]), "tag": tag}


def trainium(processor):
    """What trains on Neuron is for trn instances, whatever the tables call it."""
    return "trn" if processor in ("inf", "neuronx") else processor


def neuron_suffix(suffix, table):
    """Neuron images have the newest Neuron SDK in front."""
    if "sdk_versions" not in table:
        return suffix
    newest = max(table["sdk_versions"])
    return {trainium(processor): f"{newest}-{text}" for processor, text in suffix.items()}


def suffixes():
    """`^cn\\-\\w+\\-\\d+$` is the partition of the regions that start with `cn-`."""
    made = {"": "amazonaws.com"}
    for partition in botocore.loaders.create_loader().load_data("endpoints")["partitions"]:
        prefix = re.match(r"\^((?:[a-z]+\\-)*)", partition["regionRegex"])[1].replace("\\", "")
        if partition["dnsSuffix"] != made.get(prefix, made[""]):
            made[prefix] = partition["dnsSuffix"]
    return made


def show(value, depth):
    """JSON with a line for each entry, so that a new version is a line of a difference."""
    if depth == 0 or not isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    lines = (f"{json.dumps(key)}:{show(item, depth - 1)}" for key, item in value.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def main(folder):
    registries = Registries()
    images = {}
    for path in sorted(Path(folder).glob("*.json")):
        config = training(json.loads(path.read_text()))
        if config:
            images[path.stem] = image(path.stem, config, registries)
    sdk = re.search(
        r"^Version: (.*)$", next(Path(folder).parents[2].glob("sagemaker_core-*/METADATA")).read_text(), re.MULTILINE
    )
    catalog = {
        "source": f"sagemaker-core {sdk[1]}, botocore {version('botocore')}",
        "suffixes": suffixes(),
        "rules": rules(folder, registries),
        "registries": registries.tables,
        "images": images,
    }
    registry_lines = ",\n".join(show(table, 0) for table in catalog.pop("registries"))
    images_text = show(catalog.pop("images"), 3)
    head = show(catalog, 1)[:-2]
    print(f'{head},\n"registries":[\n{registry_lines}\n],\n"images":{images_text}\n}}')


main(sys.argv[1])
