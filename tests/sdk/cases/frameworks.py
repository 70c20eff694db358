"""Script mode: the frameworks' own estimators."""

from sagemaker import image_uris
from sagemaker.chainer import Chainer
from sagemaker.estimator import Estimator
from sagemaker.huggingface import HuggingFace
from sagemaker.huggingface import TrainingCompilerConfig as HuggingFaceCompiler
from sagemaker.inputs import TrainingInput
from sagemaker.instance_group import InstanceGroup
from sagemaker.mxnet import MXNet
from sagemaker.pytorch import PyTorch
from sagemaker.pytorch import TrainingCompilerConfig as PyTorchCompiler
from sagemaker.rl import RLEstimator, RLFramework, RLToolkit
from sagemaker.sklearn import SKLearn
from sagemaker.tensorflow import TensorFlow
from sagemaker.tensorflow import TrainingCompilerConfig as TensorFlowCompiler
from sagemaker.xgboost import XGBoost

from .maker import MINE, REGION, SOURCE, VALUES


def pytorch(make):
    yield "pytorch-cpu", make.script(PyTorch, "2.3.0", "py311", hyperparameters={"epochs": 10})
    yield "pytorch-gpu", make.script(PyTorch, "2.1", "py310", "ml.g5.2xlarge", hyperparameters=dict(VALUES))
    yield "pytorch-newest", make.script(PyTorch, "2.8.0", "py312", "ml.p5.48xlarge")
    yield "pytorch-before-metrics", make.script(PyTorch, "1.2.0", "py3", "ml.p2.xlarge")
    yield "pytorch-own-image", make.script(PyTorch, image_uri=MINE)
    yield "pytorch-own-image-of-a-version", make.script(PyTorch, "2.3.0", "py311", image_uri=MINE)
    compiler = {"compiler_config": PyTorchCompiler()}
    yield "pytorch-compiler", make.script(PyTorch, "1.13.1", "py39", "ml.p3.2xlarge", **compiler)
    xla = {**compiler, "distribution": {"pytorchxla": {"enabled": True}}, "instance_count": 2}
    yield "pytorch-xla", make.script(PyTorch, "1.13.1", "py39", "ml.p3dn.24xlarge", **xla)
    yield "no-metrics-series", make.script(PyTorch, "2.3.0", "py311", enable_sagemaker_metrics=False)


def pytorch_clusters(make):
    torch = {"torch_distributed": {"enabled": True}}

    def cluster(version, py, instance, distribution, count=2):
        return make.script(PyTorch, version, py, instance, instance_count=count, distribution=distribution)

    def groups(distribution, *groups):
        settings = {"instance_groups": list(groups), "instance_count": None, "distribution": distribution}
        return make.script(PyTorch, "1.13.1", "py39", None, **settings)

    mpi = {"enabled": True, "processes_per_host": 8, "custom_mpi_options": "-x NCCL_DEBUG=INFO"}
    eight = {"enabled": True, "processes_per_host": 8}
    yield "torch-distributed", cluster("2.1.0", "py310", "ml.g5.48xlarge", torch)
    yield "torch-distributed-trainium", cluster("1.11.0", "py38", "ml.trn1.32xlarge", torch)
    yield "pytorch-mpi", cluster("1.13.1", "py39", "ml.p3.16xlarge", {"mpi": mpi})
    yield "pytorch-mpi-defaults", cluster("1.13.1", "py39", "ml.p3.16xlarge", {"mpi": {"enabled": True}})
    data = {"smdistributed": {"dataparallel": {"enabled": True, "custom_mpi_options": "-verbose"}}}
    yield "smdistributed-dataparallel", cluster("1.13.1", "py39", "ml.p4d.24xlarge", data)
    parameters = {"partitions": 2, "microbatches": 4, "ddp": True, "pipeline": "interleaved"}
    model = {"smdistributed": {"modelparallel": {"enabled": True, "parameters": parameters}}}
    yield "smdistributed-modelparallel", cluster("1.13.1", "py39", "ml.p3.16xlarge", {**model, "mpi": eight}, 1)
    parameters = {"hybrid_shard_degree": 8, "sm_activation_offloading": True}
    model = {"smdistributed": {"modelparallel": {"enabled": True, "parameters": parameters}}}
    yield "modelparallel-v2", cluster("2.2.0", "py310", "ml.p4d.24xlarge", {**torch, **model})
    cpu, gpu = InstanceGroup("cpu", "ml.c5.18xlarge", 2), InstanceGroup("gpu", "ml.p3.16xlarge", 1)
    yield "groups-mpi", groups({"mpi": mpi, "instance_groups": [gpu]}, cpu, gpu)
    yield "groups-torch-distributed", groups({**torch, "instance_groups": [gpu]}, cpu, gpu)
    yield "groups-dataparallel", groups({**data, "instance_groups": [gpu]}, cpu, gpu)
    yield "groups-one", groups({"mpi": mpi}, gpu)
    channels = {"train": TrainingInput("s3://bucket/train", instance_groups=["cpu"])}
    yield "groups-channels", groups(None, cpu, gpu), {"inputs": channels}


def tensorflow(make):
    def of(version="2.13", py="py310", instance="ml.m5.xlarge", count=1, **settings):
        return make.script(TensorFlow, version, py, instance, instance_count=count, **settings)

    yield "tensorflow", of(hyperparameters={"epochs": 10})
    yield "tensorflow-model-dir", of(model_dir="s3://bucket/models/mine")
    yield "tensorflow-model-dir-none", of(model_dir=False)
    yield "tensorflow-model-dir-hyperparameter", of(hyperparameters={"model_dir": "s3://bucket/models/mine"})
    yield "tensorflow-python-2", of("1.15.2", "py2", "ml.p3.2xlarge")
    yield "tensorflow-before-metrics", of("1.14.0", "py3")
    servers = {"parameter_server": {"enabled": True}}
    yield "tensorflow-parameter-server", of("2.11", "py39", "ml.c5.xlarge", 2, distribution=servers)
    mpi = {"mpi": {"enabled": True, "processes_per_host": 4}}
    yield "tensorflow-mpi", of("2.11", "py39", "ml.p3.8xlarge", 2, distribution=mpi)
    mirrored = {"multi_worker_mirrored_strategy": {"enabled": True}}
    yield "tensorflow-mirrored", of("2.11", "py39", "ml.g4dn.xlarge", 2, distribution=mirrored)
    data = {"smdistributed": {"dataparallel": {"enabled": True}}}
    yield "tensorflow-dataparallel", of("2.11.0", "py39", "ml.p4d.24xlarge", 2, distribution=data)
    both = {"smdistributed": {"modelparallel": {"enabled": True, "parameters": {"partitions": 2}}}, **mpi}
    yield "tensorflow-modelparallel", of("2.6.3", "py38", "ml.p3.16xlarge", distribution=both)
    yield "tensorflow-compiler", of("2.11.0", "py39", "ml.g5.2xlarge", compiler_config=TensorFlowCompiler())


def huggingface(make):
    def of(version, base, base_version, py, instance, **settings):
        versions = {"transformers_version": version, f"{base}_version": base_version}
        return make.script(HuggingFace, None, py, instance, **versions, **settings)

    model = {"hyperparameters": {"model_name_or_path": "distilbert-base-uncased"}}
    yield "huggingface-pytorch", of("4.36.0", "pytorch", "2.1.0", "py310", "ml.g5.xlarge", **model)
    yield "huggingface-short-versions", of("4.28", "pytorch", "2.0", "py310", "ml.p3.2xlarge")
    yield "huggingface-tensorflow", of("4.17.0", "tensorflow", "2.6.3", "py38", "ml.p3.2xlarge")
    compiler = {"compiler_config": HuggingFaceCompiler()}
    yield "huggingface-compiler", of("4.21.1", "pytorch", "1.11.0", "py38", "ml.p3.2xlarge", **compiler)
    cluster = {"distribution": {"torch_distributed": {"enabled": True}}, "instance_count": 2}
    yield "huggingface-torch-distributed", of("4.36.0", "pytorch", "2.1.0", "py310", "ml.p4d.24xlarge", **cluster)
    cluster = {"distribution": {"smdistributed": {"dataparallel": {"enabled": True}}}, "instance_count": 2}
    yield "huggingface-dataparallel", of("4.26.0", "pytorch", "1.13.1", "py39", "ml.p4d.24xlarge", **cluster)
    model = {"smdistributed": {"modelparallel": {"enabled": True, "parameters": {"partitions": 4}}}}
    cluster = {"distribution": {**model, "mpi": {"enabled": True, "processes_per_host": 8}}}
    yield "huggingface-modelparallel", of("4.17.0", "pytorch", "1.10.2", "py38", "ml.p3.16xlarge", **cluster)


def mxnet(make):
    def of(version, py, instance="ml.m5.xlarge", **distribution):
        return make.script(MXNet, version, py, instance, instance_count=2, distribution=distribution or None)

    yield "mxnet", of("1.8.0", "py37")
    yield "mxnet-before-metrics", of("1.4.1", "py3", "ml.p3.2xlarge")
    yield "mxnet-mpi", of("1.9.0", "py38", mpi={"enabled": True, "custom_mpi_options": "-verbose"})
    yield "mxnet-mpi-processes", of("1.9.0", "py38", mpi={"enabled": True, "processes_per_host": 2})
    yield "mxnet-parameter-server", of("1.9.0", "py38", parameter_server={"enabled": True})


def other_frameworks(make):
    yield "sklearn", make.script(SKLearn, "1.2-1", "py3", hyperparameters={"depth": 3})
    yield "xgboost-script", make.script(XGBoost, "1.7-1", "py3", instance_count=2, hyperparameters={"max_depth": 5})
    yield "chainer", make.script(Chainer, "5.0.0", "py3", "ml.p3.2xlarge")
    slots = {"use_mpi": True, "process_slots_per_host": 2, "additional_mpi_options": "-verbose"}
    yield "chainer-mpi", make.script(Chainer, "5.0.0", "py3", "ml.p3.8xlarge", instance_count=2, **slots)
    processes = {"use_mpi": True, "num_processes": 3}
    yield "chainer-mpi-processes", make.script(Chainer, "5.0.0", "py3", "ml.p3.8xlarge", instance_count=2, **processes)
    # AutoGluon has no estimator of its own. The generic one, with source_dir, encodes as a framework's.
    image = image_uris.retrieve("autogluon", REGION, "1.1.1", "py311", "ml.g5.xlarge", image_scope="training")
    code = {"entry_point": "train.py", "source_dir": SOURCE, "hyperparameters": {"presets": "best", "folds": 8}}
    yield "autogluon", make(Estimator, image, instance_type="ml.g5.xlarge", **code)


def reinforcement_learning(make):
    def of(toolkit, version, framework, **settings):
        names = {"toolkit": RLToolkit(toolkit), "toolkit_version": version, "framework": RLFramework(framework)}
        return make.script(RLEstimator, **names, **settings)

    own = [{"Name": "reward-training", "Regex": "mine=(.*)"}, {"Name": "loss", "Regex": "loss=(.*)"}]
    yield "rl-coach-mxnet", of("coach", "0.11.0", "mxnet", hyperparameters={"rl.agent": "dqn"})
    yield "rl-coach-tensorflow", of("coach", "0.11.1", "tensorflow", instance="ml.p3.2xlarge")
    yield "rl-ray-tensorflow", of("ray", "1.6.0", "tensorflow", instance="ml.g4dn.xlarge")
    yield "rl-ray-pytorch", of("ray", "1.6.0", "pytorch")
    yield "rl-own-metrics", of("ray", "1.6.0", "pytorch", metric_definitions=own)
    yield "rl-own-image", make.script(RLEstimator, image_uri=MINE)


GROUPS = [pytorch, pytorch_clusters, tensorflow, huggingface, mxnet, other_frameworks, reinforcement_learning]
