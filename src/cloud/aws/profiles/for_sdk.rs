//! Writes profiles in the form that the SDK's own parser reads.
//!
//! The SDK takes profiles only as files or as a file's text. Its parser knows fewer forms than the AWS CLI's, and drops
//! profiles whose names have other characters than [`is_plain`]: they are percent-encoded in names and references.

use std::fmt::Write as _;

use super::{Profiles, Values};

/// Keys whose value is the name of another section.
const REFERENCES: [&str; 3] = ["source_profile", "sso_session", "services"];

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

fn write_values(text: &mut String, values: &Values) {
    for (key, value) in values.iter().filter(|(key, _)| key.chars().all(is_plain)) {
        let mut lines = value.entry.lines.iter();
        let first = lines.next().map_or("", String::as_str);
        if first.is_empty() && value.entry.lines.len() == 1 {
            continue;
        }
        let first = if REFERENCES.contains(&key.as_str()) { encoded(first) } else { first.to_owned() };
        let _ok = writeln!(text, "{key} = {first}");
        for line in lines {
            let _ok = writeln!(text, "  {line}");
        }
    }
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

/// Returns whether the SDK takes a character in a name (aws-runtime 1.10.2, `normalize.rs`, `validate_identifier`).
pub(super) fn is_plain(next: char) -> bool {
    next.is_ascii_alphanumeric() || "_-/.%@:+".contains(next)
}
