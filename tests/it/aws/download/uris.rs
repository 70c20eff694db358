//! What any S3 URI names: an archive, another file, what lies below a prefix, or nothing.

use std::fs;

use serde_json::json;

use super::{Bucket, MIB, Model, files_in, names_in, noise};
use crate::support::{TestResult, Transcript, normalised};

#[test]
fn an_archive_may_have_another_extension() -> TestResult {
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
fn a_file_that_is_no_archive_is_downloaded() -> TestResult {
    let bucket = Bucket::new()?;
    let mut transcript = Transcript::default();
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
        transcript.add(key, &said);
        fs::remove_file(bucket.out(name))?;
        bucket.download(&[&uri, "--only", "other"])?.expect(1)?;
        assert!(!bucket.out(name).exists());
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## weights.bin
    exit code: 1
    --- stderr
    error: there is no file other in s3://sagemaker-eu-west-1-[ACCOUNT]/weights.bin
    hint: see what is inside with --list
    ## a b+c/é%41&=?#'".txt
    exit code: 1
    --- stderr
    error: there is no file other in s3://sagemaker-eu-west-1-[ACCOUNT]/a b+c/é%41&=?#'".txt
    hint: see what is inside with --list
    ## empty
    exit code: 1
    --- stderr
    error: there is no file other in s3://sagemaker-eu-west-1-[ACCOUNT]/empty
    hint: see what is inside with --list
    ## .hidden
    exit code: 1
    --- stderr
    error: there is no file other in s3://sagemaker-eu-west-1-[ACCOUNT]/.hidden
    hint: see what is inside with --list
    "#);
    Ok(())
}

#[test]
fn a_file_with_a_wrong_checksum_is_refused() -> TestResult {
    let bucket = Bucket::new()?;
    let mut transcript = Transcript::default();
    for size in [10, 5 * MIB] {
        let uri = bucket.put("weights.bin", &noise(9, size))?;
        let told = json!({ "bucket": bucket.name, "key": "weights.bin", "algorithm": "CRC32C", "wrong": true });
        bucket.tenant.tell_checksum(&told)?;
        for args in [&[&*uri][..], &[&uri, "--stdout", "weights.bin"]] {
            let said = bucket.download(args)?.expect(1)?;
            // stdout has the bytes that came before the checksum was known.
            transcript.add_stderr(format_args!("{size} bytes: {}", args.join(" ")), &said);
            assert!(names_in(&bucket.out(""))?.is_empty(), "{said}");
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## 10 bytes: s3://sagemaker-eu-west-1-[ACCOUNT]/weights.bin
    exit code: 1
    --- stderr
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/weights.bin
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## 10 bytes: s3://sagemaker-eu-west-1-[ACCOUNT]/weights.bin --stdout weights.bin
    exit code: 1
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/weights.bin
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    hint: the bytes on stdout can't be trusted, they are wrong or incomplete: discard them
    ## 5242880 bytes: s3://sagemaker-eu-west-1-[ACCOUNT]/weights.bin
    exit code: 1
    --- stderr
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/weights.bin
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    ## 5242880 bytes: s3://sagemaker-eu-west-1-[ACCOUNT]/weights.bin --stdout weights.bin
    exit code: 1
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/weights.bin
      cause: checksum mismatch: the bytes don't match S3's checksum
    hint: run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it
    hint: the bytes on stdout can't be trusted, they are wrong or incomplete: discard them
    "#);
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
fn an_object_is_preferred_to_a_prefix_of_its_name() -> TestResult {
    let bucket = Bucket::new()?;
    for key in ["a", "a/b", "m.tar.gz/c"] {
        bucket.put(key, key.as_bytes())?;
    }
    bucket.download(&[&bucket.uri("a")])?.ok()?;
    assert_eq!(fs::read(bucket.out("a"))?, b"a");
    bucket.download(&[&bucket.uri("a/"), "--force"])?.ok()?;
    assert_eq!(fs::read(bucket.out("a/b"))?, b"a/b");
    let said = bucket.download(&[&bucket.uri("m.tar.gz")])?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: there is nothing at s3://sagemaker-eu-west-1-[ACCOUNT]/m.tar.gz
    "#);
    Ok(())
}

#[test]
fn a_uri_with_nothing_below_it_is_an_error() -> TestResult {
    let bucket = Bucket::new()?;
    bucket.put("marker/", b"")?;
    let mut transcript = Transcript::default();
    for uri in [bucket.uri("missing.tar.gz"), bucket.uri("missing"), bucket.uri("missing/"), bucket.uri("marker/")] {
        for args in [&[&*uri][..], &[&uri, "--list"], &[&uri, "--stdout", "a"]] {
            let said = bucket.download(args)?.expect(1)?;
            transcript.add(args.join(" "), &said);
        }
    }
    assert!(!bucket.out("").exists());
    for uri in ["s3://no-such-bucket-of-anybody/model.tar.gz", "s3://no-such-bucket-of-anybody/prefix/"] {
        let said = bucket.download(&[uri])?.expect(1)?;
        transcript.add(uri, &said);
    }
    for uri in ["s3://", "s3:///key"] {
        transcript.add(uri, &bucket.download(&[uri])?.expect(2)?);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/missing.tar.gz
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/missing.tar.gz --list
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/missing.tar.gz --stdout a
    exit code: 1
    --- stderr
    error: there is nothing at s3://sagemaker-eu-west-1-[ACCOUNT]/missing.tar.gz
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/missing
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/missing --list
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/missing --stdout a
    exit code: 1
    --- stderr
    error: there is nothing at s3://sagemaker-eu-west-1-[ACCOUNT]/missing
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/missing/
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/missing/ --list
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/missing/ --stdout a
    exit code: 1
    --- stderr
    error: there is nothing at s3://sagemaker-eu-west-1-[ACCOUNT]/missing/
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/marker/
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/marker/ --list
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/marker/ --stdout a
    exit code: 1
    --- stderr
    error: there is nothing at s3://sagemaker-eu-west-1-[ACCOUNT]/marker/
    ## s3://no-such-bucket-of-anybody/model.tar.gz
    exit code: 1
    --- stderr
    error: there is nothing at s3://no-such-bucket-of-anybody/model.tar.gz
    ## s3://no-such-bucket-of-anybody/prefix/
    exit code: 1
    --- stderr
    error: could not list what lies below s3://no-such-bucket-of-anybody/prefix/: The specified bucket does not exist (NoSuchBucket)
    hint: check the bucket's name; without output.s3_uri, a job uses the account's default bucket, created when missing
    ## s3://
    exit code: 2
    --- stderr
    error: s3://: an S3 URI names a bucket: s3://BUCKET/KEY
    ## s3:///key
    exit code: 2
    --- stderr
    error: s3:///key: an S3 URI names a bucket: s3://BUCKET/KEY
    "#);
    Ok(())
}

/// What a key ends with becomes a name on this computer.
#[test]
fn keys_that_end_in_dots_are_refused() -> TestResult {
    let bucket = Bucket::new()?;
    let mut transcript = Transcript::default();
    for (key, asked) in
        [("a/..", "a/.."), ("a/.", "a/."), ("..", ".."), ("a/../b/..", "a/../b/.."), ("x/../y", "x/../")]
    {
        bucket.put(key, b"content")?;
        let said = bucket.download(&[&bucket.uri(asked), "--force"])?.expect(1)?;
        transcript.add(asked, &said);
    }
    let archive = Model::of(&[("a", b"a")])?.archive;
    for key in ["..tar.gz", "...tar.gz"] {
        let uri = bucket.put(key, &archive)?;
        let said = bucket.download(&[&uri, "--force"])?.expect(1)?;
        transcript.add(key, &said);
        bucket.download(&[&uri, "--archive"])?.ok()?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## a/..
    exit code: 1
    --- stderr
    error: s3://sagemaker-eu-west-1-[ACCOUNT]/a/.. can't be saved: ".." is not a name for a file or folder
    ## a/.
    exit code: 1
    --- stderr
    error: s3://sagemaker-eu-west-1-[ACCOUNT]/a/. can't be saved: "." is not a name for a file or folder
    ## ..
    exit code: 1
    --- stderr
    error: s3://sagemaker-eu-west-1-[ACCOUNT]/.. can't be saved: ".." is not a name for a file or folder
    ## a/../b/..
    exit code: 1
    --- stderr
    error: s3://sagemaker-eu-west-1-[ACCOUNT]/a/../b/.. can't be saved: ".." is not a name for a file or folder
    ## x/../
    exit code: 1
    --- stderr
    error: s3://sagemaker-eu-west-1-[ACCOUNT]/x/../ can't be saved: ".." is not a name for a file or folder
    ## ..tar.gz
    exit code: 1
    --- stderr
    error: s3://sagemaker-eu-west-1-[ACCOUNT]/..tar.gz can't be saved: "." is not a name for a file or folder
    ## ...tar.gz
    exit code: 1
    --- stderr
    error: s3://sagemaker-eu-west-1-[ACCOUNT]/...tar.gz can't be saved: ".." is not a name for a file or folder
    "#);
    assert_eq!(names_in(&bucket.out(""))?, ["...tar.gz", "..tar.gz"]);
    assert_eq!(names_in(bucket.sandbox.root())?, ["home", "out", "tmp"]);
    Ok(())
}

/// An S3 URI means S3, whatever local jobs stored there; `--local` means this computer.
#[test]
fn a_uri_that_local_jobs_have_too() -> TestResult {
    let bucket = Bucket::new()?;
    let write = "import os\nopen(os.environ['SM_MODEL_DIR'] + '/w', 'w').write('local')";
    let output = format!("[output]\ns3_uri = '{}'\ncompression = 'none'\n", bucket.uri("jobs"));
    let project = bucket.sandbox.project("here", write)?.with(&output)?;
    let job = bucket.sandbox.complete(&project, &[])?;
    bucket.put("jobs/cloud/output/model/w", b"cloud")?;
    bucket.put(&format!("jobs/{job}/output/model/w"), b"cloud")?;
    let uri = bucket.uri("jobs/");
    bucket.download(&[&uri])?.ok()?;
    let models = || -> TestResult<Vec<String>> {
        let files = files_in(&bucket.out("jobs"))?.into_iter().filter(|(path, _)| path.ends_with("/w"));
        Ok(files.map(|(_, content)| String::from_utf8_lossy(&content).into_owned()).collect())
    };
    assert_eq!(models()?, ["cloud", "cloud"]);
    bucket.download(&[&uri, "--force", "--local"])?.ok()?;
    assert_eq!(models()?, ["local"]);
    let file = bucket.uri(&format!("jobs/{job}/output/model/w"));
    for (flags, expected) in [(&[][..], "cloud"), (&["--local"], "local")] {
        let said = bucket.download(&[&[&*file, "--stdout", "w"], flags].concat())?.ok()?;
        assert_eq!(said.stdout, expected);
        let listed = bucket.download(&[&[&*uri, "--list"], flags].concat())?.ok()?;
        // Whose list it is: one of two.
        assert_eq!(listed.stdout.contains("cloud/output/model/w"), expected == "cloud", "{listed}");
    }
    bucket.tenant.delete_object(&bucket.name, &format!("jobs/{job}/output/model/w"))?;
    let mut told = String::new();
    for args in [&["--list"][..], &["--stdout", "w"], &["--force"]] {
        told += &bucket.download(&[&[&*file], args].concat())?.expect(1)?.stderr;
    }
    let told = normalised(&told.replace(&bucket.name, "[BUCKET]"))?;
    insta::assert_snapshot!(told, @r"
    error: there is nothing at s3://[BUCKET]/jobs/here-[STAMP]/output/model/w
    hint: local jobs stored something there: smtrain download s3://[BUCKET]/jobs/here-[STAMP]/output/model/w --local
    error: there is nothing at s3://[BUCKET]/jobs/here-[STAMP]/output/model/w
    hint: local jobs stored something there: smtrain download s3://[BUCKET]/jobs/here-[STAMP]/output/model/w --local
    error: there is nothing at s3://[BUCKET]/jobs/here-[STAMP]/output/model/w
    hint: local jobs stored something there: smtrain download s3://[BUCKET]/jobs/here-[STAMP]/output/model/w --local
    ");
    bucket.tenant.rule(&json!({ "fault": "access_denied", "operation": "HeadObject" }))?;
    let told = normalised(&bucket.download(&[&file])?.expect(1)?.stderr.replace(&bucket.name, "[BUCKET]"))?;
    insta::assert_snapshot!(told, @r"
    error: could not look up s3://[BUCKET]/jobs/here-[STAMP]/output/model/w: access denied: it takes s3:GetObject on arn:aws:s3:::[BUCKET]/jobs/here-[STAMP]/output/model/w
    hint: ask for a policy that allows s3:GetObject on arn:aws:s3:::[BUCKET]/jobs/here-[STAMP]/output/model/w, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:Decrypt on that key too
    hint: see who is asking: aws sts get-caller-identity
    hint: or nothing is at s3://[BUCKET]/jobs/here-[STAMP]/output/model/w: without s3:ListBucket on the bucket, S3 doesn't say so
    hint: local jobs stored something there: smtrain download s3://[BUCKET]/jobs/here-[STAMP]/output/model/w --local
    ");
    Ok(())
}
