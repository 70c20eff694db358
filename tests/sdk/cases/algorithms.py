"""Built-in algorithms, algorithms by their ARN, and images of the user's own."""

import sagemaker as sdk
from sagemaker.algorithm import AlgorithmEstimator
from sagemaker.amazon.amazon_estimator import FileSystemRecordSet, RecordSet
from sagemaker.estimator import Estimator

from .maker import LAMBDA, MINE, NETWORK, SOURCE, VALUES


def algorithms(make):
    yield (
        "algorithm-xgboost",
        make.algorithm("xgboost", "1.7-1", hyperparameters={"eta": 0.2, "objective": "reg:squarederror"}),
    )
    yield "algorithm-xgboost-gpu", make.algorithm("xgboost", "1.5-1", "ml.g4dn.xlarge")
    yield (
        "algorithm-linear-learner",
        make.algorithm("linear-learner", "1", hyperparameters={"use_bias": True, "l1": 1e-6}),
    )
    yield "algorithm-kmeans", make.algorithm("kmeans", "1", instance_count=2)
    yield (
        "algorithm-blazingtext",
        make.algorithm("blazingtext", "1", "ml.c5.4xlarge", hyperparameters={"mode": "skipgram"}),
    )
    layers = {"num_layers": 18, "image_shape": "3,224,224", "use_pretrained_model": 1}
    yield (
        "algorithm-image-classification",
        make.algorithm("image-classification", "1", "ml.p3.2xlarge", hyperparameters=layers),
    )
    yield "algorithm-deepar", make.algorithm("forecasting-deepar", "1", hyperparameters={"time_freq": "1D"})
    yield "algorithm-object-detection", make.algorithm("object-detection", "1", "ml.p3.2xlarge")
    yield "algorithm-semantic-segmentation", make.algorithm("semantic-segmentation", "1", "ml.p3.2xlarge")
    yield "algorithm-seq2seq", make.algorithm("seq2seq", "1", "ml.p3.2xlarge")


def first_party(make):
    """Algorithms by their own classes: they add hyperparameters that the data tells."""

    def fitted(kind, mini_batch_size=None, channel="train", **settings):
        records = RecordSet("s3://bucket/records/.amazon.manifest", num_records=1000, feature_dim=784, channel=channel)
        fit = {"records": records, "mini_batch_size": mini_batch_size}
        return make(kind, data_location="s3://bucket/records", **settings), fit

    yield "class-kmeans", *fitted(sdk.KMeans, 500, k=10, tol=0.0001, eval_metrics=["msd", "ssd"])
    yield "class-pca", *fitted(sdk.PCA, num_components=5, subtract_mean=True, instance_count=2)
    yield "class-linear-learner", *fitted(sdk.LinearLearner, predictor_type="regressor", wd=0.01, normalize_data=False)
    yield "class-factorization-machines", *fitted(sdk.FactorizationMachines, num_factors=10, predictor_type="regressor")
    yield "class-knn", *fitted(sdk.KNN, k=3, sample_size=100, predictor_type="classifier")
    yield "class-lda", *fitted(sdk.LDA, 100, num_topics=7, alpha0=1.5)
    yield "class-ntm", *fitted(sdk.NTM, 100, num_topics=7, encoder_layers=[64, 32], learning_rate=0.05)
    yield "class-random-cut-forest", *fitted(sdk.RandomCutForest, num_trees=50)
    sizes = {"enc0_max_seq_len": 5, "enc0_vocab_size": 50, "epochs": 2}
    yield "class-object2vec", *fitted(sdk.Object2Vec, **sizes)
    yield "class-ipinsights", *fitted(sdk.IPInsights, num_entity_vectors=10, vector_dim=16, learning_rate=0.1)
    records = FileSystemRecordSet("fs-01234567", "EFS", "/records", num_records=1000, feature_dim=784)
    yield "class-file-system", make(sdk.KMeans, k=10, **NETWORK), {"records": records}


# What DescribeAlgorithm answers.
ALGORITHM = {
    "AlgorithmName": "forest",
    "ProductId": "product",
    "TrainingSpecification": {
        "SupportedTrainingInstanceTypes": ["ml.m5.xlarge"],
        "SupportsDistributedTraining": False,
        "SupportedHyperParameters": [
            {"Name": "trees", "Type": "Integer"},
            {"Name": "rate", "Type": "Continuous"},
            {"Name": "kind", "Type": "FreeText"},
        ],
        "TrainingChannels": [{"Name": "training", "SupportedInputModes": ["File", "Pipe"]}],
    },
}


def arns(make):
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:algorithm/forest"
    hyperparameters = {"trees": 100, "rate": 0.1, "kind": "deep"}
    yield (
        "algorithm-arn",
        make(AlgorithmEstimator, arn, hyperparameters=hyperparameters),
        {"inputs": {"training": "s3://bucket/train"}},
    )


def containers(make):
    yield "container", make(Estimator, MINE)
    yield "container-hyperparameters", make(Estimator, MINE, hyperparameters=dict(VALUES))
    yield "container-hyperparameters-list", make(Estimator, MINE, hyperparameters={"names": ["a", "b"]})
    command = {
        "container_entry_point": ["python", "-m", "mine.train"],
        "container_arguments": ["--fast", "--epochs", "3"],
    }
    yield "container-entrypoint", make(Estimator, MINE, **command)
    registry = {"training_repository_access_mode": "Vpc", "training_repository_credentials_provider_arn": LAMBDA}
    yield "container-private-registry", make(Estimator, "registry.example.com/mine:1", **registry, **NETWORK)
    yield "container-platform-registry", make(Estimator, MINE, training_repository_access_mode="Platform")
    code = {"entry_point": "train.py", "source_dir": SOURCE, "hyperparameters": {"epochs": 10, "optimizer": "adam"}}
    yield "container-source", make(Estimator, MINE, **code)


GROUPS = [algorithms, first_party, arns, containers]
