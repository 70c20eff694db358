//! Keys of `[framework]`, `[algorithm]`, `[container]`, `[serverless]` and `[model_package]`.

use super::{Key, KeyKind};
use crate::images;

/// Limit of the entries of `entrypoint` and `arguments` (botocore, `TrainingContainerEntrypoint`).
const MAX_ARGUMENTS: usize = 100;

fn frameworks() -> Vec<String> {
    images::names(images::ImageKind::Framework)
}

fn algorithms() -> Vec<String> {
    images::names(images::ImageKind::Algorithm)
}

pub(crate) const FRAMEWORK: &[Key] = &[
    Key::new(
        "name",
        KeyKind::Suggested(frameworks),
        "Framework, such as pytorch, tensorflow, huggingface, sklearn or xgboost",
    )
    .required("such as name = \"pytorch\""),
    Key::new("version", KeyKind::Text, "Version of the framework; optional beside `image`"),
    Key::new("py_version", KeyKind::Text, "Python version, such as py311; default: the newest that the image has"),
    Key::new("pytorch_version", KeyKind::Text, "Version of PyTorch below Hugging Face's libraries"),
    Key::new("tensorflow_version", KeyKind::Text, "Version of TensorFlow below Hugging Face's libraries"),
    Key::new("image", KeyKind::Text, "Your own image that keeps the script-mode protocol"),
    Key::new(
        "model_dir",
        KeyKind::TextOrFalse,
        "TensorFlow's `model_dir` hyperparameter: an S3 URI or a path; false sends none",
    ),
    Key::new("training_compiler", KeyKind::Boolean, "The images with SageMaker Training Compiler; default false"),
    Key::new(
        "allow_unknown_version",
        KeyKind::Boolean,
        "Take a version that the catalog doesn't have: its image is named by the newest pattern; default false",
    ),
];

pub(super) const ALGORITHM: &[Key] = &[
    Key::new("name", KeyKind::Suggested(algorithms), "Built-in algorithm, such as xgboost, kmeans or linear-learner"),
    Key::new("arn", KeyKind::Text, "ARN of an algorithm of your own or of the Marketplace, in place of `name`"),
    Key::new("version", KeyKind::Text, "Version of the built-in algorithm; optional where there is one version"),
];

pub(super) const CONTAINER: &[Key] = &[
    Key::new("image", KeyKind::Text, "The image's URI")
        .required("such as image = \"111122223333.dkr.ecr.eu-west-1.amazonaws.com/mine:1\""),
    Key::new("entrypoint", KeyKind::Texts(MAX_ARGUMENTS), "What runs in the container; default: the image's own"),
    Key::new("arguments", KeyKind::Texts(MAX_ARGUMENTS), "Arguments of what runs"),
    Key::new(
        "repository_access",
        KeyKind::Word(&["Platform", "Vpc"]),
        "How the image is fetched: from Amazon ECR, or from a private registry in your VPC; default Platform",
    ),
    Key::new(
        "repository_credentials_provider_arn",
        KeyKind::Text,
        "ARN of the Lambda function that gives the private registry's credentials",
    ),
];

pub(super) const SERVERLESS: &[Key] = &[
    Key::new("base_model_arn", KeyKind::Text, "ARN of the base model in SageMaker's public hub")
        .required("the base model's ARN in SageMaker's public hub"),
    Key::new("job_type", KeyKind::Word(&["FineTuning", "Evaluation"]), "What is done with the model")
        .required("job_type = \"FineTuning\" or \"Evaluation\""),
    Key::new("accept_eula", KeyKind::Boolean, "Whether you accept the model's end-user licence agreement"),
    Key::new(
        "customization_technique",
        KeyKind::Word(&["SFT", "DPO", "RLVR", "RLAIF"]),
        "How the model is customized: supervised, by preferences, by verifiable or AI rewards",
    ),
    Key::new("peft", KeyKind::Word(&["LORA"]), "Parameter-efficient fine-tuning; default: all of the model's weights"),
    Key::new(
        "evaluation_type",
        KeyKind::Word(&["LLMAJEvaluation", "CustomScorerEvaluation", "BenchmarkEvaluation"]),
        "How the model is evaluated: by a model as judge, by your scorer, by a benchmark",
    ),
    Key::new("evaluator_arn", KeyKind::Text, "ARN of the evaluator that is the reward function or the reward prompt"),
    Key::new("sequence_length", KeyKind::Text, "Longest sequence in tokens, from 1K to 1024K, such as 32K"),
];

pub(super) const MODEL_PACKAGE: &[Key] = &[
    Key::new("group_arn", KeyKind::Text, "ARN of the model package group that the model is registered in")
        .required("the ARN of the model package group"),
    Key::new("source_arn", KeyKind::Text, "ARN of the model package that is tuned further or evaluated"),
];
