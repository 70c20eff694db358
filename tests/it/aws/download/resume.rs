//! What is interrupted goes on where it was.

use flate2::Compression;
use nix::sys::signal::Signal;

use super::{Bucket, MIB, Model, noise, noted};
use crate::support::{TestResult, poll};

/// Numbers below a limit, always the same ones.
fn chances(seed: u64, below: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    })
}

#[test]
fn a_download_is_resumed_after_kills_at_any_moment() -> TestResult {
    let model = Model::large()?;
    let size = model.archive.len() as u64;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    bucket.slow_down(200_000)?;
    for bytes in chances(7, size / 16).take(20) {
        bucket.kill_after(bytes, &[&uri])?;
        assert!(!bucket.out("model").exists());
    }
    bucket.tenant.clear_rules()?;
    bucket.download(&[&uri])?.ok()?;
    bucket.assert_whole(model)?;
    let more = bucket.tenant.sent()? - size;
    assert!(more * 20 < size, "{more} bytes were fetched twice");
    Ok(())
}

/// The command that was given says how it is gone on with, and is.
#[test]
fn an_interrupted_download_is_resumed() -> TestResult {
    let model = Model::large()?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    bucket.slow_down(400_000)?;
    let running = bucket.sandbox.smtrain(&["download", "-d", "out", &uri]).start()?;
    poll("something to come", || Ok((noted(&bucket.partial().join("fetched")) > 0).then_some(())))?;
    running.signal(Signal::SIGINT)?;
    let said = running.finish()?.expect(130)?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r"
    exit code: 130
    --- stdout
    --- stderr
    error: interrupted
    hint: the fetched bytes are kept in out/.model.partial: the same command continues from there
    ");
    bucket.tenant.clear_rules()?;
    let said = bucket.download(&[&uri])?.ok()?;
    // How much has been fetched by then depends on the moment.
    assert!(said.stderr.contains("model.tar.gz: resuming at "), "{said}");
    bucket.assert_whole(model)
}

/// Two of them would write to the same files.
#[test]
fn a_second_download_to_the_same_folder_is_refused() -> TestResult {
    let model = Model::large()?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    bucket.slow_down(400_000)?;
    let first = bucket.sandbox.smtrain(&["download", "-d", "out", &uri]).start()?;
    poll("something to come", || Ok((noted(&bucket.partial().join("fetched")) > 0).then_some(())))?;
    let said = bucket.download(&[&uri])?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: another download of out/model is running
    "#);
    first.finish()?.ok()?;
    bucket.assert_whole(model)
}

/// One of the same size.
#[test]
fn another_object_is_fetched_from_its_start() -> TestResult {
    let model = |seed| Model::compressed(&[("weights", &noise(seed, 9 * MIB))], Compression::none());
    let [model, other] = [4, 5].map(model);
    let (model, other) = (model?, other?);
    assert_eq!(model.archive.len(), other.archive.len());
    let (bucket, uri) = Bucket::with(&model.archive)?;
    bucket.slow_down(400_000)?;
    bucket.kill_after(MIB as u64, &[&uri])?;
    bucket.tenant.clear_rules()?;
    bucket.put("model.tar.gz", &other.archive)?;
    let said = bucket.download(&[&uri])?.ok()?;
    // How long it took is said too.
    assert!(!said.stderr.contains("resuming"), "{said}");
    bucket.assert_whole(&other)
}
