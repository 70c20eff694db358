//! Log events as lines: for a terminal, for a pipe, and as JSON.

use std::borrow::Cow;

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::cloud::{LogEvent, LogStream};
use crate::error::Result;

/// How the lines of a log are shown.
#[derive(Clone, Debug)]
pub(crate) struct LogFormat {
    pub(crate) kind: Kind,
    pub(crate) timestamps: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What a progress bar overwrites is overwritten.
    Terminal,
    /// What a progress bar overwrites is left out.
    Pipe,
    /// One object a line, overwritten lines too.
    Json,
}

/// One log event.
#[derive(Debug, Serialize)]
struct EventJson<'a> {
    version: u32,
    /// RFC 3339, UTC, to the millisecond.
    timestamp: String,
    /// `algo-1`.
    node: &'a str,
    /// Bytes that are no UTF-8 are replaced.
    message: Cow<'a, str>,
    /// The next message of the node stands in this one's place: a progress bar.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overwritten: bool,
}

impl LogFormat {
    /// Appends the event to `out`, line end included; nothing where it is not to be seen.
    pub(crate) fn write(&self, stream: &LogStream, event: &LogEvent, out: &mut Vec<u8>) -> Result<()> {
        let (message, overwritten) = parts(&event.message);
        match self.kind {
            Kind::Json => out.extend(json(stream, event, message, overwritten)?.as_bytes()),
            Kind::Pipe if overwritten => return Ok(()),
            Kind::Pipe | Kind::Terminal => {
                self.stamp(event.timestamp, out);
                out.extend_from_slice(message);
            }
        }
        // A terminal goes back to the line's start; what comes next starts with clearing it.
        out.extend_from_slice(if overwritten && self.kind == Kind::Terminal { b"\x1b[K\r" } else { b"\n" });
        Ok(())
    }

    fn stamp(&self, at: Timestamp, out: &mut Vec<u8>) {
        if self.timestamps {
            let at = at.to_zoned(TimeZone::system());
            out.extend(at.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z ").to_string().into_bytes());
        }
    }
}

/// The message as it is seen, and whether the next one overwrites it. Of carriage returns inside a message, which other
/// places keep, only what follows the last is seen.
pub(crate) fn parts(message: &[u8]) -> (&[u8], bool) {
    let (message, overwritten) = match message.strip_suffix(b"\r") {
        Some(message) => (message, true),
        None => (message, false),
    };
    (message.rsplit(|byte| *byte == b'\r').next().unwrap_or(message), overwritten)
}

fn json(stream: &LogStream, event: &LogEvent, message: &[u8], overwritten: bool) -> Result<String> {
    super::json_line(&EventJson {
        version: super::VERSION,
        timestamp: format!("{:.3}", event.timestamp),
        node: stream.node(),
        message: String::from_utf8_lossy(message),
        overwritten,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: Kind, message: &[u8]) -> Result<String> {
        let stream = LogStream { name: "job/algo-1-1".into() };
        let event = LogEvent { timestamp: Timestamp::UNIX_EPOCH, message: message.to_vec() };
        let mut out = Vec::new();
        LogFormat { kind, timestamps: false }.write(&stream, &event, &mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn a_progress_bar() -> Result<()> {
        assert_eq!(shown(Kind::Terminal, b" 5%\r")?, " 5%\x1b[K\r");
        assert_eq!(shown(Kind::Pipe, b" 5%\r")?, "");
        assert_eq!(shown(Kind::Pipe, b" 5%\r 6%")?, " 6%\n");
        assert!(shown(Kind::Json, b" 5%\r")?.contains(r#""message":" 5%","overwritten":true"#));
        Ok(())
    }
}
