//! Writes profiles in the form that the SDK's own parser reads.
//!
//! The SDK takes profiles only as files or as a file's text. Its parser knows fewer forms than the AWS CLI's, and drops
//! profiles whose names have other characters than [`is_plain`]: they are percent-encoded in names and references.

use std::fmt::Write as _;

use aws_config::profile::profile_file;

use super::names::is_plain;
use super::set::{Profiles, SectionValues};

/// Keys whose value is the name of another section.
const REFERENCES: [&str; 3] = ["source_profile", "sso_session", "services"];

#[expect(deprecated, reason = "the type's other name is in a crate that is no direct dependency")]
pub(in crate::cloud::aws) type SdkProfiles = profile_file::ProfileFiles;

impl Profiles {
    /// Returns the profiles in the form of the SDK.
    #[expect(deprecated, reason = "the types' other names are in a crate that is no direct dependency")]
    pub(in crate::cloud::aws) fn for_sdk(&self) -> SdkProfiles {
        let kind = profile_file::ProfileFileKind::Config;
        SdkProfiles::builder().with_contents(kind, text(self)).build()
    }
}

/// Returns the text of a file `config` with all profiles.
pub(super) fn text(profiles: &Profiles) -> String {
    let mut text = String::new();
    for (kind, sections) in
        [("profile", &profiles.profiles), ("sso-session", &profiles.sso_sessions), ("services", &profiles.services)]
    {
        for (name, values) in sections {
            let _ok = writeln!(text, "[{kind} {}]", encoded(name));
            write_values(&mut text, values);
        }
    }
    text
}

fn write_values(text: &mut String, values: &SectionValues) {
    for (key, value) in values.iter().filter(|(key, _)| key.chars().all(is_plain)) {
        let mut lines = value.entry.lines.iter();
        let first = lines.next().map_or("", String::as_str);
        if first.is_empty() && value.entry.lines.len() == 1 {
            continue;
        }
        let first = if REFERENCES.contains(&key.as_str()) { encoded(first) } else { first.to_owned() };
        let _ok = writeln!(text, "{key} = {first}");
        // The SDK refuses a block with a line that has no key.
        for line in lines.filter(|line| !first.is_empty() || has_key(line)) {
            let _ok = writeln!(text, "  {line}");
        }
    }
}

fn has_key(line: &str) -> bool {
    line.split_once('=').is_some_and(|(key, _)| !key.trim_matches([' ', '\t']).is_empty())
}

/// Returns a section's name as the SDK finds it.
pub(in crate::cloud::aws) fn encoded(name: &str) -> String {
    let mut text = String::new();
    for next in name.chars() {
        if is_plain(next) && next != '%' {
            text.push(next);
        } else {
            let mut bytes = [0; 4];
            let _ok = next.encode_utf8(&mut bytes).bytes().try_for_each(|byte| write!(text, "%{byte:02X}"));
        }
    }
    text
}
