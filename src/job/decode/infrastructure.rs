//! Decodes `[output]`, `[network]`, `[encryption]`, `[local]`, and the sections that are a single switch.

use super::constraints;
use super::section::SectionReader;
use crate::job::document::tree::{TreeNode, Value};
use crate::job::spec::{Local, Network, OutputSpec};
use crate::model::InstallerChoice;
use crate::model::local_options::STOP_GRACE;

const INSTALLERS: &[(&str, InstallerChoice)] =
    &[("auto", InstallerChoice::Auto), ("uv", InstallerChoice::Uv), ("pip", InstallerChoice::Pip)];

/// Decodes a section whose only key is `enabled`, such as `[spot]`; `None` if it isn't written. A missing or wrong
/// value is reported, and reads as off.
pub(crate) fn switch(root: &SectionReader<'_>, key: &str) -> Option<bool> {
    let section = root.section(key);
    if !section.is_written() {
        return None;
    }
    Some(section.boolean("enabled").unwrap_or(false))
}

pub(crate) fn output(root: &SectionReader<'_>) -> OutputSpec {
    let section = root.section("output");
    OutputSpec {
        s3_uri: section.s3_uri("s3_uri"),
        kms_key_id: section.checked("kms_key_id", constraints::kms_key_id),
        uncompressed: section.word("compression", &[("gzip", false), ("none", true)]).unwrap_or(false),
    }
}

pub(crate) fn network(root: &SectionReader<'_>) -> Network {
    let section = root.section("network");
    for (key, other) in [("subnets", "security_group_ids"), ("security_group_ids", "subnets")] {
        if section.has(key) && !section.has(other) {
            let hint = format!("add {other} = [...]");
            section.refuse(key, format!("`{key}` needs `{other}` too"), Some(hint));
        }
        if matches!(section.get(key), Some(TreeNode { value: Value::Array(items), .. }) if items.is_empty()) {
            section.refuse(key, format!("`{key}` has no entries"), Some("leave it out".to_owned()));
        }
    }
    network_values(&section)
}

/// Decodes the keys of `[network]` without checking that they belong together: settings may have only one of a pair.
pub(crate) fn network_values(section: &SectionReader<'_>) -> Network {
    let encrypted = section.boolean("encrypt_inter_container_traffic");
    Network {
        subnets: section.strings("subnets", constraints::network_id),
        security_group_ids: section.strings("security_group_ids", constraints::network_id),
        isolation: section.boolean("isolation").unwrap_or(false),
        encrypt_inter_container_traffic: encrypted.unwrap_or(false),
    }
}

pub(crate) fn volume_kms_key_id(root: &SectionReader<'_>) -> Option<String> {
    root.section("encryption").checked("volume_kms_key_id", constraints::kms_key_id)
}

pub(crate) fn local(root: &SectionReader<'_>) -> Local {
    let section = root.section("local");
    Local {
        python: section.checked("python", constraints::not_empty),
        installer: section.word("installer", INSTALLERS).unwrap_or_default(),
        stop_grace: section.duration("stop_grace").unwrap_or(STOP_GRACE),
    }
}
