//! Text for people, free of control sequences from outside.

use std::borrow::Cow;
use std::fmt::Display;

use anstream::adapter::strip_str;

use super::Style;
use crate::model::printable;

/// Text with smtrain's own styles. Everything pushed into it loses its terminal control sequences.
///
/// It is built from anything that implements `Display`, and does not implement `Display` itself, so that text cannot
/// reach a terminal in another way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    /// Text with the escape sequences of the styles.
    ansi: String,
}

impl<T: Display> From<T> for Text {
    fn from(text: T) -> Self {
        let mut plain = Self::default();
        plain.push(text);
        plain
    }
}

impl Text {
    pub(crate) fn styled(style: Style, text: impl Display) -> Self {
        let mut styled = Self::default();
        styled.push_styled(style, text);
        styled
    }

    /// Wraps the output of a renderer of printable text.
    pub(super) fn rendered(ansi: String) -> Self {
        Self { ansi }
    }

    pub(crate) fn push(&mut self, text: impl Display) {
        self.ansi += &printable(&text.to_string());
    }

    pub(crate) fn push_styled(&mut self, style: Style, text: impl Display) {
        let ansi = style.ansi();
        self.ansi += &ansi.render().to_string();
        self.push(text);
        self.ansi += &ansi.render_reset().to_string();
    }

    /// Indents all lines but the first, so that text from outside cannot imitate a line of its own, such as a hint.
    pub(super) fn continued(mut self) -> Self {
        self.ansi = self.ansi.replace('\n', "\n  ");
        self
    }

    /// Returns the text to write, with or without styles.
    pub(crate) fn shown(&self, styled: bool) -> Cow<'_, str> {
        if styled || !self.ansi.contains('\u{1b}') {
            return Cow::Borrowed(&self.ansi);
        }
        Cow::Owned(strip_str(&self.ansi).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_styles_pass() {
        let mut text = Text::styled(Style::Good, "a\u{1b}[31mb\u{9b}2J");
        text.push("\u{1b}[0m\n");
        assert_eq!(text.shown(true), "\u{1b}[32ma\u{fffd}[31mb\u{fffd}2J\u{1b}[0m\u{fffd}[0m\n");
        assert_eq!(text.shown(false), "a\u{fffd}[31mb\u{fffd}2J\u{fffd}[0m\n");
        // What has been rendered is text like any other.
        assert_eq!(Text::from(text.shown(true)).shown(true), Text::from(text.shown(true)).shown(false));
    }
}
