"""Runs the real sagemaker-training toolkit on a folder that is laid out like /opt/ml, without a network.

    python run_toolkit.py BASE_DIR

BASE_DIR/input/config has the three files that the service writes, and the hyperparameter sagemaker_submit_directory names
a local archive or folder (or BASE_DIR/code is filled already). The request's Environment is this process's own. What the
script wrote is in BASE_DIR/model, and the toolkit's words on a failure are in BASE_DIR/output/failure.
"""

import os
import sys


def main():
    base = os.path.abspath(sys.argv[1])
    for folder in ("code", "model", "output/data", "output/intermediate"):
        os.makedirs(os.path.join(base, folder), exist_ok=True)
    os.environ["SAGEMAKER_BASE_DIR"] = base
    # The hosts of a job have names that only SageMaker's network knows.
    os.environ["SM_STUDIO_LOCAL_MODE"] = "true"
    # The toolkit reads its folder when it is imported.
    from sagemaker_training import entry_point, environment, runner, trainer

    # As the training modules of AWS's framework images call it; the toolkit's own default captures nothing.
    given = {"capture_error": True}
    # As the PyTorch image's module does; the toolkit's own knows MPI only.
    if environment.Environment().additional_framework_parameters.get("sagemaker_torch_distributed_enabled"):
        given["runner_type"] = runner.TorchDistributedRunnerType
    run = entry_point.run
    entry_point.run = lambda *args, **kwargs: run(*args, **{**kwargs, **given})
    trainer.train()


if __name__ == "__main__":
    main()
