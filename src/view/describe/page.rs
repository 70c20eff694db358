//! The page of `describe`: fields, each with its name, and sections of entries.

use crate::model::one_line;
use crate::ui::{Style, Text};

/// Text of fields and sections.
#[derive(Default)]
pub(super) struct DescribePage {
    pub(super) text: Text,
}

/// Column of a field's value.
const FIELD_COLUMN: usize = 12;
/// Column of a section entry's value.
const ENTRY_COLUMN: usize = 34;

impl DescribePage {
    pub(super) fn field(&mut self, name: &str, value: &str) {
        self.styled_field(name, Style::Plain, value);
    }

    pub(super) fn styled_field(&mut self, name: &str, style: Style, value: &str) {
        self.text.push(format_args!("{name:<FIELD_COLUMN$}"));
        self.text.push_styled(style, indented(FIELD_COLUMN, value));
        self.text.push('\n');
    }

    pub(super) fn heading(&mut self, title: &str) {
        self.text.push('\n');
        self.text.push_styled(Style::Heading, title);
        self.text.push('\n');
    }

    pub(super) fn entry(&mut self, name: &str, value: &str) {
        let name = one_line(name);
        self.text.push(format_args!("  {name:<30}  {}\n", indented(ENTRY_COLUMN, value)));
    }
}

/// Indents further lines of a value to its column.
fn indented(column: usize, value: &str) -> String {
    value.replace('\n', &format!("\n{:column$}", ""))
}
