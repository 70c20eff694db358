//! Nothing counts as fetched that is not what S3 has a checksum of, and a whole archive.

use serde_json::json;

use super::{Bucket, MIB, Model, names_in, noise};
use crate::support::TestResult;

const ALGORITHMS: [&str; 5] = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];

/// The download fails with these words, and leaves nothing.
fn fails(bucket: &Bucket, args: &[&str], words: &[&str]) -> TestResult {
    let said = bucket.download(args)?.expect(1)?;
    assert!(words.iter().all(|word| said.stderr.contains(word)), "{words:?}: {said}");
    assert_eq!((said.stdout.as_str(), names_in(&bucket.out(""))?), ("", vec![]), "{said}");
    Ok(())
}

/// Comes if the checksum is right, and not if S3 is made to lie.
fn is_checked(model: &Model, algorithm: &str, part_size: Option<usize>, words: &str) -> TestResult {
    let (bucket, uri) = Bucket::with(&model.archive)?;
    let told = json!({ "bucket": bucket.name, "key": "model.tar.gz", "algorithm": algorithm, "part_size": part_size });
    let mut lie = told.clone();
    lie["wrong"] = json!(true);
    bucket.tenant.tell_checksum(&lie)?;
    for args in [&[&*uri][..], &[&uri, "--archive"], &[&uri, "--only", "*.json"]] {
        fails(&bucket, args, &[&uri, words])?;
    }
    bucket.tenant.tell_checksum(&told)?;
    bucket.download(&[&uri])?.ok()?;
    bucket.assert_whole(model)
}

#[test]
fn checksums_of_what_comes_in_stretches() -> TestResult {
    let model = Model::of_noise(6, 2 * MIB)?;
    for algorithm in ALGORITHMS {
        is_checked(&model, algorithm, None, "the bytes are not those that S3 has a checksum of")?;
    }
    Ok(())
}

/// Of uploads in parts, which are not the stretches that it is fetched in.
#[test]
fn checksums_of_parts() -> TestResult {
    let model = Model::of_noise(6, 2 * MIB)?;
    for algorithm in ALGORITHMS.into_iter().filter(|algorithm| *algorithm != "CRC64NVME") {
        is_checked(&model, algorithm, Some(999_999), "the bytes are not those that S3 has a checksum of")?;
    }
    Ok(())
}

#[test]
fn checksums_of_what_comes_at_once() -> TestResult {
    let model = Model::of(&[("config.json", b"{}")])?;
    for algorithm in ALGORITHMS {
        is_checked(&model, algorithm, None, "checksum")?;
    }
    Ok(())
}

/// Of old objects S3 has none.
#[test]
fn no_checksum() -> TestResult {
    let model = Model::of_noise(6, 2 * MIB)?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    bucket.tenant.tell_checksum(&json!({ "bucket": bucket.name, "key": "model.tar.gz", "algorithm": null }))?;
    bucket.download(&[&uri])?.ok()?;
    bucket.assert_whole(&model)
}

/// What was uploaded was no good, and S3 keeps it well.
#[test]
fn archives_that_are_damaged_themselves() -> TestResult {
    let Model { archive, .. } = Model::of_noise(6, 2 * MIB)?;
    let flipped = |at: usize| {
        let mut bytes = archive.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let half = archive.len() / 2;
    for (bytes, words) in [
        (archive[..half].to_vec(), "the archive is damaged or cut short in deep/first.bin"),
        (archive[..archive.len() - 4].to_vec(), "the archive is damaged or cut short at its end"),
        (flipped(half), "the archive is damaged or cut short"),
        (flipped(archive.len() - 2), "the archive is damaged or cut short at its end"),
        (flipped(0), "the archive is damaged or cut short at its start"),
        ([&archive[..], b"garbage"].concat(), "the archive is followed by data that is no part of it"),
        (noise(1, 1000), "the archive is damaged or cut short at its start"),
        (b"<html>".to_vec(), "the archive is damaged or cut short at its start"),
        (vec![], "the archive is damaged or cut short at its start"),
    ] {
        let (bucket, uri) = Bucket::with(&bytes)?;
        fails(&bucket, &[&uri], &[&format!("could not unpack {uri}"), words, "train again"])?;
        // What is not unpacked is damaged somewhere.
        let damaged = words.split_inclusive("cut short").next().unwrap_or(words);
        fails(&bucket, &[&uri, "--archive"], &[&format!("could not fetch {uri}"), damaged])?;
        let said = bucket.download(&[&uri, "--list"])?.expect(1)?;
        assert!(said.stderr.contains(words), "{said}");
    }
    Ok(())
}
