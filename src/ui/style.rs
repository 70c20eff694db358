//! The colours, each by its meaning.

use std::fmt;

use anstyle::{AnsiColor, Style as Ansi};

use crate::model::JobStatus;

/// `{style}` starts it, `{style:#}` ends it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    Error,
    Warning,
    Hint,
    Heading,
    Good,
    Faint,
    Plain,
}

impl Style {
    pub(crate) fn of(status: JobStatus) -> Self {
        match status {
            JobStatus::Completed => Self::Good,
            JobStatus::Failed => Self::Error,
            JobStatus::Stopped | JobStatus::Stopping | JobStatus::Deleting => Self::Warning,
            JobStatus::InProgress => Self::Hint,
        }
    }

    fn ansi(self) -> Ansi {
        let color = |color: AnsiColor| Ansi::new().fg_color(Some(color.into()));
        match self {
            Self::Error => color(AnsiColor::Red).bold(),
            Self::Warning => color(AnsiColor::Yellow).bold(),
            Self::Hint => color(AnsiColor::Cyan),
            Self::Heading => Ansi::new().bold(),
            Self::Good => color(AnsiColor::Green),
            Self::Faint => Ansi::new().dimmed(),
            Self::Plain => Ansi::new(),
        }
    }
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.ansi(), f)
    }
}
