#!/usr/bin/env python3
"""Writes catalog.json, the training images of AWS's registries, from the tables that an installed SageMaker SDK carries.

Where the list of images that AWS publishes differs (tests/published.txt, made by tests/make_published.py), the list is
right: see CORRECTIONS, MORE_ALIASES and neuron().

    pip download --no-deps sagemaker-core && unzip -q sagemaker_core-*.whl -d sdk && pip install botocore
    python make_catalog.py sdk/sagemaker/core/image_uri_config > catalog.json

The same SDK and the same botocore give the same bytes. What the file holds:

    source      what it was made from
    suffixes    the DNS suffix of regions whose name starts so; "" is every other region
    registries  tables of account -> regions, which the images' entries name by number
    rules       the image that evaluates the debugger's and the profiler's built-in rules
    others      names of the SDK's tables that have no images for training jobs -> what their images are for
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

# AWS's list of images, beside this script.
PUBLISHED = Path(__file__).parent / "tests" / "published.txt"

# Entries that the SDK's tables have wrong: name, version, base framework, fields. Each by AWS's list, in which the image
# that the SDK names is not.
CORRECTIONS = [
    ("huggingface", "4.10.2", "pytorch1.8.1", {"suffix": {"gpu": "cu111-ubuntu18.04"}}),
    ("huggingface", "4.10.2", "tensorflow2.4.1", {"base": ["tensorflow2.4.3", "tensorflow2.4"]}),
    ("huggingface-neuronx", "4.55.4", "pytorch2.7.0", {"base": ["pytorch2.8.0", "pytorch2.8"]}),
    # The tags of these name the operating system; AWS publishes no shorter ones for jobs (AutoGluon's own client asked ECR
    # and found none: autogluon-cloud, pull request 212).
    ("autogluon", "1.4.0", None, {"suffix": {"cpu": "ubuntu22.04", "gpu": "cu124-ubuntu22.04"}}),
    ("autogluon", "1.5.0", None, {"py": ["py312"], "suffix": {"cpu": "ubuntu22.04", "gpu": "cu126-ubuntu22.04"}}),
    (
        "tensorflow",
        "2.19.0",
        None,
        {"suffix": {"cpu": "ubuntu22.04-sagemaker", "gpu": "cu125-ubuntu22.04-sagemaker"}},
    ),
    ("tensorflow", "2.21.0", None, {"suffix": {"cpu": "amzn2023-sagemaker", "gpu": "cu129-amzn2023-sagemaker"}}),
]

# Versions as AWS's list has them, where the SDK's tables have only a shorter one.
MORE_ALIASES = {"pytorch-amzn2023": {"2.11.0": "2.11", "2.12.1": "2.12", "2.13.0": "2.13"}}

# The images of the model parallelism library, by their version of PyTorch as the tags have it; the SDK's table has them by
# the version of the library, and most versions of PyTorch as aliases (the library's release notes in SageMaker's
# documentation, model-parallel-release-notes: for each release a tag).
MODEL_PARALLEL = {
    "2.0.1": "2.0.1",
    "2.1.2": "2.1.2",
    "2.2.0": "2.3.1",
    "2.3.1": "2.5.0",
    "2.4.1": "2.7.0",
    "2.5.1": "2.8.0",
}

# What the images are for that are not for training jobs, by the scope in the SDK's tables; a file without a scope has
# those of remote functions.
PURPOSES = {
    "inference": "inference",
    "processing": "processing jobs",
    "monitoring": "model monitoring",
    "evaluation": "evaluation",
    "debugger": "the debugger's and the profiler's rules",
    "detailed-profiler": "the debugger's and the profiler's rules",
    None: "remote functions",
}


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
    newest = max(table["sdk_versions"], key=numbers)
    return {trainium(processor): f"{newest}-{text}" for processor, text in suffix.items()}


def numbers(text):
    """A key that orders versions, also those of the Neuron SDK: `sdk2.20.0`."""
    return [int(number) for number in text.removeprefix("sdk").split(".")]


def correct(images):
    """Applies CORRECTIONS. A tag whose suffix is by AWS's list has its full version too, as the list's."""
    for name, number, base, fields in CORRECTIONS:
        (found,) = [entry for entry in images[name]["versions"][number] if base in (None, *entry.get("base", [])[:1])]
        assert any(found.get(field) != value for field, value in fields.items()), f"the SDK has it: {name} {number}"
        found.update(fields)
        if base is None:
            found["prefix"] = number
    for name, aliases in MORE_ALIASES.items():
        images[name]["aliases"].update(aliases)
    smp = images["pytorch-smp"]
    smp["versions"] = {pytorch: smp["versions"][library] for pytorch, library in MODEL_PARALLEL.items()}
    by_library = {library: pytorch for pytorch, library in MODEL_PARALLEL.items()}
    smp["aliases"] = {a: by_library[full] for a, full in smp["aliases"].items() if a not in MODEL_PARALLEL}


def neuron(images):
    """PyTorch's Neuron images, of which the SDK's tables have a single one: those of AWS's list, each version and Python
    version with the newest Neuron SDK. The accounts are the SDK's, of other images in the same repositories.
    """
    of_repository = {
        "pytorch-training-neuron": ("pytorch-neuron", "pytorch-neuron", "1.11.0"),
        "pytorch-training-neuronx": ("pytorch-neuronx", "hyperpod-recipes-neuron", "2.1.2"),
    }
    listed = re.findall(
        r"^(pytorch-training-neuronx?):([\d.]+)-neuronx?-(py\d+)-sdk([\d.]+)-(\w+[\d.]+)$",
        PUBLISHED.read_text(),
        re.MULTILINE,
    )
    listed.sort(key=lambda row: (numbers(row[1]), row[2], numbers(row[3])))
    for repository, number, py, sdk, system in listed:
        name, other, version_of_other = of_repository[repository]
        family = images.setdefault(name, {"processors": ["trn"], "aliases": {}, "versions": {}})
        (model,) = images[other]["versions"][version_of_other]
        entries = family["versions"].setdefault(number, [])
        if name == other and number == version_of_other:
            continue
        entries[:] = [entry for entry in entries if entry["py"] != [py]]
        made = {"repository": repository, "registry": model["registry"], "py": [py], "prefix": number}
        entries.append({**made, "suffix": {"trn": f"sdk{sdk}-{system}"}})
        family["aliases"][number.rpartition(".")[0]] = number


def purpose(config):
    """What images that are not for training are for; None of a file that has no images."""
    scopes = config.get("scope") or [scope for scope in config if scope in PURPOSES] or [None]
    has_images = "versions" in config or scopes[0] in config
    return PURPOSES[scopes[0]] if has_images else None


def suffixes():
    """`^cn\\-\\w+\\-\\d+$` is the partition of the regions that start with `cn-`."""
    made = {"": "amazonaws.com"}
    for partition in botocore.loaders.create_loader().load_data("endpoints")["partitions"]:
        prefix = re.match(r"\^((?:[a-z]+\\-)*)", partition["regionRegex"])[1].replace("\\", "")
        if partition["dnsSuffix"] != made.get(prefix, made[""]):
            made[prefix] = partition["dnsSuffix"]
    return made


def by_file(images):
    """In the order of the SDK's files."""
    return dict(sorted(images.items(), key=lambda item: f"{item[0]}.json"))


def show(value, depth):
    """JSON with a line for each entry, so that a new version is a line of a difference."""
    if depth == 0 or not isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    lines = (f"{json.dumps(key)}:{show(item, depth - 1)}" for key, item in value.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def main(folder):
    registries = Registries()
    images, others = {}, {}
    for path in sorted(Path(folder).glob("*.json")):
        whole = json.loads(path.read_text())
        config = training(whole)
        if config:
            images[path.stem] = image(path.stem, config, registries)
        elif purpose(whole):
            others[path.stem] = purpose(whole)
    correct(images)
    neuron(images)
    sdk = re.search(
        r"^Version: (.*)$", next(Path(folder).parents[2].glob("sagemaker_core-*/METADATA")).read_text(), re.MULTILINE
    )
    catalog = {
        "source": f"sagemaker-core {sdk[1]}, botocore {version('botocore')}, AWS's list of images",
        "suffixes": suffixes(),
        "rules": rules(folder, registries),
        "others": others,
        "registries": registries.tables,
        "images": images,
    }
    registry_lines = ",\n".join(show(table, 0) for table in catalog.pop("registries"))
    images_text = show(by_file(catalog.pop("images")), 3)
    head = show(catalog, 1)[:-2]
    print(f'{head},\n"registries":[\n{registry_lines}\n],\n"images":{images_text}\n}}')


main(sys.argv[1])
