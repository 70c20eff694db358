"""Estimators of the kinds that public notebooks have, with all that they set at once."""

from sagemaker.algorithm import AlgorithmEstimator
from sagemaker.debugger import CollectionConfig, DebuggerHookConfig, ProfilerConfig, ProfilerRule, Rule, rule_configs
from sagemaker.estimator import Estimator
from sagemaker.huggingface import HuggingFace, TrainingCompilerConfig
from sagemaker.inputs import FileSystemInput, TrainingInput
from sagemaker.instance_group import InstanceGroup
from sagemaker.mxnet import MXNet
from sagemaker.pytorch import PyTorch
from sagemaker.rl import RLEstimator, RLFramework, RLToolkit
from sagemaker.tensorflow import TensorFlow
from sagemaker.xgboost import XGBoost

from .maker import MINE, NETWORK

QUIET = {"debugger_hook_config": False, "disable_profiler": True}
CHECKPOINTS = {"checkpoint_s3_uri": "s3://bucket/checkpoints", "checkpoint_local_path": "/opt/ml/checkpoints"}


def model_parallel(make):
    first = {
        "ddp": True,
        "fp16": True,
        "microbatches": 1,
        "optimize": "speed",
        "partitions": 1,
        "pipeline": "interleaved",
        "placement_strategy": "cluster",
        "prescaled_batch": True,
        "sharded_data_parallel_degree": 16,
    }
    options = "--mca btl_vader_single_copy_mechanism none -x FI_EFA_USE_DEVICE_RDMA=1 -x NCCL_PROTO=simple"
    distribution = {
        "mpi": {"enabled": True, "processes_per_host": 8, "custom_mpi_options": options},
        "smdistributed": {"modelparallel": {"enabled": True, "parameters": first}},
    }
    systems = {"train": FileSystemInput("fs-0123456789abcdef0", "FSxLustre", "/fsx/gpt/train", "ro")}
    gpt = {
        "hyperparameters": {"max_steps": 100, "seed": 12345, "fp16": 1, "lr": 2e-4, "model_type": "gpt2", "epochs": 3},
        "instance_count": 2,
        "volume_size": 500,
        "max_run": 86400,
        "distribution": distribution,
        "metric_definitions": [{"Name": "train_loss", "Regex": "train_loss: ([0-9.]+)"}],
    }
    job = make.script(PyTorch, "1.12.0", "py38", "ml.p3.16xlarge", **gpt, **CHECKPOINTS, **NETWORK, **QUIET)
    yield "notebook-model-parallel-v1", job, {"inputs": systems}
    second = {
        "activation_loading_horizon": 2,
        "context_parallel_degree": 2,
        "hybrid_shard_degree": 0,
        "sm_activation_offloading": True,
        "tensor_parallel_degree": 4,
    }
    both = {"torch_distributed": {"enabled": True}, "smdistributed": {"modelparallel": {"enabled": True}}}
    both["smdistributed"]["modelparallel"]["parameters"] = second
    llama = {
        "hyperparameters": {
            "model_type": "llama_v2",
            "bf16": 1,
            "distributed_backend": "smddp",
            "lr_decay_style": "cosine",
        },
        "instance_count": 4,
        "keep_alive_period_in_seconds": 600,
        "environment": {"NCCL_DEBUG": "INFO"},
        "distribution": both,
    }
    job = make.script(PyTorch, "2.4.1", "py311", "ml.p5.48xlarge", **llama, **CHECKPOINTS, **QUIET)
    yield (
        "notebook-model-parallel-v2",
        job,
        {"inputs": {"train": "s3://bucket/c4/train", "test": "s3://bucket/c4/test"}},
    )


def data_parallel(make):
    data = {"smdistributed": {"dataparallel": {"enabled": True}}}
    squad = {
        "transformers_version": "4.26.0",
        "pytorch_version": "1.13.1",
        "hyperparameters": {
            "model_name_or_path": "bert-large-uncased-whole-word-masking",
            "dataset_name": "squad",
            "do_train": True,
            "learning_rate": 3e-5,
            "output_dir": "/opt/ml/model",
            "max_steps": 200,
        },
        "instance_count": 2,
        "volume_size": 200,
        "distribution": data,
        "metric_definitions": [{"Name": "train_runtime", "Regex": r"train_runtime.*=\D*(.*?)$"}],
    }
    yield "notebook-data-parallel", make.script(HuggingFace, None, "py39", "ml.p3.16xlarge", **squad)


def training_compiler(make):
    settings = {
        "transformers_version": "4.21.1",
        "pytorch_version": "1.11.0",
        "compiler_config": TrainingCompilerConfig(),
        "distribution": {"pytorchxla": {"enabled": True}},
        "hyperparameters": {"epochs": 5, "train_batch_size": 52, "model_name": "roberta-base", "dataset": "sst2"},
        "environment": {"GPU_NUM_DEVICES": "8"},
        "instance_count": 2,
        "disable_profiler": True,
    }
    inputs = {"train": "s3://bucket/sst2/train", "test": "s3://bucket/sst2/test"}
    yield (
        "notebook-training-compiler",
        make.script(HuggingFace, None, "py38", "ml.p3.16xlarge", **settings),
        {"inputs": inputs},
    )


def heterogeneous(make):
    data, deep = InstanceGroup("data_group", "ml.c5.18xlarge", 2), InstanceGroup("dnn_group", "ml.p4d.24xlarge", 1)
    settings = {
        "instance_groups": [data, deep],
        "instance_count": None,
        "distribution": {
            "mpi": {"enabled": True, "processes_per_host": 8, "custom_mpi_options": "--NCCL_DEBUG INFO"},
            "instance_groups": [deep],
        },
        "hyperparameters": {"batch_size": 8192, "num_of_data_workers": 2, "tf_data_mode": "service"},
        "max_retry_attempts": 2,
        "model_dir": False,
        **QUIET,
    }
    train = TrainingInput("s3://bucket/cifar", instance_groups=["data_group"], input_mode="FastFile")
    both = TrainingInput("s3://bucket/labels", instance_groups=["data_group", "dnn_group"])
    yield (
        "notebook-heterogeneous",
        make.script(TensorFlow, "2.11.0", "py39", None, **settings),
        {"inputs": {"train": train, "labels": both}},
    )


def file_system(make):
    systems = {
        "train": FileSystemInput("fs-0123456789abcdef0", "FSxLustre", "/mount/imagenet/train", "ro"),
        "validation": FileSystemInput("fs-01234567", "EFS", "/imagenet/validation"),
    }
    settings = {"instance_count": 2, "distribution": {"torch_distributed": {"enabled": True}}, **NETWORK, **QUIET}
    job = make.script(PyTorch, "2.1.0", "py310", "ml.p4d.24xlarge", encrypt_inter_container_traffic=True, **settings)
    yield "notebook-file-system", job, {"inputs": systems}


def algorithm(make):
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:algorithm/forest"
    settings = {"volume_size": 50, "max_run": 7200, "input_mode": "Pipe", "tags": [{"Key": "team", "Value": "growth"}]}
    train = TrainingInput("s3://bucket/train.csv", content_type="text/csv", distribution="ShardedByS3Key")
    yield (
        "notebook-algorithm-arn",
        make(AlgorithmEstimator, arn, hyperparameters={"trees": 50}, **settings),
        {"inputs": {"training": train}},
    )


def rules(make):
    hook = DebuggerHookConfig(
        "s3://bucket/jobs",
        hook_parameters={"train.save_interval": "5"},
        collection_configs=[CollectionConfig("average_shap", {"save_interval": "5"})],
    )
    settings = {
        "hyperparameters": {"max_depth": 5, "eta": 0.2, "objective": "reg:squarederror", "num_round": 50},
        "debugger_hook_config": hook,
        "profiler_config": ProfilerConfig("s3://bucket/jobs", 500),
        "rules": [
            Rule.sagemaker(rule_configs.create_xgboost_report()),
            Rule.sagemaker(
                rule_configs.loss_not_decreasing(),
                rule_parameters={"collection_names": "metrics", "num_steps": "10"},
                collections_to_save=[],
            ),
            ProfilerRule.sagemaker(rule_configs.ProfilerReport(CPUBottleneck_threshold=90)),
        ],
    }
    inputs = {"train": "s3://bucket/train", "validation": "s3://bucket/validation"}
    yield "notebook-report-rules", make.script(XGBoost, "1.7-1", "py3", **settings), {"inputs": inputs}


def reinforcement_learning(make):
    settings = {
        "toolkit": RLToolkit.RAY,
        "toolkit_version": "1.6.0",
        "framework": RLFramework.TENSORFLOW,
        "hyperparameters": {
            "rl.training.run": "PPO",
            "rl.training.stop.training_iteration": 10,
            "rl.training.config.lr": 5e-5,
            "rl.training.config.use_pytorch": False,
        },
        "metric_definitions": RLEstimator.default_metric_definitions(RLToolkit.RAY),
        "instance_count": 2,
        "max_run": 3600,
    }
    yield "notebook-rl", make.script(RLEstimator, instance="ml.g4dn.4xlarge", **settings)


def parameter_server(make):
    servers = {"parameter_server": {"enabled": True}}
    settings = {"instance_count": 3, "distribution": servers, "hyperparameters": {"epochs": 20, "batch-size": 256}}
    train = {"inputs": "s3://bucket/mnist"}
    job = make.script(TensorFlow, "2.2.0", "py37", "ml.c5.2xlarge", model_dir="/opt/ml/model", **settings)
    yield "notebook-parameter-server", job, train
    settings = {**settings, "hyperparameters": {"kvstore": "dist_device_sync", "num-gpus": 1}}
    yield "notebook-parameter-server-mxnet", make.script(MXNet, "1.9.0", "py38", "ml.g4dn.xlarge", **settings), train


def jumpstart(make):
    settings = {
        "source_dir": "s3://jumpstart-cache-prod-eu-west-1/source-directory-tarballs/tc/v1.0/sourcedir.tar.gz",
        "entry_point": "train.py",
        "model_uri": "s3://jumpstart-cache-prod-eu-west-1/huggingface-training/train-huggingface-tc.tar.gz",
        "hyperparameters": {"epochs": "3", "adam-learning-rate": "2e-05", "reinitialize-top-layer": "Auto"},
        "instance_type": "ml.g4dn.xlarge",
        "max_run": 360000,
    }
    yield "notebook-jumpstart", make(Estimator, MINE, **settings), {"inputs": {"training": "s3://bucket/reviews"}}


GROUPS = [
    model_parallel,
    data_parallel,
    training_compiler,
    heterogeneous,
    file_system,
    algorithm,
    rules,
    reinforcement_learning,
    parameter_server,
    jumpstart,
]
