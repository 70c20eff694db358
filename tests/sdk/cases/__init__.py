"""The estimators whose requests are compared, each with the name that its spec has in specs/.

A case is a name, an estimator, and what `fit` is given beside the job's name. All have the role, output and region that
smtrain.toml gives to the specs, unless they have their own.
"""

from . import algorithms, frameworks, notebooks, settings
from .algorithms import ALGORITHM
from .maker import Maker

__all__ = ["ALGORITHM", "all_of"]


def all_of(session):
    """`session` makes a session from a region."""
    make = Maker(session)
    for group in [*frameworks.GROUPS, *algorithms.GROUPS, *settings.GROUPS, *notebooks.GROUPS]:
        for name, estimator, *fit in group(make):
            yield name, estimator, fit[0] if fit else {}
