//! What is made of an archive: all of it, some of its files, one of them on stdout, a list; under which conditions.

use std::fs;
use std::os::unix::fs::symlink;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tar::{EntryType, Header};

use super::{Bucket, MIB, Model, files_in, names_in, noise};
use crate::support::{TestResult, Transcript};

/// What an archive can have in it, besides files.
fn odd() -> TestResult<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let entries: [(&str, EntryType, &str, &[u8]); 6] = [
        ("deep/", EntryType::Directory, "", b""),
        ("deep/config.json", EntryType::Regular, "", b"{}"),
        ("deep/blob.bin", EntryType::Regular, "", &[0, 10, 13, 255, 254, 10]),
        ("latest", EntryType::Symlink, "deep/config.json", b""),
        ("same", EntryType::Link, "deep/config.json", b""),
        ("config.json", EntryType::Regular, "", b"[]"),
    ];
    for (path, kind, target, content) in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o644 });
        match kind {
            EntryType::Symlink | EntryType::Link => archive.append_link(&mut header, path, target)?,
            _ => archive.append_data(&mut header, path, content)?,
        }
    }
    Ok(archive.into_inner()?.finish()?)
}

#[test]
fn the_archive_itself() -> TestResult {
    let archive = odd()?;
    let (bucket, uri) = Bucket::with(&archive)?;
    let said = bucket.download(&[&uri, "--archive"])?.ok()?;
    assert_eq!(said.stdout, "out/model.tar.gz\n");
    assert_eq!(names_in(&bucket.out(""))?, ["model.tar.gz"]);
    assert!(fs::read(bucket.out("model.tar.gz"))? == archive);
    bucket.download(&[&uri, "--archive"])?.expect(1)?;
    bucket.download(&[&uri, "--archive", "--force"])?.ok()?;
    Ok(())
}

#[test]
fn a_list() -> TestResult {
    let (bucket, uri) = Bucket::with(&odd()?)?;
    let said = bucket.download(&[&uri, "--list"])?.ok()?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r"
    exit code: 0
    --- stdout
                  deep/
             2 B  deep/config.json
             6 B  deep/blob.bin
                  latest -> deep/config.json
                  same = deep/config.json
             2 B  config.json
    --- stderr
    ");
    let said = bucket.download(&[&uri, "--list", "-o", "json"])?.ok()?;
    insta::assert_snapshot!(said.stdout, @r#"
    {"version":1,"kind":"folder","part":"model.tar.gz","path":"deep","size":0}
    {"version":1,"kind":"file","part":"model.tar.gz","path":"deep/config.json","size":2}
    {"version":1,"kind":"file","part":"model.tar.gz","path":"deep/blob.bin","size":6}
    {"version":1,"kind":"symlink","part":"model.tar.gz","path":"latest","size":0,"target":"deep/config.json"}
    {"version":1,"kind":"hard_link","part":"model.tar.gz","path":"same","size":0,"target":"deep/config.json"}
    {"version":1,"kind":"file","part":"model.tar.gz","path":"config.json","size":2}
    "#);
    assert!(!bucket.out("").exists(), "a list saves nothing");
    let script = "{ smtrain download $uri --list; echo code $? >&2; } | true";
    assert_eq!(bucket.sandbox.sh(script).env("uri", &uri).run()?.ok()?.stderr, "code 0\n");
    Ok(())
}

#[test]
fn some_of_the_files() -> TestResult {
    let (bucket, uri) = Bucket::with(&odd()?)?;
    for (patterns, files) in [
        (&["config.json"][..], &["config.json", "deep/config.json"][..]),
        (&["/config.json"], &["config.json"]),
        (&["deep/*.json", "*.bin"], &["deep/blob.bin", "deep/config.json"]),
        (&["deep/"], &["deep/blob.bin", "deep/config.json"]),
        (&["deep"], &["deep/blob.bin", "deep/config.json"]),
    ] {
        let only = patterns.iter().flat_map(|pattern| ["--only", *pattern]);
        let args: Vec<&str> = [&*uri, "--force"].into_iter().chain(only).collect();
        bucket.download(&args)?.ok()?;
        assert_eq!(files_in(&bucket.out("model"))?.into_keys().collect::<Vec<_>>(), files, "{patterns:?}");
    }
    Ok(())
}

/// What a link leads to may not be among them.
#[test]
fn links_without_their_targets_are_left_out() -> TestResult {
    let (bucket, uri) = Bucket::with(&odd()?)?;
    let said = bucket.download(&[&uri, "--only", "latest", "--only", "same"])?.ok()?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    out/model
    --- stderr
    warning: left out of the model.tar.gz, since its target was not downloaded: same -> deep/config.json
    model.tar.gz: 0 files, 0 B in out/model
    "#);
    assert_eq!(names_in(&bucket.out("model"))?, ["latest"]);
    Ok(())
}

#[test]
fn a_pattern_that_matches_nothing_is_an_error() -> TestResult {
    let (bucket, uri) = Bucket::with(&odd()?)?;
    let said = bucket.download(&[&uri, "--only", "*.jsonl"])?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: nothing of the model.tar.gz matches --only
    hint: --list shows what there is
    "#);
    assert!(!bucket.out("model").exists() && !bucket.partial().exists());
    let said = bucket.download(&[&uri, "--only", "["])?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: --only "[" is not a pattern: unclosed character class; missing ']'
    "#);
    Ok(())
}

#[test]
fn one_file_is_printed_on_stdout() -> TestResult {
    let (bucket, uri) = Bucket::with(&odd()?)?;
    bucket.sandbox.sh("smtrain download $uri --stdout ./deep/blob.bin > blob").env("uri", &uri).run()?.ok()?;
    assert_eq!(fs::read(bucket.sandbox.path("blob"))?, [0, 10, 13, 255, 254, 10]);
    let mut transcript = Transcript::default();
    for path in ["deep/blob", "deep", "latest", "same"] {
        let said = bucket.download(&[&uri, "--stdout", path])?.expect(1)?;
        transcript.add(path, &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## deep/blob
    exit code: 1
    --- stderr
    error: there is no file deep/blob in s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
    hint: see what is inside with --list
    ## deep
    exit code: 1
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry deep/ is no file
    hint: see what is inside with --list
    ## latest
    exit code: 1
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry latest is another name of deep/config.json
    hint: ask for that one
    ## same
    exit code: 1
    --- stderr
    error: could not read s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry same is another name of deep/config.json
    hint: ask for that one
    "#);
    assert!(!bucket.out("").exists());
    Ok(())
}

/// Whoever reads it may have seen enough; and no more comes than it takes.
#[test]
fn the_beginning_of_a_file_on_stdout() -> TestResult {
    let weights = noise(8, 200 * MIB);
    let (bucket, uri) =
        Bucket::with(&Model::compressed(&[("deep/weights.bin", &weights)], Compression::none())?.archive)?;
    let script = "{ smtrain download $uri --stdout deep/weights.bin; echo code $? >&2; } | head -c 10 > head";
    let said = bucket.sandbox.sh(script).env("uri", &uri).run()?.ok()?;
    assert_eq!(said.stderr, "code 0\n");
    assert!(fs::read(bucket.sandbox.path("head"))? == weights[..10]);
    let sent = bucket.tenant.sent()?;
    assert!(sent < weights.len() as u64 / 2, "{sent} bytes were fetched");
    Ok(())
}

#[test]
fn what_is_in_the_way_is_replaced_only_by_force() -> TestResult {
    let (bucket, uri) = Bucket::with(&Model::of(&[("a", b"a")])?.archive)?;
    fs::create_dir(bucket.out(""))?;
    let mine = bucket.sandbox.path("mine");
    fs::create_dir(&mine)?;
    fs::write(mine.join("b"), "b")?;
    let mut transcript = Transcript::default();
    for make in [
        &(|| fs::write(bucket.out("model"), "mine")) as &dyn Fn() -> std::io::Result<()>,
        &|| symlink("../mine", bucket.out("model")),
        &|| symlink("nowhere", bucket.out("model")),
    ] {
        make()?;
        let said = bucket.download(&[&uri])?.expect(1)?;
        transcript.add("something is there", &said);
        bucket.download(&[&uri, "--force"])?.ok()?;
        assert_eq!(names_in(&bucket.out("model"))?, ["a"]);
        fs::remove_dir_all(bucket.out("model"))?;
    }
    assert_eq!(names_in(&mine)?, ["b"]);
    fs::write(bucket.partial(), "")?;
    let said = bucket.download(&[&uri, "--force"])?.expect(1)?;
    transcript.add("a file in place of the staging directory", &said);
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## something is there
    exit code: 1
    --- stderr
    error: out/model exists already
    hint: replace it with --force, or choose another folder with -d DIR
    ## a file in place of the staging directory
    exit code: 1
    --- stderr
    error: out/.model.partial is in the way: it is not a folder
    hint: find out whose it is and remove it, or choose another folder with -d DIR
    "#);
    Ok(())
}

#[test]
fn what_is_replaced_stays_until_all_has_come() -> TestResult {
    let (bucket, uri) = Bucket::with(&Model::large()?.archive)?;
    fs::create_dir_all(bucket.out("model"))?;
    fs::write(bucket.out("model/mine"), "mine")?;
    bucket.tenant.rule(&json!({ "fault": "access_denied", "operation": "GetObject", "skip": 6 }))?;
    bucket.download(&[&uri, "--force"])?.expect(1)?;
    assert_eq!(names_in(&bucket.out("model"))?, ["mine"]);
    Ok(())
}

#[test]
fn max_size_limits_what_an_archive_unpacks_to() -> TestResult {
    let model = Model::of(&[("large", &noise(1, MIB)), ("small", b"")])?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    let said = bucket.download(&[&uri, "--max-size", "1MB"])?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive unpacks to more than 1000000 bytes, with 4096 bytes for each file, folder and link
    hint: allow more by --max-size SIZE, on a disk that has the room
    hint: the fetched bytes are kept in out/.model.partial: the same command continues from there
    "#);
    assert!(!bucket.out("model").exists());
    let said = bucket.download(&[&uri, "--max-size", "2MB"])?.ok()?;
    // How much had been fetched depends on the moment.
    assert!(said.stderr.contains("resuming at") || bucket.tenant.sent()? == model.archive.len() as u64, "{said}");
    bucket.assert_whole(&model)
}
