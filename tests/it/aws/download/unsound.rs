//! Archives that are damaged as they are stored: they are not unpacked, what was fetched of them is kept, and `--archive` saves
//! them with a warning, once it is proved that these are the stored bytes.

use std::fs;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::{Bucket, MIB, Model, names_in, noise};
use crate::support::{CommandOutput, TestResult};

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
        (b"<html>".to_vec(), "the archive is damaged or cut short at its start"),
        (vec![], "the archive is damaged or cut short at its start"),
    ])
}

/// Holds that it is saved as it is, with a warning, and that nothing else is left.
fn is_saved(bucket: &Bucket, uri: &str, bytes: &[u8], words: &[&str]) -> TestResult {
    let said = bucket.download(&[uri, "--archive"])?.ok()?;
    assert!(said.stderr.contains(&format!("warning: {uri} is kept as it is")), "{said}");
    assert!(words.iter().all(|word| said.stderr.contains(word)), "{words:?}: {said}");
    assert!(fs::read(bucket.out("model.tar.gz"))? == bytes, "{said}");
    assert_eq!(names_in(&bucket.out(""))?, ["model.tar.gz"]);
    Ok(())
}

fn is_not_unpacked(bucket: &Bucket, uri: &str, words: &[&str]) -> TestResult<CommandOutput> {
    let said = bucket.download(&[uri])?.expect(1)?;
    assert!(said.stderr.contains(&format!("could not unpack {uri}")), "{said}");
    assert!(words.iter().all(|word| said.stderr.contains(word)), "{words:?}: {said}");
    assert!(said.stderr.contains("--archive") && said.stderr.contains("train again"), "{said}");
    assert_eq!((said.stdout.as_str(), bucket.out("model").exists()), ("", false), "{said}");
    Ok(said)
}

/// What is not unpacked is damaged after so many bytes.
fn anywhere(words: &str) -> &str {
    words.split_inclusive("cut short").next().unwrap_or(words)
}

#[test]
fn what_matches_its_checksum_is_kept_and_fetched_once() -> TestResult {
    for (bytes, words) in unsound()? {
        let (bucket, uri) = Bucket::with(&bytes)?;
        for _ in 0..2 {
            let said = is_not_unpacked(&bucket, &uri, &[words, "the bytes match S3's checksum"])?;
            let is_kept = said.stderr.contains("kept in out/.model.partial: `smtrain download` with --archive");
            assert_eq!(is_kept, !bytes.is_empty(), "{said}");
        }
        let listed = bucket.download(&[&uri, "--list"])?.expect(1)?;
        assert!(listed.stderr.contains(words), "{listed}");
        let sent = bucket.tenant.sent()?;
        is_saved(&bucket, &uri, &bytes, &[anywhere(words), "the bytes match S3's checksum"])?;
        assert_eq!(bucket.tenant.sent()?, sent, "no byte is fetched for it");
    }
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
    assert!(said.stderr.contains("gave different bytes") && said.stderr.contains("hint: "), "{said}");
    assert!(names_in(&bucket.out(""))?.is_empty(), "{said}");
    Ok(())
}

#[test]
fn without_a_checksum_a_second_fetch_mends_the_first() -> TestResult {
    let model = Model::of(&[("config.json", b"{}")])?;
    let (bucket, uri) = without_checksum(&model.archive)?;
    next_brings(&bucket, &"y".repeat(model.archive.len()))?;
    let said = bucket.download(&[&uri, "--archive"])?.ok()?;
    assert!(fs::read(bucket.out("model.tar.gz"))? == model.archive && !said.stderr.contains("warning"), "{said}");
    Ok(())
}

/// Whatever is wrong in the archive: these are not the stored bytes.
#[test]
fn a_checksum_mismatch_is_refused() -> TestResult {
    for (bytes, _) in unsound()?.into_iter().filter(|(bytes, _)| !bytes.is_empty()) {
        let (bucket, uri) = Bucket::with(&bytes)?;
        let lie = json!({ "bucket": bucket.name, "key": "model.tar.gz", "algorithm": "SHA256", "wrong": true });
        bucket.tenant.tell_checksum(&lie)?;
        for args in [&[&*uri][..], &[&uri, "--archive"]] {
            let said = bucket.download(args)?.expect(1)?;
            assert!(said.stderr.contains("checksum mismatch") && !said.stderr.contains("damaged"), "{said}");
            assert!(names_in(&bucket.out(""))?.is_empty(), "{said}");
        }
    }
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
    for (bucket, uri) in [Bucket::with(&damaged)?, without_checksum(&damaged)?] {
        let said = bucket.download(&[&uri, "--stdout", "a.bin"])?.expect(1)?;
        let is_told = said.stderr.contains("damaged or cut short after a.bin");
        assert!(is_told && said.stderr.contains("stdout can't be trusted"), "{}", said.stderr);
    }
    let (bucket, uri) = Bucket::with(&sound)?;
    let lie = json!({ "bucket": bucket.name, "key": "model.tar.gz", "algorithm": "SHA256", "wrong": true });
    bucket.tenant.tell_checksum(&lie)?;
    let said = bucket.download(&[&uri, "--stdout", "a.bin"])?.expect(1)?;
    // Nothing may have been written yet.
    let is_told = said.stdout.is_empty() || said.stderr.contains("stdout can't be trusted");
    assert!(said.stderr.contains("checksum mismatch") && is_told, "{}", said.stderr);
    Ok(())
}
