//! What is made of an archive: all of it, some of its files, one of them on stdout, a list; under which conditions.

use std::fs;
use std::os::unix::fs::symlink;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tar::{EntryType, Header};

use super::{Bucket, MIB, Model, files_in, names_in, noise};
use crate::support::TestResult;

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
fn links_without_what_they_lead_to() -> TestResult {
    let (bucket, uri) = Bucket::with(&odd()?)?;
    let said = bucket.download(&[&uri, "--only", "latest", "--only", "same"])?.ok()?;
    assert!(said.stderr.contains("same -> deep/config.json"), "{said}");
    assert_eq!(names_in(&bucket.out("model"))?, ["latest"]);
    Ok(())
}

#[test]
fn none_of_the_files() -> TestResult {
    let (bucket, uri) = Bucket::with(&odd()?)?;
    let said = bucket.download(&[&uri, "--only", "*.jsonl"])?.expect(1)?;
    assert!(said.stderr.contains("nothing of the model.tar.gz matches --only\nhint: --list shows"), "{said}");
    assert!(!bucket.out("model").exists() && !bucket.partial().exists());
    let said = bucket.download(&[&uri, "--only", "["])?.expect(2)?;
    assert!(said.stderr.contains(r#"--only "[" is not a pattern"#), "{said}");
    Ok(())
}

#[test]
fn one_file_on_stdout() -> TestResult {
    let (bucket, uri) = Bucket::with(&odd()?)?;
    bucket.sandbox.sh("smtrain download $uri --stdout ./deep/blob.bin > blob").env("uri", &uri).run()?.ok()?;
    assert_eq!(fs::read(bucket.sandbox.path("blob"))?, [0, 10, 13, 255, 254, 10]);
    for (path, words) in [
        ("deep/blob", "there is no file deep/blob in it"),
        ("deep", "the archive's entry deep/ is no file"),
        ("latest", "the archive's entry latest is another name of deep/config.json"),
        ("same", "the archive's entry same is another name of deep/config.json"),
    ] {
        let said = bucket.download(&[&uri, "--stdout", path])?.expect(1)?;
        assert_eq!(said.stdout, "");
        assert!(said.stderr.contains(words) && said.stderr.contains("hint: "), "{path}: {said}");
    }
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
fn what_stands_in_the_way() -> TestResult {
    let (bucket, uri) = Bucket::with(&Model::of(&[("a", b"a")])?.archive)?;
    fs::create_dir(bucket.out(""))?;
    let mine = bucket.sandbox.path("mine");
    fs::create_dir(&mine)?;
    fs::write(mine.join("b"), "b")?;
    for make in [
        &(|| fs::write(bucket.out("model"), "mine")) as &dyn Fn() -> std::io::Result<()>,
        &|| symlink("../mine", bucket.out("model")),
        &|| symlink("nowhere", bucket.out("model")),
    ] {
        make()?;
        let said = bucket.download(&[&uri])?.expect(1)?;
        assert!(said.stderr.contains("out/model exists already") && said.stderr.contains("--force"), "{said}");
        bucket.download(&[&uri, "--force"])?.ok()?;
        assert_eq!(names_in(&bucket.out("model"))?, ["a"]);
        fs::remove_dir_all(bucket.out("model"))?;
    }
    assert_eq!(names_in(&mine)?, ["b"]);
    fs::write(bucket.partial(), "")?;
    let said = bucket.download(&[&uri, "--force"])?.expect(1)?;
    assert!(said.stderr.contains("out/.model.partial is in the way: it is not a folder"), "{said}");
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
fn no_more_than_was_allowed() -> TestResult {
    let model = Model::of(&[("large", &noise(1, MIB)), ("small", b"")])?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    let said = bucket.download(&[&uri, "--max-size", "1MB"])?.expect(1)?;
    assert!(said.stderr.contains("the archive unpacks to more than 1000000 bytes"), "{said}");
    assert!(!bucket.out("model").exists());
    let said = bucket.download(&[&uri, "--max-size", "2MB"])?.ok()?;
    assert!(said.stderr.contains("going on") || bucket.tenant.sent()? == model.archive.len() as u64, "{said}");
    bucket.assert_whole(&model)
}
