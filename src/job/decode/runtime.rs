//! Decodes the workload: exactly one of `[framework]`, `[algorithm]`, `[container]` and `[serverless]`.

use super::constraints;
use super::section::SectionReader;
use crate::images::{self, TRAINING_COMPILER};
use crate::job::diagnostics::problem::Problem;
use crate::job::diagnostics::suggest::list;
use crate::job::document::tree::Value;
use crate::job::spec::{
    AlgorithmSpec, ContainerSpec, Framework, ModelDir, ModelPackage, RepositoryAccess, Serverless, Workload,
};

const SECTIONS: [&str; 4] = ["framework", "algorithm", "container", "serverless"];

/// Length limit of each entry of `entrypoint` and `arguments` (botocore, `TrainingContainerEntrypoint`).
const MAX_ARGUMENT_CHARS: usize = 256;

pub(crate) fn decode(root: &SectionReader<'_>) -> Workload {
    let written: Vec<&str> = SECTIONS.into_iter().filter(|section| root.has(section)).collect();
    match written.as_slice() {
        [] if SECTIONS.iter().any(|section| root.has_likely_typo_of(section)) => {}
        [] => report_no_workload(root),
        [_] => {}
        [first, more @ ..] => more.iter().for_each(|section| {
            let message = format!("[{section}] can't be used beside [{first}]: one of them says what runs");
            root.refuse(section, message, Some("keep the one that you mean".to_owned()));
        }),
    }
    // All of them are decoded, for their problems; the first is used.
    let workloads = [
        root.has("framework").then(|| Workload::Framework(framework(root))),
        root.has("algorithm").then(|| Workload::Algorithm(algorithm(root))),
        root.has("container").then(|| Workload::Container(container(root))),
        root.has("serverless").then(|| Workload::Serverless(serverless(root))),
    ];
    workloads.into_iter().flatten().next().unwrap_or_else(|| Workload::Framework(Framework::default()))
}

fn report_no_workload(root: &SectionReader<'_>) {
    let hint = "add [framework] with a name such as \"pytorch\", [algorithm] or [container]";
    root.report.add(Problem::error("nothing says what runs").hint(hint));
}

fn framework(root: &SectionReader<'_>) -> Framework {
    let section = root.section("framework");
    if !section.has("image") {
        section.require("version", "such as version = \"2.3\"; it is optional beside `image`");
    }
    let version = |key| section.checked(key, |text| constraints::between(text, 1, 64));
    let name = section.string("name").unwrap_or_default();
    let framework = Framework {
        version: version("version"),
        py_version: version("py_version"),
        pytorch_version: version("pytorch_version"),
        tensorflow_version: version("tensorflow_version"),
        image: section.checked("image", constraints::image),
        model_dir: model_dir(&section),
        allow_unknown_version: section.boolean("allow_unknown_version").unwrap_or(false),
        ..named(&section, name)
    };
    check_options(&section, &framework);
    framework
}

/// Returns the framework of a name, which may be that of a variant in the SDK's tables: `huggingface-training-compiler`,
/// `pytorch-smp`.
fn named(section: &SectionReader<'_>, written: String) -> Framework {
    let training_compiler = section.boolean("training_compiler");
    let Some((name, variant)) = images::variant(&written) else {
        return Framework {
            name: written,
            training_compiler: training_compiler.unwrap_or(false),
            ..Framework::default()
        };
    };
    let name = name.to_owned();
    if variant != TRAINING_COMPILER {
        if training_compiler == Some(true) {
            let message = format!("the images of `{written}` don't have the training compiler");
            section.refuse("training_compiler", message, Some("leave it out".to_owned()));
        }
        return Framework { name, variant: Some(written), ..Framework::default() };
    }
    if training_compiler == Some(false) {
        let message = format!("`{written}` has the training compiler");
        section.refuse("training_compiler", message, Some(format!("write name = \"{name}\"")));
    }
    Framework { name, training_compiler: true, ..Framework::default() }
}

/// Reports keys that the framework doesn't have, or that exclude each other.
fn check_options(section: &SectionReader<'_>, framework: &Framework) {
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

fn model_dir(section: &SectionReader<'_>) -> Option<ModelDir> {
    match section.get("model_dir")?.value {
        Value::Boolean(false) => Some(ModelDir::None),
        Value::Boolean(true) => {
            let hint = "leave it out for the default, or write an S3 URI";
            section.refuse("model_dir", "`model_dir` is either a place or false", Some(hint.to_owned()));
            None
        }
        _ => section.checked("model_dir", constraints::not_empty).map(ModelDir::Uri),
    }
}

fn algorithm(root: &SectionReader<'_>) -> AlgorithmSpec {
    let section = root.section("algorithm");
    let version = section.checked("version", |text| constraints::between(text, 1, 64));
    if section.has("arn") {
        for key in ["name", "version"].into_iter().filter(|key| section.has(key)) {
            section.refuse(key, format!("`{key}` can't be used beside `arn`, which names the algorithm"), None);
        }
        return AlgorithmSpec::Arn(section.checked("arn", constraints::algorithm_arn).unwrap_or_default());
    }
    section.require("name", "such as name = \"xgboost\", or the algorithm's `arn`");
    AlgorithmSpec::BuiltIn { name: section.checked("name", constraints::not_empty).unwrap_or_default(), version }
}

fn container(root: &SectionReader<'_>) -> ContainerSpec {
    let section = root.section("container");
    let arguments = |key| section.strings(key, |text| constraints::at_most(text, MAX_ARGUMENT_CHARS));
    let access = [("Platform", RepositoryAccess::Platform), ("Vpc", RepositoryAccess::Vpc)];
    let provider = "repository_credentials_provider_arn";
    let container = ContainerSpec {
        image: section.checked("image", constraints::image).unwrap_or_default(),
        entrypoint: arguments("entrypoint"),
        arguments: arguments("arguments"),
        repository_access: section.word("repository_access", &access),
        repository_credentials_provider_arn: section.checked(provider, constraints::credentials_provider_arn),
    };
    if section.has(provider) && container.repository_access != Some(RepositoryAccess::Vpc) {
        let hint = "add repository_access = \"Vpc\"".to_owned();
        section.refuse(provider, format!("`{provider}` needs a repository in your VPC"), Some(hint));
    }
    container
}

fn serverless(root: &SectionReader<'_>) -> Serverless {
    let section = root.section("serverless");
    let job_type = section.text_word("job_type");
    if job_type.as_deref() == Some("Evaluation") {
        section.require("evaluation_type", "such as evaluation_type = \"LLMAJEvaluation\"");
    } else if section.has("evaluation_type") && job_type.is_some() {
        let hint = Some("leave it out".to_owned());
        section.refuse("evaluation_type", "`evaluation_type` is only for job_type = \"Evaluation\"", hint);
    }
    Serverless {
        base_model_arn: section.checked("base_model_arn", constraints::base_model_arn).unwrap_or_default(),
        job_type: job_type.unwrap_or_default(),
        accept_eula: section.boolean("accept_eula"),
        customization_technique: section.text_word("customization_technique"),
        peft: section.text_word("peft"),
        evaluation_type: section.text_word("evaluation_type"),
        evaluator_arn: section.checked("evaluator_arn", constraints::not_empty),
        sequence_length: section.checked("sequence_length", constraints::sequence_length),
    }
}

pub(crate) fn model_package(root: &SectionReader<'_>) -> Option<ModelPackage> {
    let section = root.section("model_package");
    section.is_written().then(|| ModelPackage {
        group_arn: section.checked("group_arn", constraints::model_package_group_arn).unwrap_or_default(),
        source_arn: section.checked("source_arn", constraints::model_package_arn),
    })
}
