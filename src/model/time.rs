//! Points in time as people write them, and times and durations as people read them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Zoned, civil, fmt::friendly::SpanParser, tz::TimeZone};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time: write how long ago (10m, 2h, 7d), a date (2026-11-23) or a time (2026-11-23T08:30:00)")]
pub(crate) struct InvalidTime(String);

/// `10m` (ago), `2026-11-23`, `2026-11-23T08:30` (in the local time zone), or a time with its own zone.
pub(crate) fn parse(text: &str, now: &Zoned) -> Result<Timestamp, InvalidTime> {
    let invalid = || InvalidTime(text.to_owned());
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let local = || {
        let time: civil::DateTime =
            text.parse().or_else(|_| text.parse::<civil::Date>().map(|date| date.at(0, 0, 0, 0))).ok()?;
        Some(time.to_zoned(now.time_zone().clone()).ok()?.timestamp())
    };
    local().map_or_else(|| ago(text, now).ok_or_else(invalid), Ok)
}

fn ago(text: &str, now: &Zoned) -> Option<Timestamp> {
    let span = SpanParser::new().parse_span(text).ok()?;
    let then = if span.is_negative() { now.checked_add(span) } else { now.checked_sub(span) };
    Some(then.ok()?.timestamp())
}

/// `2026-11-23 08:30:05`, in the local time zone.
pub(crate) fn local(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `45s`, `12m 5s`, `3h 20m`: the two largest units.
pub(crate) fn duration(duration: SignedDuration) -> String {
    let seconds = Duration::try_from(duration).unwrap_or_default().as_secs();
    let days = seconds / 86_400;
    let hours = seconds / 3600 % 24;
    let minutes = seconds / 60 % 60;
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_write_them() -> Result<(), Box<dyn std::error::Error>> {
        let now: Zoned = "2026-11-23T12:00:00+01:00[Europe/Berlin]".parse()?;
        for (text, expected) in [
            ("10m", "2026-11-23T10:50:00Z"),
            ("1h30m", "2026-11-23T09:30:00Z"),
            ("2d", "2026-11-21T11:00:00Z"),
            ("2026-11-23", "2026-11-22T23:00:00Z"),
            ("2026-11-23T08:30", "2026-11-23T07:30:00Z"),
            ("2026-11-23 08:30:00", "2026-11-23T07:30:00Z"),
            ("2026-11-23T08:30:00Z", "2026-11-23T08:30:00Z"),
        ] {
            assert_eq!(parse(text, &now)?.to_string(), expected, "{text}");
        }
        for text in ["", "yesterday", "10", "99999999999d"] {
            assert!(parse(text, &now).is_err(), "{text}");
        }
        Ok(())
    }

    #[test]
    fn durations_have_two_units() {
        for (seconds, expected) in [(0, "0s"), (59, "59s"), (725, "12m 5s"), (12_000, "3h 20m"), (90_000, "1d 1h")] {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), expected);
        }
    }
}
