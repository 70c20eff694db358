//! The name and the kind of a section, by its header.

/// Makes the kind of a section from its name.
type KindOf = fn(String) -> SectionName;

/// The kinds of sections, as a header's first word begins (botocore 1.44.5, `configloader.py`, `build_profile_map`).
const KINDS: [(&str, KindOf); 3] =
    [("profile", SectionName::Profile), ("sso-session", SectionName::SsoSession), ("services", SectionName::Services)];
pub(super) const DEFAULT: &str = "default";
/// The section whose keys stand in all others of the file too (Python's `configparser`).
const DEFAULTS: &str = "DEFAULT";

/// Kind and name of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SectionName {
    Profile(String),
    SsoSession(String),
    Services(String),
    /// Its keys are those of all sections that don't have them.
    Defaults,
    /// Nothing that smtrain reads.
    Other,
}

impl SectionName {
    /// Returns what a section of the file `config` is of.
    pub(super) fn in_config(header: &str) -> Self {
        let header = header.trim();
        if header == DEFAULTS {
            return Self::Defaults;
        }
        if header == DEFAULT {
            return Self::Profile(header.to_owned());
        }
        let kind = KINDS.iter().find(|(kind, _)| header.starts_with(kind));
        match (kind, words(header).as_deref()) {
            (Some((_, of)), Some([_, name])) => of(name.clone()),
            _ => Self::Other,
        }
    }

    /// Returns what a section of the file `credentials` is of: each is a profile, by its whole name.
    pub(super) fn in_credentials(header: &str) -> Self {
        let header = header.trim();
        if header == DEFAULTS { Self::Defaults } else { Self::Profile(header.to_owned()) }
    }
}

/// Returns whether the SDK takes a character in a name (aws-runtime 1.10.2, `normalize.rs`, `validate_identifier`).
pub(super) fn is_plain(next: char) -> bool {
    next.is_ascii_alphanumeric() || "_-/.%@:+".contains(next)
}

/// Splits text into words as a shell does, with quotes and backslashes (Python's `shlex.split`). `None` if a quote has no
/// end.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(next) = chars.next() {
        if next.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_default();
        match next {
            '\'' => word.push_str(&quoted(&mut chars, '\'')?),
            '"' => word.push_str(&quoted(&mut chars, '"')?),
            '\\' => word.push(chars.next()?),
            next => word.push(next),
        }
    }
    words.extend(word);
    Some(words)
}

/// Returns the text up to a quote. In double quotes, a backslash escapes itself and the quote.
fn quoted(chars: &mut std::str::Chars<'_>, quote: char) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            next if next == quote => return Some(text),
            '\\' if quote == '"' => match chars.next()? {
                next @ ('"' | '\\') => text.push(next),
                next => text.extend(['\\', next]),
            },
            next => text.push(next),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers are those of Python's `shlex.split`.
    #[test]
    fn words_as_a_shell_splits_them() {
        for (text, expected) in [
            ("profile x", Some(vec!["profile", "x"])),
            (" profile\t x ", Some(vec!["profile", "x"])),
            ("profile \"my team\"", Some(vec!["profile", "my team"])),
            ("profile 'my team'", Some(vec!["profile", "my team"])),
            ("profile my' 'team", Some(vec!["profile", "my team"])),
            ("profile my\\ team", Some(vec!["profile", "my team"])),
            ("profile \"a\\\"b\\c\"", Some(vec!["profile", "a\"b\\c"])),
            ("profile ''", Some(vec!["profile", ""])),
            ("profile \"x", None),
            ("profile x\\", None),
            ("", Some(vec![])),
        ] {
            let expected = expected.map(|words| words.into_iter().map(str::to_owned).collect());
            assert_eq!(words(text), expected, "{text}");
        }
    }
}
