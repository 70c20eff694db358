//! Parses and shows durations as job specs and flags write them: `90s`, `30m`, `1h30m`, `2d`.

use std::time::Duration;

/// Units and their seconds, the largest first. A duration has each unit at most once, in this order.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// The accepted forms, for hints of the spec's problems. A number of seconds is a TOML integer, not a text.
pub(crate) const FORMS: &str = "durations are written as \"90s\", \"30m\", \"24h\", \"1h30m\" or a number of seconds";

/// Regular expression that matches the texts that [`parse`] accepts.
pub(crate) const PATTERN: &str = r"^(\d+d(\d+h)?(\d+m)?(\d+s)?|\d+h(\d+m)?(\d+s)?|\d+m(\d+s)?|\d+s)$";

/// Parses a duration; `None` if the text isn't one, or has more than `u64::MAX` seconds.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds: u64 = 0;
    for (unit, unit_seconds) in UNITS {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        if let Some(after) = after.strip_prefix(unit) {
            seconds = number.parse::<u64>().ok()?.checked_mul(unit_seconds)?.checked_add(seconds)?;
            rest = after;
        }
    }
    let is_whole = rest.is_empty() && !text.is_empty();
    is_whole.then(|| Duration::from_secs(seconds))
}

/// Shows a duration in the shortest form that [`parse`] reads back: `1h30m`. Fractions of a second are dropped.
pub(crate) fn show(duration: Duration) -> String {
    let mut seconds = duration.as_secs();
    let mut shown = String::new();
    for (unit, unit_seconds) in UNITS {
        let count = seconds / unit_seconds;
        // A day is shown as 24h, as run times are usually written.
        if count > 0 && unit != 'd' {
            shown.push_str(&count.to_string());
            shown.push(unit);
            seconds %= unit_seconds;
        }
    }
    if shown.is_empty() { "0s".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_manual_are_read() -> Result<(), regex::Error> {
        let pattern = regex::Regex::new(PATTERN)?;
        for (text, seconds) in
            [("90s", 90), ("30m", 1_800), ("24h", 86_400), ("1h30m", 5_400), ("2d", 172_800), ("0s", 0)]
        {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
            assert!(pattern.is_match(text), "{text}");
        }
        Ok(())
    }

    #[test]
    fn anything_else_is_refused() -> Result<(), regex::Error> {
        let pattern = regex::Regex::new(PATTERN)?;
        for text in
            ["", "90", "h", "1h ", "1x", "30m1h", "1h1h", "-1h", "1.5h", "99999999999999999999s", "9999999999999999d"]
        {
            assert_eq!(parse(text), None, "{text}");
            assert!(text.len() > 16 || !pattern.is_match(text), "{text}");
        }
        Ok(())
    }

    #[test]
    fn they_are_shown_as_they_are_written() {
        for text in ["1h30m", "24h", "90h", "45s", "0s", "1m30s"] {
            assert_eq!(parse(text).map(show).as_deref(), Some(text));
        }
    }
}
