//! Disks that have no room for it, or no more room.

use super::{Bucket, MIB, Model};
use crate::support::{CommandOutput, TestResult};

/// Runs a shell script with a small disk of its own at `out`; `$uri` is what there is to download.
fn on_a_small_disk(bucket: &Bucket, size: &str, uri: &str, script: &str) -> TestResult<CommandOutput> {
    let mount = format!("mkdir out && unshare -Urm sh -c 'mount -t tmpfs -o size={size} none out && {{ {script} }}'");
    bucket.sandbox.sh(&mount).env("uri", uri).run()
}

#[test]
fn a_disk_that_is_too_small_for_the_object_is_told_before_the_fetch() -> TestResult {
    let model = Model::large()?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    let said = on_a_small_disk(&bucket, "90m", &uri, "smtrain download $uri -d out; echo code $?; ls -A out;")?.ok()?;
    assert_eq!(said.stdout, "code 1\n");
    let needed = format!("{uri} has {} bytes to fetch, and the disk has room for ", model.archive.len());
    // How much room there is depends on the system.
    assert!(said.stderr.contains(&needed) && said.stderr.contains("-d DIR"), "{said}");
    assert_eq!(bucket.tenant.count("GetObject")?, 0);
    Ok(())
}

/// A bomb does not get so far as to fill it.
#[test]
fn a_disk_that_is_too_small_for_the_files_is_not_filled() -> TestResult {
    let model = Model::of(&[("zeros", &vec![0; 300 * MIB])])?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    let said =
        on_a_small_disk(&bucket, "200m", &uri, "smtrain download $uri -d out; echo code $?; ls -A out;")?.ok()?;
    assert_eq!(said.stdout, "code 1\n.model.partial\n");
    // How much room there is depends on the system.
    assert!(said.stderr.contains("the archive unpacks to more than 1") && said.stderr.contains("--max-size"), "{said}");
    Ok(())
}

#[test]
fn a_disk_that_fills_up_keeps_what_was_fetched() -> TestResult {
    let model = Model::large()?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    bucket.slow_down(2_000_000)?;
    let script = "
        smtrain download $uri -d out & download=$!
        until [ -s out/.model.partial/archive ]; do sleep 0.01; done
        head -c 300m /dev/zero > out/fill 2>/dev/null || true
        wait $download || echo code $?
        ls -A out; rm out/fill
        smtrain download $uri -d out; ls -A out
        cp -r out/model kept
    ";
    let said = on_a_small_disk(&bucket, "200m", &uri, script)?.ok()?;
    assert_eq!(said.stdout, "code 1\n.model.partial\nfill\nout/model\nmodel\n");
    // How much has been fetched by then depends on the moment.
    assert!(said.stderr.contains("No space left on device"), "{said}");
    assert!(said.stderr.contains("kept in out/.model.partial") && said.stderr.contains("resuming at"), "{said}");
    model.assert_in(&bucket.sandbox.path("kept"))
}
