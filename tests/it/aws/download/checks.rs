//! Nothing counts as fetched that is not what S3 has a checksum of.

use serde_json::json;

use super::{Bucket, MIB, Model, names_in};
use crate::support::TestResult;

const MISMATCH: &str = "checksum mismatch: the bytes don't match S3's checksum";
const ALGORITHMS: [&str; 5] = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];

/// The download fails with these words, and leaves nothing.
fn fails(bucket: &Bucket, args: &[&str], words: &[&str]) -> TestResult {
    let said = bucket.download(args)?.expect(1)?;
    // The rounds differ in the algorithm that is named; `uris` holds the whole of such an error.
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
    let said = bucket.download(&[&uri, "--list"])?.expect(1)?;
    // As above.
    assert!(said.stderr.contains(words) && !said.stderr.contains("damaged"), "{said}");
    bucket.tenant.tell_checksum(&told)?;
    bucket.download(&[&uri])?.ok()?;
    bucket.assert_whole(model)
}

#[test]
fn checksums_of_what_comes_in_stretches() -> TestResult {
    let model = Model::of_noise(6, 2 * MIB)?;
    for algorithm in ALGORITHMS {
        is_checked(&model, algorithm, None, MISMATCH)?;
    }
    Ok(())
}

/// Of uploads in parts, which are not the stretches that it is fetched in.
#[test]
fn checksums_of_parts() -> TestResult {
    let model = Model::of_noise(6, 2 * MIB)?;
    for algorithm in ALGORITHMS.into_iter().filter(|algorithm| *algorithm != "CRC64NVME") {
        is_checked(&model, algorithm, Some(999_999), MISMATCH)?;
    }
    Ok(())
}

#[test]
fn checksums_of_what_comes_at_once() -> TestResult {
    let model = Model::of(&[("config.json", b"{}")])?;
    for algorithm in ALGORITHMS {
        is_checked(&model, algorithm, None, MISMATCH)?;
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

/// S3 tells the number of parts, at the value's end or where it is asked for the first part.
#[test]
fn checksums_of_parts_whose_number_is_told_otherwise_or_not_at_all() -> TestResult {
    let model = Model::of_noise(6, 2 * MIB)?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    let told = json!({ "bucket": bucket.name, "key": "model.tar.gz", "algorithm": "SHA256", "is_counted": false });
    let mut wrong = told.clone();
    wrong["part_size"] = json!(999_999);
    wrong["wrong"] = json!(true);
    bucket.tenant.tell_checksum(&wrong)?;
    fails(&bucket, &[&uri], &[&uri, MISMATCH])?;
    wrong["wrong"] = json!(false);
    bucket.tenant.tell_checksum(&wrong)?;
    bucket.download(&[&uri])?.ok()?;
    // Of an object that has no parts, such a value says nothing.
    let (bucket, uri) = Bucket::with(&model.archive)?;
    let mut told = told;
    told["bucket"] = json!(bucket.name);
    told["kind"] = json!("COMPOSITE");
    bucket.tenant.tell_checksum(&told)?;
    bucket.download(&[&uri])?.ok()?;
    bucket.assert_whole(&model)
}

/// How large each of them is, S3 tells only by one call a part: they are not held against a checksum of others.
#[test]
fn checksums_of_parts_of_different_sizes() -> TestResult {
    let model = Model::of_noise(6, 2 * MIB)?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    let parts = [1_000_000, 3_000_000, model.archive.len() - 4_000_000];
    let told = json!({ "bucket": bucket.name, "key": "model.tar.gz", "algorithm": "CRC32C", "parts": parts });
    bucket.tenant.tell_checksum(&told)?;
    bucket.download(&[&uri])?.ok()?;
    bucket.assert_whole(&model)
}
