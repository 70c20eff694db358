//! Reads one section of the tree key by key.
//!
//! Every method that reads a value takes the limits of its key from the key table ([`schema`]). A value of the wrong
//! type or out of range is added to the report, and the method returns `None` or an empty list, so that one run finds
//! all problems. Asking for a key that the table doesn't have is a bug, and panics.

use std::time::Duration;

use super::constraints::{self, ConstraintResult};
use crate::job::diagnostics::problem::{Location, Problem};
use crate::job::diagnostics::report::Report;
use crate::job::diagnostics::suggest::{closest, did_you_mean, list};
use crate::job::document::tree::{KeyValue, TreeNode, TreeTable, Value};
use crate::job::schema::{self, Key, KeyKind, hint_for_unknown};
use crate::model::{S3Uri, duration};

/// Number of unknown keys of a section that are compared with the known ones to find a misspelt key.
const MAX_UNKNOWN_KEYS: usize = 20;

/// A section and the keys that it may have.
pub(crate) struct SectionReader<'a> {
    /// Path of the section: `resources`, `channels.train`; empty for the top level.
    pub(crate) name: String,
    table: Option<&'a TreeTable>,
    place: Option<&'a Location>,
    keys: &'static [Key],
    pub(crate) report: &'a Report,
}

impl<'a> SectionReader<'a> {
    /// Returns the top level. Reports its unknown keys.
    pub(crate) fn root(table: &'a TreeTable, keys: &'static [Key], report: &'a Report) -> Self {
        let reader = Self { name: String::new(), table: Some(table), place: None, keys, report };
        reader.refuse_unknown_keys();
        reader
    }

    /// Returns a reader of a table with arbitrary keys, for its [`nested`](Self::nested) sections.
    pub(crate) fn free(table: &'a TreeTable, report: &'a Report) -> Self {
        Self { name: String::new(), table: Some(table), place: None, keys: &[], report }
    }

    /// Returns the section of a key. A section that isn't written reads as empty.
    pub(crate) fn section(&self, key: &str) -> SectionReader<'a> {
        let keys = self.key(key).keys();
        match self.get(key) {
            Some(node) => self.nested(key, node, keys),
            None => SectionReader { name: self.path(key), table: None, place: None, keys, report: self.report },
        }
    }

    /// Returns `node` as a section, and reports its unknown and missing keys. A node that is no table is reported, and
    /// reads as empty.
    pub(crate) fn nested(&self, key: &str, node: &'a TreeNode, keys: &'static [Key]) -> SectionReader<'a> {
        let table = self.as_table(key, node);
        let reader = SectionReader { name: self.path(key), table, place: Some(&node.place), keys, report: self.report };
        reader.refuse_unknown_keys();
        for key in keys {
            key.required.into_iter().for_each(|hint| reader.require(key.name, hint));
        }
        reader
    }

    /// Returns the sections of a list of tables. Those past the key's limit are reported but not read.
    pub(crate) fn sections(&self, key: &str) -> Vec<SectionReader<'a>> {
        let (Some(node), KeyKind::Sections(most, keys)) = (self.get(key), self.kind(key)) else {
            return Vec::new();
        };
        let Value::Array(items) = &node.value else {
            self.wrong_type(key, node, "a list of tables");
            return Vec::new();
        };
        self.check_count(key, items.len(), most);
        items.iter().take(most).map(|item| self.nested(key, item, keys)).collect()
    }

    /// Panics if the key table has no such key in this section.
    fn key(&self, name: &str) -> &'static Key {
        schema::find(self.keys, name).unwrap_or_else(|| panic!("{name} is not among the keys of [{}]", self.name))
    }

    fn kind(&self, name: &str) -> KeyKind {
        self.key(name).kind
    }

    fn refuse_unknown_keys(&self) {
        for entry in self.entries().iter().filter(|entry| schema::find(self.keys, &entry.key).is_none()) {
            let place = if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) };
            let problem = Problem::error(format!("unknown key `{}`{place}", entry.key)).label("unknown key");
            self.report.add(problem.at(&entry.key_place).maybe_hint(self.hint_for_unknown(entry)));
        }
    }

    fn hint_for_unknown(&self, entry: &KeyValue) -> Option<String> {
        if self.report.is_full() {
            return None;
        }
        let is_section = matches!(entry.node.value, Value::Table(_));
        if self.name.is_empty() && !is_section && schema::is_for_settings_only(&entry.key) {
            return Some(format!("`{}` belongs in the settings, such as smtrain.toml", entry.key));
        }
        hint_for_unknown(&self.name, &entry.key, self.keys).or_else(|| {
            let is_root = self.name.is_empty();
            let hyperparameter = || "a hyperparameter belongs in [hyperparameters]".to_owned();
            if is_root {
                (!is_section).then(hyperparameter)
            } else {
                Some(format!("its keys are {}", schema::names(self.keys).collect::<Vec<_>>().join(", ")))
            }
        })
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    pub(crate) fn entries(&self) -> &'a [KeyValue] {
        self.table.map_or(&[], |table| &table.entries)
    }

    /// Returns whether the section stands in the spec or the settings.
    pub(crate) fn is_written(&self) -> bool {
        self.place.is_some()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a TreeNode> {
        let key = self.key(key);
        self.table.and_then(|table| table.get(key.name))
    }

    /// Returns whether a key of the section is a likely typo of `key`.
    pub(crate) fn has_likely_typo_of(&self, key: &str) -> bool {
        self.table.is_some_and(|table| has_likely_typo_of(table, key, self.keys))
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Returns the maximum number of entries of a table with arbitrary keys.
    pub(crate) fn max_entries(&self, key: &str) -> usize {
        match self.kind(key) {
            KeyKind::Map(most, _) | KeyKind::Named(most, _) => most,
            _ => usize::MAX,
        }
    }

    /// Reports a required key that is missing, unless its absence follows from a problem that is reported already: the
    /// section is no table, or the key is misspelt.
    pub(crate) fn require(&self, key: &str, hint: &str) {
        let (Some(place), Some(table)) = (self.place, self.table) else { return };
        if table.get(key).is_none() && !self.has_likely_typo_of(key) {
            let message = format!("[{}] needs `{key}`", self.name);
            self.report.add(Problem::error(message).at(place).hint(hint));
        }
    }

    /// Reports an error at a key's value, or at the section if the key isn't written.
    pub(crate) fn refuse(&self, key: &str, message: impl Into<String>, hint: Option<String>) {
        let problem = Problem::error(message).maybe_hint(hint);
        let place = self.get(key).map(|node| &node.place).or(self.place);
        self.report.add(match place {
            Some(place) => problem.at(place),
            None => problem,
        });
    }

    fn wrong_type(&self, key: &str, node: &TreeNode, expected: &str) {
        self.wrong_kind(&format!("`{key}`"), node, expected);
    }

    /// Reports a value of another type than `expected`.
    pub(super) fn wrong_kind(&self, subject: &str, node: &TreeNode, expected: &str) {
        let message = format!("{subject} is {}, and should be {expected}", node.value.kind());
        let problem = Problem::error(message).at(&node.place).label(format!("expected {expected}"));
        self.report.add(problem.maybe_hint(rewrite(node, expected)));
    }

    fn as_table(&self, key: &str, node: &'a TreeNode) -> Option<&'a TreeTable> {
        if let Value::Table(table) = &node.value {
            return Some(table);
        }
        self.wrong_type(key, node, "a table");
        None
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.text_of(&format!("`{key}`"), self.get(key)?)
    }

    fn text_of(&self, subject: &str, node: &'a TreeNode) -> Option<&'a str> {
        let text = node.text();
        if text.is_none() {
            self.wrong_kind(subject, node, "a string");
        }
        text
    }

    pub(crate) fn string(&self, key: &str) -> Option<String> {
        self.checked(key, |_| Ok(()))
    }

    /// Returns a string. One that doesn't pass `check` is reported, and returned all the same: it is wrong, not
    /// missing.
    pub(crate) fn checked(&self, key: &str, check: impl Fn(&str) -> ConstraintResult) -> Option<String> {
        let text = self.text(key)?;
        if let Err(why) = check(text) {
            self.refuse(key, format!("`{key}` {why}"), None);
        }
        Some(text.to_owned())
    }

    pub(crate) fn boolean(&self, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        if let Value::Boolean(value) = node.value {
            return Some(value);
        }
        self.wrong_type(key, node, "a boolean");
        None
    }

    /// Returns an integer within the limits of its key.
    pub(crate) fn integer(&self, key: &str) -> Option<i64> {
        let (node, KeyKind::Integer(least, most)) = (self.get(key)?, self.kind(key)) else { return None };
        let Value::Integer(value) = node.value else {
            self.wrong_type(key, node, "an integer");
            return None;
        };
        let value = i64::try_from(value).ok().filter(|value| (least..=most).contains(value));
        if value.is_none() {
            let limits =
                if most >= i64::from(i32::MAX) { format!("at least {least}") } else { format!("{least} to {most}") };
            self.refuse(key, format!("`{key}` is out of range: it should be {limits}"), None);
        }
        value
    }

    /// Returns an integer of a key whose limits are not negative.
    pub(crate) fn count(&self, key: &str) -> Option<u32> {
        self.integer(key).and_then(|value| u32::try_from(value).ok())
    }

    /// Returns a duration within the limits of its key: an integer of seconds, or a text as in [`duration::FORMS`].
    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        let (node, KeyKind::Duration(least, most)) = (self.get(key)?, self.kind(key)) else { return None };
        let duration = match &node.value {
            Value::Integer(seconds) => u64::try_from(*seconds).ok().map(Duration::from_secs),
            Value::String(text) => duration::parse(text),
            _ => {
                self.wrong_type(key, node, "a duration");
                return None;
            }
        };
        let Some(duration) = duration else {
            self.refuse(key, format!("`{key}` is not a duration"), Some(duration::FORMS.to_owned()));
            return None;
        };
        self.within(key, duration, least, most)
    }

    fn within(&self, key: &str, value: Duration, least: u64, most: u64) -> Option<Duration> {
        if (least..=most).contains(&value.as_secs()) {
            return Some(value);
        }
        let show = |seconds| duration::show(Duration::from_secs(seconds));
        let limits = format!("{} to {}", show(least), show(most));
        self.refuse(key, format!("`{key}` is out of range: it should be {limits}"), None);
        None
    }

    /// Returns the meaning of a word. `words` are those of the key, each with its meaning.
    pub(crate) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        debug_assert!(
            matches!(self.kind(key), KeyKind::Word(known) if known.iter().eq(words.iter().map(|(word, _)| word))),
            "the words of {key}"
        );
        let text = self.text(key)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("`{key}` is {text:?}, and should be {}", list(&words));
        self.refuse(key, message, did_you_mean(text, words));
        None
    }

    /// Returns one of the key's words as it is written.
    pub(crate) fn text_word(&self, key: &str) -> Option<String> {
        let KeyKind::Word(words) = self.kind(key) else { return None };
        let words: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
        self.word(key, &words).map(str::to_owned)
    }

    /// Returns a list of strings. An entry that doesn't pass `check` is reported, and returned all the same. Entries
    /// past the key's limit are reported but not read.
    pub(crate) fn strings(&self, key: &str, check: impl Fn(&str) -> ConstraintResult) -> Vec<String> {
        let (Some(node), KeyKind::Texts(most)) = (self.get(key), self.kind(key)) else { return Vec::new() };
        let Value::Array(items) = &node.value else {
            self.wrong_type(key, node, "a list of strings");
            return Vec::new();
        };
        self.check_count(key, items.len(), most);
        items.iter().take(most).filter_map(|item| self.item(key, item, &check)).collect()
    }

    fn check_count(&self, key: &str, count: usize, most: usize) {
        if count > most {
            self.refuse(key, format!("`{key}` has {count} entries, and at most {most} are allowed"), None);
        }
    }

    fn item(&self, key: &str, item: &'a TreeNode, check: impl Fn(&str) -> ConstraintResult) -> Option<String> {
        let text = self.text_of(&format!("an entry of `{key}`"), item)?;
        if let Err(why) = check(text) {
            self.report.add(Problem::error(format!("`{key}` has an entry that {why}")).at(&item.place));
        }
        Some(text.to_owned())
    }

    /// Returns an S3 URI; `None` for a text that is none, which is reported.
    pub(crate) fn s3_uri(&self, key: &str) -> Option<S3Uri> {
        const MAX_URI_CHARS: usize = 1024;
        let text = self.checked(key, |text| constraints::at_most(text, MAX_URI_CHARS))?;
        match S3Uri::parse(&text) {
            Ok(uri) => {
                if let Some(hint) = constraints::empty_parts(&uri) {
                    self.refuse(key, format!("`{key}` has `//` in its key, which SageMaker refuses"), Some(hint));
                }
                Some(uri)
            }
            Err(error) => {
                self.refuse(key, format!("`{key}` is not an S3 URI: {error}"), None);
                None
            }
        }
    }
}

/// Returns whether an unknown key of the table is a likely typo of `key`, one of `keys`.
pub(crate) fn has_likely_typo_of(table: &TreeTable, key: &str, keys: &'static [Key]) -> bool {
    let mut unknown =
        table.entries.iter().filter(|entry| schema::find(keys, &entry.key).is_none()).take(MAX_UNKNOWN_KEYS);
    unknown.any(|entry| closest(&entry.key, schema::names(keys)) == Some(key))
}

/// Returns a hint at the smallest change that gives a value the expected type.
fn rewrite(node: &TreeNode, expected: &str) -> Option<String> {
    match (&node.value, expected) {
        (Value::String(text), "an integer" | "a boolean") => {
            let is_meant = if expected == "an integer" {
                text.parse::<i64>().is_ok()
            } else {
                matches!(text.as_str(), "true" | "false")
            };
            is_meant.then(|| format!("write {text} without quotes"))
        }
        (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime, "a string") => {
            node.scalar_text().map(|text| format!("write \"{text}\", in quotes"))
        }
        (Value::String(text), "a list of strings") => Some(format!("write [{text:?}]")),
        (Value::Table(_), "a list of tables") => Some("write it as [{ ... }], or under [[ ]]".to_owned()),
        _ => None,
    }
}
