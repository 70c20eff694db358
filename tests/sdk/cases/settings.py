"""What any job can have: resources, network, storage, inputs, debugger, regions."""

from sagemaker.debugger import (
    CollectionConfig,
    DebuggerHookConfig,
    ProfilerConfig,
    ProfilerRule,
    Rule,
    TensorBoardOutputConfig,
    rule_configs,
)
from sagemaker.debugger.profiler import Profiler
from sagemaker.estimator import Estimator
from sagemaker.inputs import FileSystemInput, ShuffleConfig, TrainingInput
from sagemaker.pytorch import PyTorch
from sagemaker.sklearn import SKLearn
from sagemaker.xgboost import XGBoost

from .maker import KEY, MINE, NETWORK, PLAN, RULES

TRAIN = {"inputs": {"train": "s3://bucket/train"}}


def infrastructure(make):
    def of(**settings):
        return make.script(PyTorch, "2.3.0", "py311", **settings)

    spot = {"use_spot_instances": True, "max_run": 3600}
    checkpoints = {"checkpoint_s3_uri": "s3://bucket/checkpoints", "checkpoint_local_path": "/opt/ml/mine"}
    yield "spot", of(**spot, max_wait=7200, checkpoint_s3_uri="s3://bucket/checkpoints")
    yield "spot-defaults", of(**spot)
    yield "checkpoints-local-path", of(**checkpoints)
    yield "checkpoints-cluster", of(**checkpoints, instance_count=2)
    yield "warm-pool", of(keep_alive_period_in_seconds=1800)
    yield (
        "vpc",
        of(**{**NETWORK, "subnets": ["subnet-1", "subnet-2"]}, encrypt_inter_container_traffic=True, instance_count=2),
    )
    yield "isolation", of(enable_network_isolation=True), TRAIN
    yield "isolation-pipe", of(enable_network_isolation=True, input_mode="Pipe"), TRAIN
    yield "isolation-algorithm", make.algorithm("xgboost", "1.7-1", enable_network_isolation=True)
    tags = [{"Key": "team", "Value": "growth"}, {"Key": "cost", "Value": "12"}]
    yield "tags-and-environment", of(tags=tags, environment={"MODE": "offline", "LEVEL": "3"})
    metrics = [{"Name": "train:loss", "Regex": "loss=([0-9.]+)"}, {"Name": "acc", "Regex": "acc: (\\S+)"}]
    yield "metrics", of(metric_definitions=metrics)
    yield "retries", of(max_retry_attempts=3)
    yield "remote-debug", of(enable_remote_debug=True)
    yield "infra-check", of(enable_infra_check=True)
    yield "session-chaining", of(enable_session_tag_chaining=True)
    yield "training-plan", of(training_plan=PLAN, instance="ml.p5.48xlarge", instance_count=2)
    yield "placement", of(instance_placement_config={"EnableMultipleJobs": True})
    experiment = {
        "ExperimentName": "churn",
        "TrialName": "first",
        "TrialComponentDisplayName": "training",
        "RunName": "run",
    }
    yield "experiment", of(), {"experiment_config": experiment}


def storage(make):
    def of(**settings):
        return make.script(PyTorch, "2.3.0", "py311", **settings)

    yield "encryption", of(volume_kms_key=KEY, output_kms_key=KEY, volume_size=100, instance="ml.p3.2xlarge")
    yield "uncompressed-output", of(disable_output_compression=True)
    yield "code-location", of(code_location="s3://elsewhere/code")
    yield "output-of-a-bucket", of(output_path="s3://bucket/")
    yield "model-channel", make(Estimator, MINE, model_uri="s3://bucket/model.tar.gz"), TRAIN


def inputs(make):
    def of(**settings):
        return make.algorithm("image-classification", "1", "ml.p3.2xlarge", **settings)

    channels = {
        "train": "s3://bucket/train",
        "csv": TrainingInput("s3://bucket/csv", content_type="text/csv", distribution="ShardedByS3Key"),
        "piped": TrainingInput("s3://bucket/rec", input_mode="Pipe", compression="Gzip", record_wrapping="RecordIO"),
        "shuffled": TrainingInput("s3://bucket/rec", input_mode="FastFile", shuffle_config=ShuffleConfig(7)),
        "listed": TrainingInput("s3://bucket/list.json", s3_data_type="ManifestFile"),
    }
    yield "channels", of(), {"inputs": channels}
    augmented = TrainingInput(
        "s3://bucket/augmented.json",
        s3_data_type="AugmentedManifestFile",
        attribute_names=["source-ref", "class"],
        record_wrapping="RecordIO",
        input_mode="Pipe",
        content_type="application/x-recordio",
    )
    yield "channel-augmented", of(), {"inputs": {"train": augmented}}
    yield "channel-unnamed", of(), {"inputs": "s3://bucket/train"}
    yield "channel-unnamed-piped", of(), {"inputs": TrainingInput("s3://bucket/train", input_mode="Pipe")}
    yield "input-mode-pipe", of(input_mode="Pipe"), TRAIN
    yield "input-mode-fast-file", of(input_mode="FastFile"), TRAIN
    systems = {
        "efs": FileSystemInput("fs-01234567", "EFS", "/data"),
        "fsx": FileSystemInput("fs-0123456789abcdef0", "FSxLustre", "/mount/data", "rw", "text/csv"),
    }
    yield "file-systems", of(**NETWORK), {"inputs": systems}


def debugger(make):
    def of(**settings):
        return make.script(PyTorch, "2.3.0", "py311", **settings)

    def rule(kind, name="overfit", **settings):
        return kind.custom(name, RULES, "ml.t3.medium", 10, rule_parameters={"patience": "5"}, **settings)

    collections = [CollectionConfig("losses", {"save_interval": "10"}), CollectionConfig("weights")]
    hook = DebuggerHookConfig("s3://bucket/tensors", "/opt/ml/tensors", {"save_steps": "1,2"}, collections)
    yield "debugger-hook", of(debugger_hook_config=hook)
    yield "debugger-off", of(debugger_hook_config=False, disable_profiler=True)
    yield "debugger-rules", of(rules=[rule(Rule), rule(Rule, "vanishing", s3_output_path="s3://bucket/rules")])
    both = {"debugger_hook_config": DebuggerHookConfig("s3://bucket/tensors"), "rules": [rule(Rule)]}
    yield "debugger-hook-and-rules", of(**both)
    built_in = [
        Rule.sagemaker(rule_configs.loss_not_decreasing()),
        ProfilerRule.sagemaker(rule_configs.ProfilerReport()),
    ]
    yield "debugger-built-in-rules", of(rules=built_in)
    yield "profiler", of(profiler_config=ProfilerConfig("s3://bucket/profile", 500))
    parameters = ProfilerConfig(system_monitor_interval_millis=1000, profile_params=Profiler())
    yield "profiler-parameters", of(profiler_config=parameters, rules=[rule(ProfilerRule, "slow")])
    yield "profiler-off", of(profiler_config=ProfilerConfig(disable_profiler=True), disable_profiler=True)
    board = TensorBoardOutputConfig("s3://bucket/tensorboard", "/opt/ml/tensorboard")
    yield "tensorboard", of(tensorboard_output_config=board)


def regions(make):
    def role(partition):
        return f"arn:{partition}:iam::111122223333:role/Role"

    yield "region-us-east-1", make.script(PyTorch, "2.3.0", "py311", region="us-east-1")
    yield "region-china", make.script(XGBoost, "1.7-1", "py3", region="cn-north-1", role=role("aws-cn"))
    yield (
        "region-without-profiler",
        make.script(SKLearn, "1.2-1", "py3", region="us-gov-east-1", role=role("aws-us-gov")),
    )
    yield "region-algorithm", make.algorithm("linear-learner", "1", region="ap-northeast-1")


GROUPS = [infrastructure, storage, inputs, debugger, regions]
