//! Styles of text by meaning, and their colours.

use anstyle::{AnsiColor, Style as Ansi};

use crate::model::JobStatus;

/// Style of a part of a [`Text`](super::Text).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    Error,
    Warning,
    Hint,
    Heading,
    Good,
    Faint,
    Plain,
    /// One of the colours that distinguish nodes.
    Node(u8),
}

impl Style {
    /// Returns the style of a job's status.
    pub(crate) fn of(status: &JobStatus) -> Self {
        match status {
            JobStatus::Completed => Self::Good,
            JobStatus::Failed => Self::Error,
            JobStatus::Stopped | JobStatus::Stopping | JobStatus::Deleting | JobStatus::Unknown(_) => Self::Warning,
            JobStatus::InProgress => Self::Hint,
        }
    }

    /// Returns the colour of a node; consecutive nodes differ.
    pub(crate) fn of_node(number: u32) -> Self {
        Self::Node(u8::try_from(number % 6).unwrap_or_default())
    }

    pub(super) fn ansi(self) -> Ansi {
        let color = |color: AnsiColor| Ansi::new().fg_color(Some(color.into()));
        match self {
            Self::Error => color(AnsiColor::Red).bold(),
            Self::Warning => color(AnsiColor::Yellow).bold(),
            Self::Hint | Self::Node(1) => color(AnsiColor::Cyan),
            Self::Heading => Ansi::new().bold(),
            Self::Good | Self::Node(3) => color(AnsiColor::Green),
            Self::Faint => Ansi::new().dimmed(),
            Self::Plain => Ansi::new(),
            Self::Node(0) => color(AnsiColor::BrightCyan),
            Self::Node(2) => color(AnsiColor::Yellow),
            Self::Node(4) => color(AnsiColor::Magenta),
            Self::Node(_) => color(AnsiColor::Blue),
        }
    }
}
