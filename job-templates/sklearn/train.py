"""Trains a random forest that tells malignant tumours from benign ones.

The data is the University of Wisconsin's on breast cancer, which scikit-learn ships.

This is an ordinary SageMaker training script: hyperparameters come as arguments, folders as SM_* variables, numbers
that are printed become metrics, and what is saved in the model's folder is the job's result. It also runs by hand.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import joblib
import numpy
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, confusion_matrix, roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trees", type=int, default=300)
    parser.add_argument("--max-depth", type=int, default=8)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--test-share", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=42)
    # SageMaker says where things are; the defaults are for runs by hand, from this folder.
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "model"))
    parser.add_argument("--output-data-dir", type=Path, default=os.environ.get("SM_OUTPUT_DATA_DIR", "output"))
    return parser.parse_args()


def untrained(args: argparse.Namespace) -> RandomForestClassifier:
    cpus = int(os.environ.get("SM_NUM_CPUS", "1"))  # how many this instance has
    return RandomForestClassifier(args.trees, max_depth=args.max_depth, n_jobs=cpus, random_state=args.seed)


def scores(model: RandomForestClassifier, features: numpy.ndarray, labels: numpy.ndarray) -> dict[str, float]:
    return {
        "accuracy": float(accuracy_score(labels, model.predict(features))),
        "roc_auc": float(roc_auc_score(labels, model.predict_proba(features)[:, 1])),
    }


def as_text(part: str, values: dict[str, float]) -> str:
    """In the form that the expressions of job.toml's [metrics] find: `test_accuracy=0.9474 test_roc_auc=0.9937`."""
    return " ".join(f"{part}_{name}={value:.4f}" for name, value in values.items())


def cross_validate(
    model: RandomForestClassifier, features: numpy.ndarray, labels: numpy.ndarray, folds: StratifiedKFold
) -> list[dict[str, float]]:
    """The scores of each fold, printed as soon as they are known: scikit-learn's own functions tell all at the end."""
    results = []
    for number, (training, validation) in enumerate(folds.split(features, labels), start=1):
        fold = clone(model).fit(features[training], labels[training])
        results.append(scores(fold, features[validation], labels[validation]))
        # Flushed, so that the log shows it now and not when a buffer is full.
        print(f"fold={number} {as_text('validation', results[-1])}", flush=True)
    return results


def most_important(model: RandomForestClassifier, names: numpy.ndarray, count: int = 10) -> dict[str, float]:
    order = numpy.argsort(model.feature_importances_)[::-1][:count]
    return {str(names[index]): float(model.feature_importances_[index]) for index in order}


def save(args: argparse.Namespace, model: RandomForestClassifier, report: dict) -> None:
    for folder in (args.model_dir, args.output_data_dir):
        folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, args.model_dir / "model.joblib")
    (args.output_data_dir / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    args = parse_arguments()
    data = load_breast_cancer()
    # The test part is set aside before anything else, and looked at once, at the end.
    features, test_features, labels, test_labels = train_test_split(
        data.data, data.target, test_size=args.test_share, stratify=data.target, random_state=args.seed
    )
    print(f"{len(labels)} tumours to train on, {len(test_labels)} to test on", flush=True)

    folds = StratifiedKFold(args.folds, shuffle=True, random_state=args.seed)
    validation = cross_validate(untrained(args), features, labels, folds)
    model = untrained(args).fit(features, labels)
    test = scores(model, test_features, test_labels)

    matrix = confusion_matrix(test_labels, model.predict(test_features))
    report = {
        "test": test,
        "validation": validation,
        # Rows are what the tumours are, columns what they were taken for.
        "confusion": {"classes": [str(name) for name in data.target_names], "matrix": matrix.tolist()},
        "most_important_features": most_important(model, data.feature_names),
        "scikit_learn": sklearn.__version__,  # a joblib file is for the version that wrote it
    }
    save(args, model, report)
    print(as_text("test", test), flush=True)


if __name__ == "__main__":
    main()
