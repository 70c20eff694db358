//! The framework that is installed in a job's Python, compared with the one in AWS's image that the spec names.

use super::differences;
use crate::local::python::interpreter::Interpreter;
use crate::model::FrameworkVersion;
use crate::model::request::CreateTrainingJobRequest;

/// Frameworks, by the names of specs, and the packages that they are installed as.
const PACKAGES: [(&str, &[&str]); 7] = [
    ("pytorch", &[TORCH]),
    ("tensorflow", &["tensorflow", "tensorflow-cpu"]),
    ("huggingface", &["transformers"]),
    ("sklearn", &["scikit-learn"]),
    ("xgboost", &["xgboost"]),
    ("mxnet", &["mxnet"]),
    ("chainer", &["chainer"]),
];
/// The package with torchrun.
const TORCH: &str = "torch";
const TORCH_DISTRIBUTED: &str = "sagemaker_torch_distributed_enabled";

/// Returns the packages whose installed versions [`differing`] and [`missing_launcher`] compare.
pub(super) fn packages(framework: Option<&FrameworkVersion>, request: &CreateTrainingJobRequest) -> Vec<&'static str> {
    let compared = framework.into_iter().flat_map(wanted).flat_map(|(packages, _)| packages);
    let launcher = differences::is_on(request, TORCH_DISTRIBUTED).then_some(TORCH);
    compared.copied().chain(launcher).collect()
}

/// Returns a sentence for each package of the framework whose version in a Python is not that of the image.
pub(super) fn differing(framework: &FrameworkVersion, python: &Interpreter) -> Vec<String> {
    let differing = wanted(framework).into_iter().filter_map(|(packages, version)| {
        let (package, installed) = packages.iter().find_map(|name| Some((name, python.versions.get(*name)?)))?;
        differ(version, installed)?.then(|| {
            format!("{} has {package} {installed}, where AWS's image has {version}", python.executable.display())
        })
    });
    differing.collect()
}

/// Returns a sentence if torchrun starts the script and the Python by itself has none.
pub(super) fn missing_launcher(request: &CreateTrainingJobRequest, python: &Interpreter) -> Option<String> {
    let is_missing = differences::is_on(request, TORCH_DISTRIBUTED) && !python.versions.contains_key(TORCH);
    is_missing.then(|| {
        let python = python.executable.display();
        format!("torchrun starts the script, and {python} has no torch: the code's requirements.txt must install it")
    })
}

/// Returns the names that a framework is installed as, and its version in the image.
fn wanted(framework: &FrameworkVersion) -> Vec<(&'static [&'static str], &str)> {
    let packages = |name: &str| PACKAGES.iter().find(|(known, _)| *known == name).map(|(_, packages)| *packages);
    let versions = [
        (framework.name.as_str(), &framework.version),
        ("pytorch", &framework.pytorch_version),
        ("tensorflow", &framework.tensorflow_version),
    ];
    versions.into_iter().filter_map(|(name, version)| Some((packages(name)?, version.as_deref()?))).collect()
}

/// Returns whether an image's version and an installed one differ in a number that both have; `None` if the image's is
/// no version. The number after a dash is that of the container, as in `1.4-2` for scikit-learn 1.4.
fn differ(image: &str, installed: &str) -> Option<bool> {
    let image = image.split(['-', '+']).next()?;
    let numbers = image.split('.').map(|number| number.parse::<u64>().ok()).collect::<Option<Vec<_>>>()?;
    Some(numbers.into_iter().zip(release(installed)).any(|(image, installed)| image != installed))
}

/// Returns the numbers of a package's release: of `2.4.0a0+git` 2, 4 and 0.
fn release(version: &str) -> Vec<u64> {
    let digits = |part: &str| part.find(|c: char| !c.is_ascii_digit()).map_or(part.len(), |end| end);
    let numbers = version.split('.').map_while(|part| {
        let (number, rest) = part.split_at(digits(part));
        Some((number.parse().ok()?, rest.is_empty()))
    });
    let mut numbers: Vec<(u64, bool)> = numbers.collect();
    if let Some(last) = numbers.iter().position(|(_, is_plain)| !is_plain) {
        numbers.truncate(last + 1);
    }
    numbers.into_iter().map(|(number, _)| number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_both_have_is_compared() {
        for (image, installed, differs) in [
            ("2.3", "2.3.1+cu121", Some(false)),
            ("2.3.0", "2.3.1+cu121", Some(true)),
            ("2.3", "2.1.0", Some(true)),
            ("2.10", "2.1", Some(true)),
            ("1.4-2", "1.4.2", Some(false)),
            ("1.4-2", "1.6.0", Some(true)),
            ("0.20.0", "0.20.0", Some(false)),
            ("2.4.0", "2.4.0a0+git", Some(false)),
            ("2", "2.0.0rc1", Some(false)),
            ("1.7-1", "unknown", Some(false)),
            ("latest", "1.0", None),
        ] {
            assert_eq!(differ(image, installed), differs, "{image} {installed}");
        }
    }
}
