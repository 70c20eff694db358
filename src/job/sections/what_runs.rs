//! `[framework]`, `[algorithm]` and `[container]`: exactly one says what runs.

use super::super::keys;
use super::super::patterns;
use super::super::problem::Problem;
use super::super::reader::Reader;
use super::super::spec::{Algorithm, Container, Framework, ModelDir, RepositoryAccess, Runs};
use super::super::suggest::{did_you_mean, list};
use super::super::tree::Value;

/// Frameworks whose script-mode images train (sagemaker 2.257.7, `image_uri_config`, scope `training`).
const FRAMEWORKS: &[&str] = &[
    "pytorch",
    "tensorflow",
    "huggingface",
    "sklearn",
    "xgboost",
    "mxnet",
    "chainer",
    "autogluon",
    "coach-mxnet",
    "coach-tensorflow",
    "ray-pytorch",
    "ray-tensorflow",
    "vw",
];
/// What people write for them.
const OTHER_NAMES: &[(&str, &str)] =
    &[("torch", "pytorch"), ("tf", "tensorflow"), ("scikit-learn", "sklearn"), ("transformers", "huggingface")];

const SECTIONS: [&str; 3] = ["framework", "algorithm", "container"];

/// Entries of entrypoint and arguments, and characters of each (botocore, `TrainingContainerEntrypoint`).
const MOST_ARGUMENTS: usize = 100;
const LONGEST_ARGUMENT: usize = 256;

pub(crate) fn decode(root: &Reader<'_>) -> Runs {
    let written: Vec<&str> = SECTIONS.into_iter().filter(|section| root.has(section)).collect();
    match written.as_slice() {
        [] if SECTIONS.iter().any(|section| root.is_meant(section)) => {}
        [] => nothing_runs(root),
        [_] => {}
        [first, more @ ..] => more.iter().for_each(|section| {
            let message = format!("[{section}] can't be used beside [{first}]: one of them says what runs");
            root.refuse(section, message, Some("keep the one that you mean".to_owned()));
        }),
    }
    // All of them are read, for their own problems; the first one counts.
    let runs = [
        root.has("framework").then(|| Runs::Framework(framework(root))),
        root.has("algorithm").then(|| Runs::Algorithm(algorithm(root))),
        root.has("container").then(|| Runs::Container(container(root))),
    ];
    runs.into_iter().flatten().next().unwrap_or_else(|| Runs::Framework(Framework::default()))
}

fn nothing_runs(root: &Reader<'_>) {
    let hint = "add [framework] with a name such as \"pytorch\", [algorithm] or [container]";
    root.report.add(Problem::error("nothing says what runs").hint(hint));
}

fn framework(root: &Reader<'_>) -> Framework {
    let section = root.section("framework", keys::FRAMEWORK);
    section.require("name", "such as name = \"pytorch\"");
    if !section.has("image") {
        section.require("version", "such as version = \"2.3\"; it is optional beside `image`");
    }
    let version = |key| section.checked(key, |text| patterns::between(text, 1, 64));
    let framework = Framework {
        name: section.string("name").unwrap_or_default(),
        version: version("version"),
        py_version: version("py_version"),
        pytorch_version: version("pytorch_version"),
        tensorflow_version: version("tensorflow_version"),
        image: section.checked("image", patterns::image),
        model_dir: model_dir(&section),
        training_compiler: section.boolean("training_compiler").unwrap_or(false),
        allow_unknown_version: section.boolean("allow_unknown_version").unwrap_or(false),
    };
    check_name(&section, &framework);
    check_options(&section, &framework);
    framework
}

/// A name of its own is fine where the image is given too.
fn check_name(section: &Reader<'_>, framework: &Framework) {
    let name = framework.name.as_str();
    // One that is no string has its problem already.
    let is_text = section.get("name").is_some_and(|node| matches!(node.value, Value::String(_)));
    if !is_text || FRAMEWORKS.contains(&name) || (framework.image.is_some() && !name.is_empty()) {
        return;
    }
    let lower = name.to_lowercase();
    let other =
        OTHER_NAMES.iter().find(|(other, _)| *other == lower).map(|(_, name)| format!("did you mean `{name}`?"));
    let hint = other.or_else(|| did_you_mean(name, FRAMEWORKS.iter().copied()));
    let hint = hint.unwrap_or_else(|| "give its `image`, or use [container]".to_owned());
    section.refuse("name", format!("{name:?} is not a framework with training images"), Some(hint));
}

/// Keys that only some frameworks have.
fn check_options(section: &Reader<'_>, framework: &Framework) {
    let only = |key: &str, names: &[&str]| {
        if section.has(key) && section.has("name") && !names.contains(&framework.name.as_str()) {
            section.refuse(key, format!("`{key}` is only for {}", list(names)), Some("leave it out".to_owned()));
        }
    };
    only("pytorch_version", &["huggingface"]);
    only("tensorflow_version", &["huggingface"]);
    only("model_dir", &["tensorflow"]);
    if framework.training_compiler {
        only("training_compiler", &["pytorch", "tensorflow", "huggingface"]);
        if section.has("image") {
            section.refuse("image", "the training compiler has images of its own: `image` can't be given", None);
        }
    }
    if section.has("pytorch_version") && section.has("tensorflow_version") {
        section.refuse("tensorflow_version", "`tensorflow_version` can't be used beside `pytorch_version`", None);
    }
    let is_huggingface = framework.name == "huggingface" && !section.has("image");
    if is_huggingface && !section.has("pytorch_version") && !section.has("tensorflow_version") {
        section.require("pytorch_version", "or `tensorflow_version`: a Hugging Face image has one of both");
    }
}

fn model_dir(section: &Reader<'_>) -> Option<ModelDir> {
    match section.get("model_dir")?.value {
        Value::Boolean(false) => Some(ModelDir::None),
        Value::Boolean(true) => {
            let hint = "leave it out for the default, or write an S3 URI";
            section.refuse("model_dir", "`model_dir` is either a place or false", Some(hint.to_owned()));
            None
        }
        _ => section.checked("model_dir", patterns::not_empty).map(ModelDir::Uri),
    }
}

fn algorithm(root: &Reader<'_>) -> Algorithm {
    let section = root.section("algorithm", keys::ALGORITHM);
    let version = section.checked("version", |text| patterns::between(text, 1, 64));
    if section.has("arn") {
        for key in ["name", "version"].into_iter().filter(|key| section.has(key)) {
            section.refuse(key, format!("`{key}` can't be used beside `arn`, which names the algorithm"), None);
        }
        return Algorithm::Arn(section.checked("arn", patterns::algorithm_arn).unwrap_or_default());
    }
    section.require("name", "such as name = \"xgboost\", or the algorithm's `arn`");
    Algorithm::BuiltIn { name: section.checked("name", patterns::not_empty).unwrap_or_default(), version }
}

fn container(root: &Reader<'_>) -> Container {
    let section = root.section("container", keys::CONTAINER);
    section.require("image", "such as image = \"111122223333.dkr.ecr.eu-west-1.amazonaws.com/mine:1\"");
    let arguments = |key| section.strings(key, MOST_ARGUMENTS, |text| patterns::at_most(text, LONGEST_ARGUMENT));
    let access = [("Platform", RepositoryAccess::Platform), ("Vpc", RepositoryAccess::Vpc)];
    let provider = "repository_credentials_provider_arn";
    let container = Container {
        image: section.checked("image", patterns::image).unwrap_or_default(),
        entrypoint: arguments("entrypoint"),
        arguments: arguments("arguments"),
        repository_access: section.word("repository_access", &access),
        repository_credentials_provider_arn: section.checked(provider, patterns::credentials_provider_arn),
    };
    if section.has(provider) && container.repository_access != Some(RepositoryAccess::Vpc) {
        let hint = "add repository_access = \"Vpc\"".to_owned();
        section.refuse(provider, format!("`{provider}` needs a repository in your VPC"), Some(hint));
    }
    container
}
