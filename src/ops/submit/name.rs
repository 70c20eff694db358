//! A job's name: the spec's, and the moment.

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

const LAST_STAMP: &str = "last-stamp";
/// A stamp further ahead of the clock than this was made by a clock that has been set back since.
const AHEAD: SignedDuration = SignedDuration::from_secs(10);

/// The name, and whether it was made here: `[request]` may set one, which then goes for everything.
/// Without `state` nothing is written, and another job may get the same.
pub(super) fn name(spec: &JobSpec, state: Option<&Path>) -> Result<(JobName, bool)> {
    let set = spec.request.get("TrainingJobName").and_then(Value::as_str);
    let moment = || state.map_or_else(Timestamp::now, own_moment);
    let name = set.map_or_else(|| JobName::stamped(&spec.name, moment()), JobName::new);
    Ok((name.map_err(|error| Error::usage(format!("the job's name: {error}")))?, set.is_none()))
}

/// A name that is taken, with the next moment in it.
pub(super) fn next(spec: &JobSpec, taken: &JobName) -> Result<JobName> {
    let later = taken.stamp().unwrap_or_else(Timestamp::now) + SignedDuration::from_millis(1);
    JobName::stamped(&spec.name, later).map_err(|error| Error::usage(error.to_string()))
}

/// A millisecond that no other submission from this computer has: a job that bears its name is then ours, even if the
/// service's answer got lost. Where nothing can be kept, the clock alone has to do.
fn own_moment(state: &Path) -> Timestamp {
    let now = Timestamp::now();
    after_the_last(state, now).unwrap_or(now)
}

fn after_the_last(state: &Path, now: Timestamp) -> io::Result<Timestamp> {
    DirBuilder::new().recursive(true).mode(0o700).create(state)?;
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    // Another kind of file may stand there: it is neither followed nor waited for.
    let mut file = options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(state.join(LAST_STAMP))?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let last = text.trim().parse::<i64>().ok().and_then(|millis| Timestamp::from_millisecond(millis + 1).ok());
    let stamp = last.filter(|last| last.duration_since(now) < AHEAD).map_or(now, |last| last.max(now));
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
        let stamps: Vec<Timestamp> = (0..5).map(|_| after_the_last(folder.path(), now)).collect::<io::Result<_>>()?;
        assert!(stamps.windows(2).all(|pair| pair[0].as_millisecond() < pair[1].as_millisecond()), "{stamps:?}");
        Ok(())
    }

    #[test]
    fn a_clock_that_was_set_back_is_believed() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let now = Timestamp::now();
        after_the_last(folder.path(), now + SignedDuration::from_hours(1))?;
        assert_eq!(after_the_last(folder.path(), now)?, now);
        Ok(())
    }
}
