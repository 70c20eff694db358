//! Archives that are damaged as they are stored: they are not unpacked, what was fetched of them is kept, and `--archive` saves
//! them with a warning, once it is proved that these are the stored bytes.

use std::fs;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::{Bucket, MIB, Model, names_in, noise};
use crate::support::{CommandOutput, TestResult, Transcript};

/// Archives with what is wrong in each.
fn unsound() -> TestResult<Vec<(Vec<u8>, &'static str)>> {
    let Model { archive, .. } = Model::of_noise(6, 2 * MIB)?;
    let flipped = |at: usize| {
        let mut bytes = archive.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let half = archive.len() / 2;
    Ok(vec![
        (archive[..half].to_vec(), "the archive is damaged or cut short in deep/first.bin"),
        (archive[..archive.len() - 4].to_vec(), "the archive is damaged or cut short at its end"),
        (flipped(half), "the archive is damaged or cut short"),
        (flipped(archive.len() - 2), "the archive is damaged or cut short at its end"),
        (flipped(0), "the archive is damaged or cut short at its start"),
        ([&archive[..], b"garbage"].concat(), "the archive is followed by data that is no part of it"),
        (noise(1, 1000), "the archive is damaged or cut short at its start"),
        (b"a text".to_vec(), "the archive is damaged or cut short at its start"),
        (vec![], "the archive is damaged or cut short at its start"),
    ])
}

/// Holds that it is saved as it is, with a warning, and that nothing else is left.
fn is_saved(bucket: &Bucket, uri: &str, bytes: &[u8], words: &[&str]) -> TestResult {
    let said = bucket.download(&[uri, "--archive"])?.ok()?;
    // The words differ by what is damaged, and are those of the snapshots below.
    assert!(said.stderr.contains(&format!("warning: {uri} is kept as it is")), "{said}");
    assert!(words.iter().all(|word| said.stderr.contains(word)), "{words:?}: {said}");
    assert!(fs::read(bucket.out("model.tar.gz"))? == bytes, "{said}");
    assert_eq!(names_in(&bucket.out(""))?, ["model.tar.gz"]);
    Ok(())
}

fn is_not_unpacked(bucket: &Bucket, uri: &str, words: &[&str]) -> TestResult<CommandOutput> {
    let said = bucket.download(&[uri])?.expect(1)?;
    // As above.
    assert!(said.stderr.contains(&format!("could not unpack {uri}")), "{said}");
    assert!(words.iter().all(|word| said.stderr.contains(word)), "{words:?}: {said}");
    // As above.
    assert!(said.stderr.contains("--archive") && said.stderr.contains("train again"), "{said}");
    assert_eq!((said.stdout.as_str(), bucket.out("model").exists()), ("", false), "{said}");
    Ok(said)
}

/// What is not unpacked is damaged after so many bytes.
fn anywhere(words: &str) -> &str {
    words.split_inclusive("cut short").next().unwrap_or(words)
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn what_matches_its_checksum_is_kept_and_fetched_once() -> TestResult {
    let mut transcript = Transcript::default();
    for (bytes, words) in unsound()? {
        let (bucket, uri) = Bucket::with(&bytes)?;
        for _ in 0..2 {
            let said = is_not_unpacked(&bucket, &uri, &[words, "the bytes match S3's checksum"])?;
            transcript.add(words, &said);
        }
        let listed = bucket.download(&[&uri, "--list"])?.expect(1)?;
        transcript.add(format_args!("{words}: --list"), &listed);
        let sent = bucket.tenant.sent()?;
        is_saved(&bucket, &uri, &bytes, &[anywhere(words), "the bytes match S3's checksum"])?;
        assert_eq!(bucket.tenant.sent()?, sent, "no byte is fetched for it");
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## the archive is damaged or cut short in deep/first.bin
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the bytes match S3's checksum, but the archive is damaged or cut short in deep/first.bin
      cause: unexpected end of file
    hint: --archive keeps it as it is; for a sound one, train again, or ask who made it
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## the archive is damaged or cut short in deep/first.bin: --list
    exit code: 1
    --- stdout
             2 B  config.json
             0 B  deep/empty
        3.00 MiB  deep/first.bin
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive is damaged or cut short in deep/first.bin
      cause: unexpected end of file
    hint: --archive keeps it as it is, if it matches S3's checksum; for a sound one, train again, or ask who made it
    ## the archive is damaged or cut short at its end
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the bytes match S3's checksum, but the archive is damaged or cut short at its end
      cause: failed to fill whole buffer
    hint: --archive keeps it as it is; for a sound one, train again, or ask who made it
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## the archive is damaged or cut short at its end: --list
    exit code: 1
    --- stdout
             2 B  config.json
             0 B  deep/empty
        3.00 MiB  deep/first.bin
        2.00 MiB  deep/weights.bin
             7 B  last.txt
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive is damaged or cut short at its end
      cause: failed to fill whole buffer
    hint: --archive keeps it as it is, if it matches S3's checksum; for a sound one, train again, or ask who made it
    ## the archive is damaged or cut short
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the bytes match S3's checksum, but the archive is damaged or cut short at its end
      cause: corrupt gzip: the checksum does not match
    hint: --archive keeps it as it is; for a sound one, train again, or ask who made it
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## the archive is damaged or cut short: --list
    exit code: 1
    --- stdout
             2 B  config.json
             0 B  deep/empty
        3.00 MiB  deep/first.bin
        2.00 MiB  deep/weights.bin
             7 B  last.txt
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive is damaged or cut short at its end
      cause: corrupt gzip: the checksum does not match
    hint: --archive keeps it as it is, if it matches S3's checksum; for a sound one, train again, or ask who made it
    ## the archive is damaged or cut short at its end
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the bytes match S3's checksum, but the archive is damaged or cut short at its end
      cause: corrupt gzip: the checksum does not match
    hint: --archive keeps it as it is; for a sound one, train again, or ask who made it
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## the archive is damaged or cut short at its end: --list
    exit code: 1
    --- stdout
             2 B  config.json
             0 B  deep/empty
        3.00 MiB  deep/first.bin
        2.00 MiB  deep/weights.bin
             7 B  last.txt
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive is damaged or cut short at its end
      cause: corrupt gzip: the checksum does not match
    hint: --archive keeps it as it is, if it matches S3's checksum; for a sound one, train again, or ask who made it
    ## the archive is damaged or cut short at its start
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the bytes match S3's checksum, but the archive is damaged or cut short at its start
      cause: invalid gzip header
    hint: --archive keeps it as it is; for a sound one, train again, or ask who made it
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## the archive is damaged or cut short at its start: --list
    exit code: 1
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive is damaged or cut short at its start
      cause: invalid gzip header
    hint: --archive keeps it as it is, if it matches S3's checksum; for a sound one, train again, or ask who made it
    ## the archive is followed by data that is no part of it
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the bytes match S3's checksum, but the archive is followed by data that is no part of it
    hint: --archive keeps it as it is; for a sound one, train again, or ask who made it
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## the archive is followed by data that is no part of it: --list
    exit code: 1
    --- stdout
             2 B  config.json
             0 B  deep/empty
        3.00 MiB  deep/first.bin
        2.00 MiB  deep/weights.bin
             7 B  last.txt
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive is followed by data that is no part of it
    hint: --archive keeps it as it is, if it matches S3's checksum; for a sound one, train again, or ask who made it
    ## the archive is damaged or cut short at its start
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the bytes match S3's checksum, but the archive is damaged or cut short at its start
      cause: invalid gzip header
    hint: --archive keeps it as it is; for a sound one, train again, or ask who made it
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## the archive is damaged or cut short at its start: --list
    exit code: 1
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive is damaged or cut short at its start
      cause: invalid gzip header
    hint: --archive keeps it as it is, if it matches S3's checksum; for a sound one, train again, or ask who made it
    ## the archive is damaged or cut short at its start
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the bytes match S3's checksum, but the archive is damaged or cut short at its start
      cause: unexpected end of file
    hint: --archive keeps it as it is; for a sound one, train again, or ask who made it
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## the archive is damaged or cut short at its start: --list
    exit code: 1
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive is damaged or cut short at its start
      cause: unexpected end of file
    hint: --archive keeps it as it is, if it matches S3's checksum; for a sound one, train again, or ask who made it
    ## the archive is damaged or cut short at its start
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the bytes match S3's checksum, but the archive is damaged or cut short at its start
      cause: unexpected end of file
    hint: --archive keeps it as it is; for a sound one, train again, or ask who made it
    ## the archive is damaged or cut short at its start: --list
    exit code: 1
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive is damaged or cut short at its start
      cause: unexpected end of file
    hint: --archive keeps it as it is, if it matches S3's checksum; for a sound one, train again, or ask who made it
    "#);
    Ok(())
}

#[test]
fn a_rerun_fetches_nothing() -> TestResult {
    for (bytes, words) in unsound()? {
        let (bucket, uri) = Bucket::with(&bytes)?;
        is_not_unpacked(&bucket, &uri, &[words])?;
        is_not_unpacked(&bucket, &uri, &[words])?;
        assert_eq!(bucket.tenant.sent()?, bytes.len() as u64);
    }
    Ok(())
}

#[test]
fn archives_that_are_saved_at_once() -> TestResult {
    for (bytes, words) in unsound()? {
        let (bucket, uri) = Bucket::with(&bytes)?;
        is_saved(&bucket, &uri, &bytes, &[anywhere(words)])?;
        assert_eq!(bucket.tenant.sent()?, bytes.len() as u64);
    }
    Ok(())
}

fn without_checksum(bytes: &[u8]) -> TestResult<(Bucket, String)> {
    let (bucket, uri) = Bucket::with(bytes)?;
    bucket.tenant.tell_checksum(&json!({ "bucket": bucket.name, "key": "model.tar.gz", "algorithm": null }))?;
    Ok((bucket, uri))
}

/// Nothing but a second fetch tells what is stored.
#[test]
fn without_a_checksum_they_are_fetched_twice_and_compared() -> TestResult {
    for (bytes, words) in unsound()? {
        let (bucket, uri) = without_checksum(&bytes)?;
        is_not_unpacked(&bucket, &uri, &[words, "S3 keeps no checksum"])?;
        is_saved(&bucket, &uri, &bytes, &[anywhere(words), "two fetches gave the same bytes"])?;
        // What was on its way when the first download ended early is fetched once more.
        let (sent, size) = (bucket.tenant.sent()?, bytes.len() as u64);
        assert!(sent >= 2 * size && (size == 0 || sent < 3 * size), "{sent} of {size}");
    }
    Ok(())
}

/// The next fetch brings other bytes than are stored, under the same tag.
fn next_brings(bucket: &Bucket, bytes: &str) -> TestResult {
    let rule = json!({ "fault": "answer", "operation": "GetObject", "status": 200, "body": bytes, "count": 1 });
    bucket.tenant.rule(&rule)
}

#[test]
fn without_a_checksum_two_fetches_that_differ_are_refused() -> TestResult {
    let (bucket, uri) = without_checksum(&[b'x'; 100])?;
    next_brings(&bucket, &"y".repeat(100))?;
    let said = bucket.download(&[&uri, "--archive"])?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    the archive is damaged, and S3 keeps no checksum of it: all of it is fetched again and compared
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz: two reads of it gave different bytes
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    "#);
    assert!(names_in(&bucket.out(""))?.is_empty(), "{said}");
    Ok(())
}

#[test]
fn without_a_checksum_a_second_fetch_mends_the_first() -> TestResult {
    let model = Model::of(&[("config.json", b"{}")])?;
    let (bucket, uri) = without_checksum(&model.archive)?;
    next_brings(&bucket, &"y".repeat(model.archive.len()))?;
    let said = bucket.download(&[&uri, "--archive"])?.ok()?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    out/model.tar.gz
    --- stderr
    the archive is damaged, and S3 keeps no checksum of it: all of it is fetched again and compared
    model.tar.gz: 1 file, 95 B in out/model.tar.gz
    "#);
    assert!(fs::read(bucket.out("model.tar.gz"))? == model.archive);
    Ok(())
}

/// Whatever is wrong in the archive: these are not the stored bytes.
#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn a_checksum_mismatch_is_refused() -> TestResult {
    let mut transcript = Transcript::default();
    for (bytes, _) in unsound()?.into_iter().filter(|(bytes, _)| !bytes.is_empty()) {
        let (bucket, uri) = Bucket::with(&bytes)?;
        let lie = json!({ "bucket": bucket.name, "key": "model.tar.gz", "algorithm": "SHA256", "wrong": true });
        bucket.tenant.tell_checksum(&lie)?;
        for args in [&[&*uri][..], &[&uri, "--archive"]] {
            let said = bucket.download(args)?.expect(1)?;
            transcript.add(args[1..].join(" "), &said);
            assert!(names_in(&bucket.out(""))?.is_empty(), "{said}");
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## 
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## --archive
    exit code: 1
    --- stderr
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## 
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## --archive
    exit code: 1
    --- stderr
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## 
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## --archive
    exit code: 1
    --- stderr
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## 
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## --archive
    exit code: 1
    --- stderr
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## 
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## --archive
    exit code: 1
    --- stderr
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## 
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## --archive
    exit code: 1
    --- stderr
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## 
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## --archive
    exit code: 1
    --- stderr
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## 
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## --archive
    exit code: 1
    --- stderr
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    "#);
    Ok(())
}

/// The file is written before its checksum is read, at the end of the archive.
#[test]
fn damaged_bytes_on_stdout_are_told() -> TestResult {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::none()));
    for name in ["a.bin", "b.bin"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(MIB as u64);
        archive.append_data(&mut header, name, &noise(1, MIB)[..])?;
    }
    let sound = archive.into_inner()?.finish()?;
    let mut damaged = sound.clone();
    // Within the data of the first file.
    damaged[MIB / 2] ^= 1;
    let mut transcript = Transcript::default();
    for (bucket, uri) in [Bucket::with(&damaged)?, without_checksum(&damaged)?] {
        let said = bucket.download(&[&uri, "--stdout", "a.bin"])?.expect(1)?;
        transcript.add_stderr("damaged", &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## damaged
    exit code: 1
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive is damaged or cut short after a.bin
      cause: corrupt gzip stream does not have a matching checksum
    hint: --archive keeps it as it is, if it matches S3's checksum; for a sound one, train again, or ask who made it
    hint: the bytes on stdout can't be trusted, they are wrong or incomplete: discard them
    ## damaged
    exit code: 1
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive is damaged or cut short after a.bin
      cause: corrupt gzip stream does not have a matching checksum
    hint: S3 keeps no checksum of it: --archive compares it with a second fetch, and keeps it as it is
    hint: for a sound one, train again, or ask who made it
    hint: the bytes on stdout can't be trusted, they are wrong or incomplete: discard them
    "#);
    let (bucket, uri) = Bucket::with(&sound)?;
    let lie = json!({ "bucket": bucket.name, "key": "model.tar.gz", "algorithm": "SHA256", "wrong": true });
    bucket.tenant.tell_checksum(&lie)?;
    let said = bucket.download(&[&uri, "--stdout", "a.bin"])?.expect(1)?;
    // Nothing may have been written yet.
    let is_told = said.stdout.is_empty() || said.stderr.contains("stdout can't be trusted");
    assert!(said.stderr.contains("checksum mismatch") && is_told, "{}", said.stderr);
    Ok(())
}
