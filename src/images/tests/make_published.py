#!/usr/bin/env python3
"""Writes published.txt: the training images that AWS lists for SageMaker, now and in the past.

    git clone https://github.com/aws/deep-learning-containers
    python make_published.py deep-learning-containers published.txt

The clone needs its whole history: an image leaves the lists when its support ends, and still trains. The lists are
`available_images.md` (until February 2026) and the data of the site that replaced it, `docs/src/data`. Images for EC2 are
left out, and so are images for inference. What the file holds:

    @ COMMIT PATH       the last commit in which a list has the lines below, and the list
    repository:tag      an image
    ACCOUNTS REGION ACCOUNT
                        an account of a region: `frameworks` or `algorithms`
"""

import re
import subprocess
import sys
from pathlib import Path

LIST = "available_images.md"
DATA = "docs/src/data"
REGIONS = "docs/reference/region_availability.md"
# The images of the model parallelism library are in none of the lists, but in its release notes in SageMaker's
# documentation, which has no repository any more: read by hand.
RELEASE_NOTES = "docs.aws.amazon.com/sagemaker/latest/dg/model-parallel-release-notes.html"
MODEL_PARALLEL = [
    "smdistributed-modelparallel:2.0.1-gpu-py310-cu121",
    "smdistributed-modelparallel:2.1.2-gpu-py310-cu121",
    "smdistributed-modelparallel:2.2.0-gpu-py310-cu121",
    "smdistributed-modelparallel:2.3.1-gpu-py311-cu121",
    "smdistributed-modelparallel:2.4.1-gpu-py311-cu121",
    "smdistributed-modelparallel:2.5.1-gpu-py311-cu124",
]
IMAGE = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/([a-z0-9-]+):([\w.-]+)")
OTHER_REPOSITORIES = ["pytorch", "sagemaker-scikit-learn", "sagemaker-xgboost"]
FOR_EC2 = re.compile(r"-(ec2|e3)(-|$)")


class Clone:
    def __init__(self, folder):
        self.folder = folder

    def git(self, *arguments):
        command = ["git", "-C", self.folder, *arguments]
        return subprocess.run(command, capture_output=True, check=True).stdout.decode(errors="replace")

    def commits(self, path):
        """The commits that change a path, the oldest first; those of all branches that were ever the main one."""
        heads = [head for head in ("origin/master", "origin/main") if self.has(head)] or ["HEAD"]
        return self.git("log", *heads, "--reverse", "--date-order", "--format=%H", "--", path).split()

    def has(self, revision):
        command = ["git", "-C", self.folder, "rev-parse", "--verify", "--quiet", revision]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def files(self, commit, path):
        """The files that a commit adds or changes below a path, with their text."""
        options = ["--format=", "--name-only", "--no-renames", "--diff-filter=AM"]
        for name in self.git("show", *options, commit, "--", path).split():
            yield name, self.git("show", f"{commit}:{name}")


def is_for_training(repository):
    return repository in OTHER_REPOSITORIES or ("training" in repository and "arm64" not in repository)


def of_list(text):
    """The images of a version of the list."""
    for repository, tag in IMAGE.findall(text):
        if is_for_training(repository) and not FOR_EC2.search(tag):
            yield f"{repository}:{tag}"


def of_data(path, text):
    """The images of a file of the site's data: keys, and a list of tags, in the least of YAML."""
    repository = path.split("/")[3]
    if is_for_training(repository) and re.search(r"^platform: *sagemaker *$", text, re.MULTILINE):
        listed = text.partition("\ntags:")[2].partition("\n\n")[0]
        for tag in re.findall(r"^ +- \"?([\w.-]+)\"? *$", listed, re.MULTILINE):
            yield f"{repository}:{tag}"


def published(clone):
    """Each image with the last commit and path that list it."""
    last = {}
    for commit in clone.commits(LIST):
        for path, text in clone.files(commit, LIST):
            last.update((image, (commit, path)) for image in of_list(text))
    for commit in clone.commits(DATA):
        for path, text in clone.files(commit, DATA):
            last.update((image, (commit, path)) for image in of_data(path, text))
    return last


def accounts(clone):
    """The lines of both tables of accounts, with their commit."""
    commit = clone.commits(REGIONS)[-1]
    tables = re.split(r"^## ", clone.git("show", f"{commit}:{REGIONS}"), flags=re.MULTILINE)[1:]
    yield f"@ {commit[:10]} {REGIONS}"
    for name, table in zip(["frameworks", "algorithms"], tables, strict=True):
        for region, account in re.findall(r"\| ([a-z]+(?:-[a-z]+)+-\d) \| (\d{12}) \|", table):
            yield f"{name} {region} {account}"


def main(folder, path):
    clone = Clone(folder)
    by_source = {}
    for image, source in published(clone).items():
        by_source.setdefault(source, []).append(image)
    lines = list(accounts(clone))
    for (commit, source), images in sorted(by_source.items(), key=lambda item: (item[0][1], min(item[1]))):
        lines += [f"@ {commit[:10]} {source}", *sorted(images)]
    lines += [f"@ - {RELEASE_NOTES}", *MODEL_PARALLEL]
    Path(path).write_text("\n".join(lines) + "\n")


main(*sys.argv[1:])
