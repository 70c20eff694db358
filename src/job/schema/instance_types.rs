//! Lists the training instance types of the API when smtrain was built, and suggests one for a name that isn't in the
//! list.
//!
//! Source: botocore 1.44.5, `sagemaker/2017-07-24/service-2.json`, shape `TrainingInstanceType`.

use crate::job::diagnostics::suggest::closest;

/// Groups of families that have the same sizes.
const KNOWN: &[(&[&str], &[&str])] = &[
    (&["c4"], &["xlarge", "2xlarge", "4xlarge", "8xlarge"]),
    (&["c5", "c5n"], &["xlarge", "2xlarge", "4xlarge", "9xlarge", "18xlarge"]),
    (&["c6i"], &["xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge"]),
    (
        &["c7i", "m7i", "r7i"],
        &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge"],
    ),
    (&["c7i-flex", "c8i-flex", "g4dn"], &["xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]),
    (
        &["c8i"],
        &[
            "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge", "48xlarge",
            "96xlarge",
        ],
    ),
    (
        &["g5", "g6", "g6e"],
        &["xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge"],
    ),
    (&["g7", "g7e"], &["2xlarge", "4xlarge", "8xlarge", "12xlarge", "24xlarge", "48xlarge"]),
    (&["m4"], &["xlarge", "2xlarge", "4xlarge", "10xlarge", "16xlarge"]),
    (&["m5"], &["large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"]),
    (
        &["m6i", "r6i"],
        &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge"],
    ),
    (
        &["m7i-flex", "m8i-flex", "r8i-flex"],
        &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"],
    ),
    (
        &["m8i", "r8i"],
        &[
            "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge",
            "48xlarge", "96xlarge",
        ],
    ),
    (&["p2"], &["xlarge", "8xlarge", "16xlarge"]),
    (&["p3"], &["2xlarge", "8xlarge", "16xlarge"]),
    (&["p3dn", "p4d", "p4de"], &["24xlarge"]),
    (&["p5"], &["4xlarge", "48xlarge"]),
    (&["p5e", "p5en", "p6-b200", "p6-b300", "trn2"], &["48xlarge"]),
    (&["p6e-gb200"], &["36xlarge"]),
    (&["r5", "r5d"], &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"]),
    (&["t3"], &["medium", "large", "xlarge", "2xlarge"]),
    (&["trn1"], &["2xlarge", "32xlarge"]),
    (&["trn1n"], &["32xlarge"]),
];

const PREFIX: &str = "ml.";

/// The result of comparing a name with the list. `near` is the most similar type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InstanceTypeMatch {
    Known,
    /// The form of an instance type, which may be newer than the list.
    Unlisted {
        near: Option<String>,
    },
    /// Not the form of an instance type.
    Malformed {
        near: Option<String>,
    },
}

/// Compares a name with the list.
pub(crate) fn classify(name: &str) -> InstanceTypeMatch {
    let Some((family, size)) = parts(name) else {
        return InstanceTypeMatch::Malformed { near: repaired(name) };
    };
    if is_known(family, size) { InstanceTypeMatch::Known } else { InstanceTypeMatch::Unlisted { near: near(name) } }
}

fn is_known(family: &str, size: &str) -> bool {
    KNOWN.iter().any(|(families, sizes)| families.contains(&family) && sizes.contains(&size))
}

/// Returns the family and the size of `ml.FAMILY.SIZE`; `None` for another form.
fn parts(name: &str) -> Option<(&str, &str)> {
    let (family, size) = name.strip_prefix(PREFIX)?.split_once('.')?;
    let is_word = |text: &str, also: &str| {
        let mut chars = text.chars();
        chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(c))
    };
    let is_family = family.starts_with(|c: char| c.is_ascii_lowercase()) && is_word(family, "-");
    let is_size = !size.is_empty() && is_word(size, "");
    (is_family && is_size).then_some((family, size))
}

/// Returns the type that a malformed name means: `ml.g5.xlarge` for `g5.xlarge` and `ML.G5.xlarge`.
fn repaired(name: &str) -> Option<String> {
    let name = name.trim().to_ascii_lowercase().replace('_', ".");
    let name = if name.starts_with(PREFIX) { name } else { format!("{PREFIX}{name}") };
    if is_known_name(&name) { Some(name) } else { near(&name) }
}

fn is_known_name(name: &str) -> bool {
    parts(name).is_some_and(|(family, size)| is_known(family, size))
}

/// Returns every type in the list.
pub(crate) fn all() -> Vec<String> {
    let of_family =
        |family: &str, sizes: &[&str]| sizes.iter().map(|size| format!("{PREFIX}{family}.{size}")).collect();
    let all = KNOWN.iter().flat_map(|(families, sizes)| families.iter().map(|family| of_family(family, sizes)));
    all.collect::<Vec<Vec<String>>>().concat()
}

/// Returns the most similar type: of the same family if the list has the family, else of any.
fn near(name: &str) -> Option<String> {
    let all = all();
    let family = name.rsplit_once('.').map_or(name, |(family, _)| family);
    let siblings: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .filter(|known| known.rsplit_once('.').is_some_and(|(f, _)| f == family))
        .collect();
    let candidates = if siblings.is_empty() { all.iter().map(String::as_str).collect() } else { siblings };
    closest(name, candidates).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole() {
        let count: usize = KNOWN.iter().map(|(families, sizes)| families.len() * sizes.len()).sum();
        assert_eq!(count, 225, "types in botocore 1.44.5");
    }

    #[test]
    fn other_names_get_a_suggestion() {
        let mean = |name: &str| Some(name.to_owned());
        assert_eq!(classify("ml.p6e-gb200.36xlarge"), InstanceTypeMatch::Known);
        assert_eq!(classify("ml.g5.3xlarge"), InstanceTypeMatch::Unlisted { near: mean("ml.g5.xlarge") });
        assert_eq!(classify("ml.z9.huge"), InstanceTypeMatch::Unlisted { near: None });
        for name in ["g5.xlarge", "ML.G5.XLARGE", "ml.g5_xlarge", "ml_g5_xlarge"] {
            assert_eq!(classify(name), InstanceTypeMatch::Malformed { near: mean("ml.g5.xlarge") }, "{name}");
        }
    }
}
