//! Objects named `.tar.gz` that are something else, and archives with padding.

use std::process::Command;

use serde_json::json;

use super::{Bucket, Model, names_in};
use crate::support::{CommandOutput, TestResult, Transcript};

fn model() -> TestResult<Model> {
    Model::of(&[("config.json", b"{}"), ("weights.bin", b"weights")])
}

/// What another program makes of a folder with one file.
fn made_by(script: &str) -> TestResult<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("config.json"), "{}")?;
    let status = Command::new("python3").args(["-c", script]).current_dir(folder.path()).status()?;
    assert!(status.success());
    Ok(std::fs::read(folder.path().join("made"))?)
}

#[test]
fn plain_tar_and_padding_are_read() -> TestResult {
    let model = model()?;
    let plain = made_by("import tarfile\nwith tarfile.open('made', 'w') as tar: tar.add('config.json')")?;
    let padded = [&model.archive[..], &[0; 5000]].concat();
    let (bucket, uri) = Bucket::with(&plain)?;
    bucket.download(&[&uri])?.ok()?;
    assert_eq!(names_in(&bucket.out("model"))?, ["config.json"]);
    let listed = bucket.download(&[&uri, "--list"])?.ok()?;
    insta::assert_snapshot!(listed.stdout, @"2 B  config.json");
    assert_eq!(bucket.download(&[&uri, "--stdout", "config.json"])?.ok()?.stdout, "{}");
    let (bucket, uri) = Bucket::with(&padded)?;
    bucket.download(&[&uri])?.ok()?;
    bucket.assert_whole(&model)
}

#[test]
fn another_format_is_named_and_archive_keeps_it() -> TestResult {
    let mut rounds = Vec::new();
    for (format, script) in [
        ("a zip archive", "import zipfile\nwith zipfile.ZipFile('made', 'w') as made: made.write('config.json')"),
        ("compressed by bzip2", "import bz2\nopen('made', 'wb').write(bz2.compress(b'{}'))"),
        ("compressed by xz", "import lzma\nopen('made', 'wb').write(lzma.compress(b'{}'))"),
    ] {
        let made = made_by(script)?;
        for algorithm in [None, Some("SHA256")] {
            let (bucket, uri) = Bucket::with(&made)?;
            let told = json!({ "bucket": bucket.name, "key": "model.tar.gz", "algorithm": algorithm });
            bucket.tenant.tell_checksum(&told)?;
            let mut transcript = Transcript::default();
            for args in [&[&*uri][..], &[&uri, "--list"], &[&uri, "--archive"]] {
                let said = bucket.download(args)?;
                let stderr = said.stderr.replace(format, "[FORMAT]").replace(&format!("{} B", made.len()), "[SIZE]");
                let said = CommandOutput { stderr, ..said };
                transcript.add(args.get(1).unwrap_or(&"plain"), &said);
            }
            rounds.push(transcript.text()?);
            assert_eq!(std::fs::read(bucket.out("model.tar.gz"))?, made);
        }
    }
    rounds.dedup();
    assert_eq!(rounds.len(), 1, "{rounds:#?}");
    insta::assert_snapshot!(rounds[0], @r#"
    ## plain
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: it is [FORMAT], not a tar.gz
    hint: --archive keeps it as it is, for another program to unpack
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## --list
    exit code: 1
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: it is [FORMAT], not a tar.gz
    hint: --archive keeps it as it is, for another program to unpack
    ## --archive
    exit code: 0
    --- stdout
    out/model.tar.gz
    --- stderr
    warning: s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz: it is [FORMAT], not a tar.gz
    model.tar.gz: 1 file, [SIZE] in out/model.tar.gz
    "#);
    Ok(())
}

/// S3 reports the checksum of parts without their number for some uploads, and no type for old objects.
#[test]
fn a_checksum_of_parts_is_not_taken_for_one_of_the_whole() -> TestResult {
    let model = Model::of_noise(6, 300_000)?;
    for (is_counted, is_typed, kind) in [
        (true, true, None),
        (true, false, None),
        (false, true, None),
        (false, false, None),
        (false, true, Some("COMPOSITE")),
    ] {
        let (bucket, uri) = Bucket::with(&model.archive)?;
        let told = json!({
            "bucket": bucket.name, "key": "model.tar.gz", "algorithm": "CRC32", "part_size": 99_999,
            "is_counted": is_counted, "is_typed": is_typed, "kind": kind,
        });
        bucket.tenant.tell_checksum(&told)?;
        bucket.download(&[&uri])?.ok()?;
        bucket.assert_whole(&model)?;
    }
    Ok(())
}

/// A checksum of the whole that S3 says is one, of an object that came in parts.
#[test]
fn a_checksum_of_the_whole_of_an_object_in_parts_is_compared() -> TestResult {
    let model = Model::of_noise(7, 300_000)?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    let parts = json!({ "bucket": bucket.name, "key": "model.tar.gz", "algorithm": "CRC32", "part_size": 99_999 });
    bucket.tenant.tell_checksum(&parts)?;
    // The ETag keeps the number of parts.
    for (wrong, code) in [(true, 1), (false, 0)] {
        let whole = json!({
            "bucket": bucket.name, "key": "model.tar.gz", "algorithm": "CRC32", "is_whole": true, "wrong": wrong,
        });
        bucket.tenant.tell_checksum(&whole)?;
        bucket.download(&[&uri])?.expect(code)?;
    }
    bucket.assert_whole(&model)
}
