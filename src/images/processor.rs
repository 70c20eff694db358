//! Determines the kind of processor of an instance type from its name.

use crate::model::InstanceType;

pub(super) const CPU: &str = "cpu";
pub(super) const GPU: &str = "gpu";
/// Trainium: AWS's own processor for training.
pub(super) const TRAINIUM: &str = "trn";
/// Inferentia, which is for inference only.
const INFERENTIA: &str = "inf";

/// Returns the kind of processor, as tags spell it.
pub(super) fn of(instance_type: &InstanceType) -> &'static str {
    if instance_type.is_local() {
        return if instance_type.as_str() == "local" { CPU } else { GPU };
    }
    let family = family(instance_type);
    if let Some(known) = [TRAINIUM, INFERENTIA].into_iter().find(|known| family.starts_with(known)) {
        return known;
    }
    let has_generation = family.get(1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if has_generation && family.starts_with(['g', 'p']) { GPU } else { CPU }
}

/// Returns whether a processor is one of AWS's own for machine learning, which need images built for them.
pub(super) fn is_neuron(processor: &str) -> bool {
    [TRAINIUM, INFERENTIA].contains(&processor)
}

/// Returns whether an instance type has an ARM processor, by the first letter after the generation: `c6g`, `m7gd`,
/// `g5g`, `im4gn`.
pub(super) fn is_graviton(instance_type: &InstanceType) -> bool {
    let after_letters = family(instance_type).trim_start_matches(|c: char| c.is_ascii_lowercase());
    let after_generation = after_letters.trim_start_matches(|c: char| c.is_ascii_digit());
    after_generation.len() < after_letters.len() && after_generation.starts_with('g')
}

/// Returns the family: `g5` of `ml.g5.2xlarge`.
pub(super) fn family(instance_type: &InstanceType) -> &str {
    let name = instance_type.as_str().strip_prefix("ml.").unwrap_or_default();
    name.split_once('.').map_or(name, |(family, _)| family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_show_in_the_family() {
        let cases = [
            ("ml.m5.xlarge", CPU),
            ("ml.c7i-flex.xlarge", CPU),
            ("ml.g4dn.xlarge", GPU),
            ("ml.p6-b200.48xlarge", GPU),
            ("ml.trn1n.32xlarge", TRAINIUM),
            ("ml.inf2.xlarge", INFERENTIA),
            ("local", CPU),
            ("local_gpu", GPU),
            ("", CPU),
        ];
        for (name, processor) in cases {
            assert_eq!(of(&InstanceType::new(name)), processor, "{name}");
        }
    }

    #[test]
    fn graviton_is_known_by_its_letter() {
        for name in ["ml.c6g.xlarge", "ml.c7gd.4xlarge", "ml.m7g.large", "ml.g5g.xlarge", "ml.im4gn.large"] {
            assert!(is_graviton(&InstanceType::new(name)), "{name}");
        }
        for name in ["ml.g5.xlarge", "ml.g4dn.xlarge", "ml.p6e-gb200.36xlarge", "ml.m6i.large", "ml.trn1.2xlarge", "g"]
        {
            assert!(!is_graviton(&InstanceType::new(name)), "{name}");
        }
    }
}
