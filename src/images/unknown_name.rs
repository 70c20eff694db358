//! Explains a name that has no training images: what was meant, or what its images are for.

use super::error::{ImageError, Subject};
use super::query::ImageKind;
use super::tables::Tables;
use super::versions;

/// Common other names of frameworks.
const OTHER_NAMES: [(&str, &str); 4] =
    [("torch", "pytorch"), ("tf", "tensorflow"), ("scikit-learn", "sklearn"), ("transformers", "huggingface")];

fn other_name(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    OTHER_NAMES.iter().find(|(other, _)| *other == name).map(|(_, name)| *name)
}

/// Returns the error for a name that isn't in the catalog. `kind` is the kind that was queried, if it is known.
pub(super) fn unknown_name(catalog: &Tables, name: &str, kind: Option<ImageKind>) -> ImageError {
    if let Some(error) = not_for_training(catalog, name) {
        return error;
    }
    let what = match kind {
        Some(ImageKind::Framework) => "a framework with training images",
        Some(ImageKind::Algorithm) => "a built-in algorithm",
        None => "a framework or a built-in algorithm with training images",
    };
    let of_kind = catalog.names().filter(|(_, images)| kind.is_none_or(|kind| images.is_of(kind)));
    let hint = match (catalog.get(name).is_some(), kind) {
        (true, Some(ImageKind::Framework)) => "it belongs in [algorithm]".to_owned(),
        (true, Some(ImageKind::Algorithm)) => "it belongs in [framework]".to_owned(),
        _ => match other_name(name).or_else(|| versions::near(name, of_kind.map(|(name, _)| name))) {
            Some(near) => format!("did you mean `{near}`?"),
            None => match kind {
                Some(ImageKind::Framework) => "give its `image`, or use [container]".to_owned(),
                Some(ImageKind::Algorithm) => "an image of your own goes in [container]".to_owned(),
                None => "list them: smtrain images".to_owned(),
            },
        },
    };
    ImageError::new(Subject::Name, format!("{name:?} is not {what}"), hint)
}

/// Returns the error for a name of the SDK whose images are not for training jobs.
fn not_for_training(catalog: &Tables, name: &str) -> Option<ImageError> {
    let is_graviton = name.contains("graviton");
    let purpose = catalog.other_purpose(name).or(is_graviton.then_some("inference"))?;
    let message = format!("{name:?} has no training images: its images are for {purpose}");
    let hint = match trains_instead(catalog, name) {
        Some(stem) if name.contains("neuron") && purpose == "inference" => {
            format!("to train, use `{stem}` on an ml.trn instance type")
        }
        Some(stem) if purpose == "inference" => format!("to train, use `{stem}`"),
        _ if purpose.contains("rules") => "[debugger] and [profiler] choose it for their built-in rules".to_owned(),
        _ => "an image of your own goes in [container]".to_owned(),
    };
    Some(ImageError::new(Subject::Name, message, hint))
}

/// Returns the longest name with training images that a name starts or ends with: `huggingface` of `huggingface-neuron`.
fn trains_instead<'a>(catalog: &'a Tables, name: &str) -> Option<&'a str> {
    let has = |known: &str| name.starts_with(&format!("{known}-")) || name.ends_with(&format!("-{known}"));
    catalog.names().map(|(known, _)| known).filter(|known| has(known)).max_by_key(|known| known.len())
}
