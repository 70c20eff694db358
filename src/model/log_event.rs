//! A line of a training job's log.

use std::borrow::Cow;

use jiff::Timestamp;

/// One line of a job's output. Bytes, since a script can print anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogEvent {
    pub(crate) timestamp: Timestamp,
    /// Time at which the service ingested it; `None` for a local job.
    pub(crate) ingested: Option<Timestamp>,
    /// The line without its line feed. A local one that ends in a carriage return was overwritten by the next: a progress
    /// bar. CloudWatch has control characters as text; see [`Self::decoded`].
    pub(crate) message: Vec<u8>,
    /// A mark by smtrain that lines may be missing here. The message says why.
    pub(crate) is_gap: bool,
}

impl LogEvent {
    /// Returns whether a service has ingested the event, so that it is one whole line, with control characters as text.
    pub(crate) fn is_of_service(&self) -> bool {
        self.ingested.is_some()
    }

    /// Returns the message as the script printed it. SageMaker's events have `#015` for a carriage return, as rsyslog
    /// writes control characters (rsyslog, `$EscapeControlCharactersOnReceive`): `#` and three octal digits.
    pub(crate) fn decoded(&self) -> Cow<'_, [u8]> {
        if self.is_of_service() { decode(&self.message) } else { Cow::Borrowed(&self.message) }
    }
}

/// Number of bytes of an escaped character: `#` and three digits.
const ESCAPE_BYTES: usize = 4;

/// Replaces each escape of a control character by the character.
fn decode(message: &[u8]) -> Cow<'_, [u8]> {
    let mut decoded: Option<Vec<u8>> = None;
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'#', message.get(at..).unwrap_or_default()) {
        at += found;
        let Some(control) = message.get(at..at + ESCAPE_BYTES).and_then(control) else {
            at += 1;
            continue;
        };
        let out = decoded.get_or_insert_default();
        out.extend_from_slice(message.get(copied..at).unwrap_or_default());
        out.push(control);
        at += ESCAPE_BYTES;
        copied = at;
    }
    let Some(mut decoded) = decoded else { return Cow::Borrowed(message) };
    decoded.extend_from_slice(message.get(copied..).unwrap_or_default());
    Cow::Owned(decoded)
}

/// Returns the control character of an escape; `None` if it is another character.
fn control(escape: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(escape.get(1..)?).ok()?;
    let is_octal = digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    let code = u8::from_str_radix(digits, 8).ok().filter(|_| is_octal)?;
    code.is_ascii_control().then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_control_characters_are_decoded() {
        for (text, expected) in [
            (" 5%#015 6%#011#033[31m#177#000#012", " 5%\r 6%\t\u{1b}[31m\u{7f}\0\n"),
            ("# ## #1 #01 #08 #018 #0 15 #+15", "# ## #1 #01 #08 #018 #0 15 #+15"),
            ("#040 #101 #377 #777 #015", "#040 #101 #377 #777 \r"),
            ("##015#", "#\r#"),
            ("\u{fc}#015\u{fc}", "\u{fc}\r\u{fc}"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8_lossy(&decode(text.as_bytes())), expected, "{text}");
        }
    }
}
