//! What lies beside the model while it comes, and afterwards.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::json;

use super::{Bucket, MIB, Model, names_in, noise, noted};
use crate::support::{TestResult, poll};

fn mode(path: &Path) -> TestResult<u32> {
    Ok(fs::symlink_metadata(path)?.permissions().mode() & 0o7777)
}

/// Others who use the computer see nothing that is not whole, and not what their own umask would not show them.
#[test]
fn a_folder_that_is_the_owners_alone() -> TestResult {
    let model = Model::of_noise(10, 5 * MIB)?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    bucket.slow_down(1_000_000)?;
    let script = "umask 0; exec smtrain download $uri -d out";
    let running = bucket.sandbox.sh(script).env("uri", &uri).start()?;
    poll("something to come", || Ok((noted(&bucket.partial().join("fetched")) > 0).then_some(())))?;
    assert_eq!((mode(&bucket.partial())?, names_in(&bucket.out(""))?), (0o700, vec![".model.partial".to_owned()]));
    running.finish()?.ok()?;
    assert_eq!(mode(&bucket.out("model"))? & 0o700, 0o700);
    assert_eq!(mode(&bucket.out("model/deep/weights.bin"))?, 0o644);
    bucket.assert_whole(&model)?;
    assert!(names_in(&bucket.sandbox.path("tmp"))?.is_empty(), "temporary files are left");
    Ok(())
}

/// What was begun as one thing is of no use for another.
#[test]
fn what_an_earlier_way_has_left() -> TestResult {
    let model = Model::of_noise(11, 5 * MIB)?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    let prefix = bucket.uri("model/");
    for number in 0..3 {
        bucket.put(&format!("model/{number}"), &noise(number, 5 * MIB))?;
    }
    bucket.slow_down(1_000_000)?;
    bucket.kill_after(1, &[&prefix])?;
    bucket.kill_after(1, &[&uri])?;
    bucket.kill_after(1, &[&uri, "--only", "*.json"])?;
    bucket.kill_after(1, &[&prefix])?;
    bucket.tenant.clear_rules()?;
    fs::write(bucket.partial().join("other"), "of another version")?;
    bucket.download(&[&prefix])?.ok()?;
    assert_eq!((names_in(&bucket.out(""))?, names_in(&bucket.out("model"))?.len()), (vec!["model".to_owned()], 3));
    bucket.download(&[&uri, "--force"])?.ok()?;
    bucket.assert_whole(&model)
}

/// The archive itself is made as anything else is.
#[test]
fn an_archive_that_is_kept_is_resumed() -> TestResult {
    let model = Model::of_noise(12, 5 * MIB)?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    bucket.slow_down(1_000_000)?;
    let running = bucket.sandbox.smtrain(&["download", &uri, "-d", "out", "--archive"]).start()?;
    let partial = bucket.out(".model.tar.gz.partial");
    poll("something to come", || Ok((noted(&partial.join("fetched")) > 0).then_some(())))?;
    assert_eq!((mode(&partial)?, names_in(&bucket.out(""))?.len()), (0o700, 1));
    running.signal(Signal::SIGKILL)?;
    running.finish()?;
    bucket.tenant.clear_rules()?;
    let said = bucket.download(&[&uri, "--archive"])?.ok()?;
    // How much has been fetched by then depends on the moment.
    assert!(said.stderr.contains("resuming at"), "{said}");
    assert_eq!(names_in(&bucket.out(""))?, ["model.tar.gz"]);
    assert!(fs::read(bucket.out("model.tar.gz"))? == model.archive);
    Ok(())
}

/// A list, a file on stdout: they need a place only while they run.
#[test]
fn no_place_for_what_is_not_saved() -> TestResult {
    let (bucket, uri) = Bucket::with(&Model::of_noise(13, 5 * MIB)?.archive)?;
    bucket.download(&[&uri, "--list"])?.ok()?;
    bucket.download(&[&uri, "--stdout", "last.txt"])?.ok()?;
    bucket.tenant.rule(&json!({ "fault": "access_denied", "operation": "GetObject" }))?;
    bucket.download(&[&uri, "--list"])?.expect(1)?;
    assert!(names_in(&bucket.sandbox.path("tmp"))?.is_empty() && !bucket.out("").exists());
    Ok(())
}
