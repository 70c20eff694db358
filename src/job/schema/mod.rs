//! The table of every key of the spec and of the settings: its name, kind, limits and description.
//!
//! The decoder takes the limits from it, the JSON Schema everything, and the hints for unknown keys the section of a
//! key. Only what a single check needs, such as the pattern of an ARN, is with the check, in [`decode`](super::decode).

mod data;
mod image_catalog;
pub(super) mod instance_types;
pub(crate) mod json_schema;
mod misplaced;
mod monitoring;
mod resources;
mod root;
mod runtime;

pub(crate) use data::CHANNEL;
pub(crate) use image_catalog::{IMAGES, IMAGES_OF_VERSION};
pub(crate) use misplaced::{hint_for_unknown, is_of_spec};
pub(crate) use root::{MAX_CHANNELS, ROOT, SETTINGS, is_for_settings_only};

/// A key of a section.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: KeyKind,
    /// Description for editors, in the documentation's words and units, with the default if there is one.
    pub(crate) about: &'static str,
    /// A hint at what to write, for a key that its section requires.
    pub(crate) required: Option<&'static str>,
}

/// The kind of a key's value, with its limits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyKind {
    Text,
    /// A text, usually one of those that the function returns.
    Suggested(fn() -> Vec<String>),
    InstanceType,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A text, or `false`.
    TextOrFalse,
    Boolean,
    /// An integer from the first to the second, both included.
    Integer(i64, i64),
    /// A duration from the first to the second, in seconds: an integer of seconds, or a text such as `1h30m`.
    Duration(u64, u64),
    /// A list of at most this many texts.
    Texts(usize),
    /// A table with these keys.
    Section(&'static [Key]),
    /// A list of at most this many tables with these keys.
    Sections(usize, &'static [Key]),
    /// At most this many tables by arbitrary names, each with these keys, or a text in place of a table.
    Named(usize, &'static [Key]),
    /// A table with at most this many arbitrary keys.
    Map(usize, Values),
}

/// The kind of the values in a table with arbitrary keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    Text,
    /// Strings, integers, floats and booleans.
    Scalar,
    /// Arrays and tables too.
    Any,
}

impl Key {
    const fn new(name: &'static str, kind: KeyKind, about: &'static str) -> Self {
        Self { name, kind, about, required: None }
    }

    /// Makes the key one that its section requires; `hint` says what to write.
    const fn required(self, hint: &'static str) -> Self {
        Self { required: Some(hint), ..self }
    }

    /// Returns the keys of the key's table, or of each of its tables; none for other kinds.
    pub(crate) fn keys(&self) -> &'static [Key] {
        match self.kind {
            KeyKind::Section(keys) | KeyKind::Sections(_, keys) | KeyKind::Named(_, keys) => keys,
            _ => &[],
        }
    }
}

pub(crate) fn find(keys: &'static [Key], name: &str) -> Option<&'static Key> {
    keys.iter().find(|key| key.name == name)
}

pub(crate) fn names(keys: &'static [Key]) -> impl Iterator<Item = &'static str> + Clone {
    keys.iter().map(|key| key.name)
}

pub(crate) const INPUT_MODES: KeyKind = KeyKind::Word(&["File", "Pipe", "FastFile"]);

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(keys: &'static [Key], visit: &mut impl FnMut(&'static Key)) {
        for key in keys {
            visit(key);
            walk(key.keys(), visit);
        }
    }

    #[test]
    fn the_readme_names_every_key() {
        const README: &str = include_str!("../../../README.md");
        let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        walk(ROOT, &mut |key| {
            let is_named = README.split(|c| !is_of_word(c)).any(|word| word == key.name);
            assert!(is_named, "the README does not name {}", key.name);
        });
    }

    #[test]
    fn descriptions_read_alike() {
        walk(ROOT, &mut |key| {
            let about = key.about;
            assert!(about.starts_with(|c: char| c.is_uppercase()) && !about.ends_with('.'), "{}: {about}", key.name);
        });
    }
}
