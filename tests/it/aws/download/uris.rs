//! What any S3 URI names: an archive, another file, what lies below a prefix, or nothing.

use std::fs;

use serde_json::json;

use super::{Bucket, MIB, Model, files_in, names_in, noise};
use crate::support::TestResult;

#[test]
fn an_archive_of_another_ending() -> TestResult {
    let (bucket, model) = (Bucket::new()?, Model::of(&[("a", b"a")])?);
    let uri = bucket.put("jobs/best.tgz", &model.archive)?;
    let said = bucket.download(&[&uri, "-o", "json"])?.ok()?;
    model.assert_in(&bucket.out("best"))?;
    let [file, last] = &said.json_lines()?[..] else { return Err(said.to_string().into()) };
    assert_eq!((&file["kind"], &file["path"], &file["part"]), (&json!("file"), &json!("a"), &json!("best.tgz")));
    let part = &last["parts"][0];
    assert_eq!((&last["source"], &last["folder"], &part["path"]), (&json!(uri), &json!("out"), &json!("out/best")));
    assert_eq!((&part["uri"], part["etag"].as_str().map(str::len)), (&json!(uri), Some(32)));
    Ok(())
}

/// Some larger than what comes at once; and an empty one.
#[test]
fn a_file_that_is_no_archive() -> TestResult {
    let bucket = Bucket::new()?;
    for (key, size) in [("weights.bin", 9 * MIB), ("a b+c/é%41&=?#'\".txt", 10), ("empty", 0), (".hidden", 1)] {
        let content = noise(9, size);
        let uri = bucket.put(key, &content)?;
        let name = key.rsplit('/').next().unwrap_or(key);
        let said = bucket.download(&[&uri])?.ok()?;
        assert_eq!(said.stdout, format!("out/{name}\n"));
        assert_eq!(names_in(&bucket.out(""))?, [name]);
        assert!(fs::read(bucket.out(name))? == content, "{key}");
        bucket
            .sandbox
            .sh("smtrain download \"$uri\" --stdout \"$name\" > file")
            .env("uri", &uri)
            .env("name", name)
            .run()?
            .ok()?;
        assert!(fs::read(bucket.sandbox.path("file"))? == content, "{key}");
        let said = bucket.download(&[&uri, "--stdout", "other"])?.expect(1)?;
        assert!(said.stderr.contains("there is no file other in it"), "{said}");
        fs::remove_file(bucket.out(name))?;
        bucket.download(&[&uri, "--only", "other"])?.expect(1)?;
        assert!(!bucket.out(name).exists());
    }
    Ok(())
}

#[test]
fn a_file_with_a_wrong_checksum() -> TestResult {
    let bucket = Bucket::new()?;
    for size in [10, 5 * MIB] {
        let uri = bucket.put("weights.bin", &noise(9, size))?;
        let told = json!({ "bucket": bucket.name, "key": "weights.bin", "algorithm": "CRC32C", "wrong": true });
        bucket.tenant.tell_checksum(&told)?;
        for args in [&[&*uri][..], &[&uri, "--stdout", "weights.bin"]] {
            let said = bucket.download(args)?.expect(1)?;
            let stderr = said.stderr;
            assert!(stderr.contains(&uri) && stderr.contains("checksum"), "{args:?} {stderr}");
            assert!(!stderr.contains("could not write to stdout"), "{stderr}");
            assert!(names_in(&bucket.out(""))?.is_empty(), "{stderr}");
        }
    }
    Ok(())
}

#[test]
fn a_prefix() -> TestResult {
    let bucket = Bucket::new()?;
    for key in ["run/check/a", "run/check/deep/b", "run/checkpoints/c", "run/check.d/d"] {
        bucket.put(key, key.as_bytes())?;
    }
    for uri in ["run/check", "run/check/"] {
        let said = bucket.download(&[&bucket.uri(uri), "--force"])?.ok()?;
        assert_eq!(said.stdout, "out/check\n");
        assert_eq!(names_in(&bucket.out(""))?, ["check"]);
        let files = files_in(&bucket.out("check"))?;
        assert_eq!(files.keys().collect::<Vec<_>>(), ["a", "deep/b"]);
        assert_eq!(files["deep/b"], b"run/check/deep/b");
    }
    let whole = format!("s3://{}", bucket.name);
    assert_eq!(bucket.download(&[&whole])?.ok()?.stdout, format!("out/{}\n", bucket.name));
    assert_eq!(files_in(&bucket.out(&bucket.name))?.len(), 4);
    Ok(())
}

/// The object is what its name says; what lies below it is asked for with a slash.
#[test]
fn an_object_that_is_a_prefix_too() -> TestResult {
    let bucket = Bucket::new()?;
    for key in ["a", "a/b", "m.tar.gz/c"] {
        bucket.put(key, key.as_bytes())?;
    }
    bucket.download(&[&bucket.uri("a")])?.ok()?;
    assert_eq!(fs::read(bucket.out("a"))?, b"a");
    bucket.download(&[&bucket.uri("a/"), "--force"])?.ok()?;
    assert_eq!(fs::read(bucket.out("a/b"))?, b"a/b");
    let said = bucket.download(&[&bucket.uri("m.tar.gz")])?.expect(1)?;
    assert!(said.stderr.contains("there is nothing at"), "{said}");
    Ok(())
}

#[test]
fn nothing() -> TestResult {
    let bucket = Bucket::new()?;
    bucket.put("marker/", b"")?;
    for uri in [bucket.uri("missing.tar.gz"), bucket.uri("missing"), bucket.uri("missing/"), bucket.uri("marker/")] {
        for args in [&[&*uri][..], &[&uri, "--list"], &[&uri, "--stdout", "a"]] {
            let said = bucket.download(args)?.expect(1)?;
            assert!(said.stderr.contains(&format!("there is nothing at {uri}")), "{said}");
        }
    }
    assert!(!bucket.out("").exists());
    for uri in ["s3://no-such-bucket-of-anybody/model.tar.gz", "s3://no-such-bucket-of-anybody/prefix/"] {
        let said = bucket.download(&[uri])?.expect(1)?;
        assert!(said.stderr.contains("no-such-bucket-of-anybody"), "{said}");
    }
    for uri in ["s3://", "s3:///key"] {
        bucket.download(&[uri])?.expect(2)?;
    }
    Ok(())
}

/// What a key ends with becomes a name on this computer.
#[test]
fn keys_that_end_as_no_file_does() -> TestResult {
    let bucket = Bucket::new()?;
    for (key, asked) in
        [("a/..", "a/.."), ("a/.", "a/."), ("..", ".."), ("a/../b/..", "a/../b/.."), ("x/../y", "x/../")]
    {
        bucket.put(key, b"content")?;
        let said = bucket.download(&[&bucket.uri(asked), "--force"])?.expect(1)?;
        assert!(said.stderr.contains("is not a name for a file or folder"), "{asked}: {said}");
    }
    let archive = Model::of(&[("a", b"a")])?.archive;
    for key in ["..tar.gz", "...tar.gz"] {
        let uri = bucket.put(key, &archive)?;
        let said = bucket.download(&[&uri, "--force"])?.expect(1)?;
        assert!(said.stderr.contains("is not a name for a file or folder"), "{uri}: {said}");
        bucket.download(&[&uri, "--archive"])?.ok()?;
    }
    assert_eq!(names_in(&bucket.out(""))?, ["...tar.gz", "..tar.gz"]);
    assert_eq!(names_in(bucket.sandbox.root())?, ["home", "out", "tmp"]);
    Ok(())
}
