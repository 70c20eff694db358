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
fn after_twenty_kills_at_any_moment() -> TestResult {
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
fn after_ctrl_c() -> TestResult {
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
    assert!(said.stderr.contains("model.tar.gz: resuming at "), "{said}");
    bucket.assert_whole(model)
}

/// Two of them would write to the same files.
#[test]
fn not_beside_another_one() -> TestResult {
    let model = Model::large()?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    bucket.slow_down(400_000)?;
    let first = bucket.sandbox.smtrain(&["download", "-d", "out", &uri]).start()?;
    poll("something to come", || Ok((noted(&bucket.partial().join("fetched")) > 0).then_some(())))?;
    let said = bucket.download(&[&uri])?.expect(1)?;
    assert!(said.stderr.contains("another download of out/model is running"), "{said}");
    first.finish()?.ok()?;
    bucket.assert_whole(model)
}

/// One of the same size.
#[test]
fn with_another_object_from_its_start() -> TestResult {
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
    assert!(!said.stderr.contains("going on"), "{said}");
    bucket.assert_whole(&other)
}
