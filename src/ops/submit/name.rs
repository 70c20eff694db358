//! Generates a job's name from the spec's name and the time.

use std::fs::{DirBuilder, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use nix::libc;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::job::spec::JobSpec;
use crate::model::JobName;

/// File in the state folder that holds the last stamp, in milliseconds since 1970.
const LAST_STAMP_FILE: &str = "last-stamp";
/// Maximum difference by which the last stamp may be ahead of the clock; a larger one means that the clock was set
/// back.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(10);

/// Returns the job's name, and true if it was generated rather than set in `[request]`.
///
/// Without `state` nothing is written, and another job may get the same name.
pub(super) fn name(spec: &JobSpec, state: Option<&Path>) -> Result<(JobName, bool)> {
    let set = spec.request.get("TrainingJobName").and_then(Value::as_str);
    let time = || state.map_or_else(Timestamp::now, unique_time);
    let name = set.map_or_else(|| JobName::stamped(&spec.name, time()), JobName::new);
    Ok((name.map_err(|error| Error::usage(format!("the job's name: {error}")))?, set.is_none()))
}

/// Returns the name of the millisecond after that of a name that is taken.
pub(super) fn next_name(spec: &JobSpec, taken: &JobName) -> Result<JobName> {
    let later = taken.stamp().unwrap_or_else(Timestamp::now) + SignedDuration::from_millis(1);
    JobName::stamped(&spec.name, later).map_err(|error| Error::usage(error.to_string()))
}

/// Returns a millisecond that no other submission from this computer uses, so that a job of that name is ours even if
/// the service's reply was lost. Falls back to the clock if the state cannot be written.
fn unique_time(state: &Path) -> Timestamp {
    let now = Timestamp::now();
    next_stamp(state, now).unwrap_or(now)
}

/// Returns the later of the clock and one millisecond after the last stamp, and records it under a lock.
fn next_stamp(state: &Path, now: Timestamp) -> io::Result<Timestamp> {
    DirBuilder::new().recursive(true).mode(0o700).create(state)?;
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    // Another kind of file is neither followed nor waited for.
    let mut file = options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(state.join(LAST_STAMP_FILE))?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let last = text.trim().parse::<i64>().ok().and_then(|millis| Timestamp::from_millisecond(millis + 1).ok());
    let stamp = last.filter(|last| last.duration_since(now) < MAX_CLOCK_SKEW).map_or(now, |last| last.max(now));
    file.rewind()?;
    file.set_len(0)?;
    write!(file, "{}", stamp.as_millisecond())?;
    Ok(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_moments_are_the_same() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let now = Timestamp::now();
        let stamps: Vec<Timestamp> = (0..5).map(|_| next_stamp(folder.path(), now)).collect::<io::Result<_>>()?;
        assert!(stamps.windows(2).all(|pair| pair[0].as_millisecond() < pair[1].as_millisecond()), "{stamps:?}");
        Ok(())
    }

    #[test]
    fn a_clock_that_was_set_back_is_believed() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let now = Timestamp::now();
        next_stamp(folder.path(), now + SignedDuration::from_hours(1))?;
        assert_eq!(next_stamp(folder.path(), now)?, now);
        Ok(())
    }
}
