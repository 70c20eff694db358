//! Every key of the spec and of the settings: its name, what may stand there, and what it means.
//!
//! Whatever else is to be known of a key is taken from here: the reader its limits, the JSON Schema its descriptions, the
//! hints where a stray key belongs. What only one check needs (the pattern of an ARN) stands with the check, in `sections`.

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

/// A key, and the little that there is to know of it before it is read.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: KeyKind,
    /// For an editor: what it is, in the words and units of the documentation; its default, where it has one.
    pub(crate) about: &'static str,
    /// Of a key that its section can't do without: what to write there.
    pub(crate) required: Option<&'static str>,
}

/// What may be written for a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyKind {
    Text,
    /// A text that is most often one of those.
    Suggested(fn() -> Vec<String>),
    InstanceType,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A text, or `false`.
    TextOrFalse,
    Boolean,
    /// From the first to the second.
    Integer(i64, i64),
    /// Seconds from the first to the second, or a text such as `1h30m`.
    Duration(u64, u64),
    /// A list of so many texts at most.
    Texts(usize),
    /// A table of these keys.
    Section(&'static [Key]),
    /// A list of so many such tables at most.
    Sections(usize, &'static [Key]),
    /// Tables by names of the user's, so many at most, each of these keys; or a text that stands for one.
    Named(usize, &'static [Key]),
    /// A table of the user's own keys, so many at most.
    Map(usize, Values),
}

/// What may stand in a table of the user's own keys.
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

    /// The section needs it; `hint` says what to write.
    const fn required(self, hint: &'static str) -> Self {
        Self { required: Some(hint), ..self }
    }

    /// The keys of the table that stands there, or of each.
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
