//! Models that are not compressed: objects below a prefix, each a file.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::{Bucket, Files, MIB, assert_same, files_in, names_in, noise, noted};
use crate::support::{TestResult, Transcript};

/// Hundreds of small ones, and some of several stretches.
fn model() -> Files {
    let small =
        (0..300_usize).map(|number| (format!("shards/{}/{number}.bin", number % 7), noise(number as u64, number)));
    let large = (0..3).map(|number| (format!("large-{number}.bin"), noise(1000 + number, 5 * MIB)));
    small.chain(large).chain([("config.json".to_owned(), b"{}".to_vec())]).collect()
}

fn some(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(path, content)| ((*path).to_owned(), (*content).into())).collect()
}

/// With the files below `model/`.
fn with(files: &Files) -> TestResult<(Bucket, String)> {
    let bucket = Bucket::new()?;
    for (path, content) in files {
        bucket.put(&format!("model/{path}"), content)?;
    }
    let uri = bucket.uri("model/");
    Ok((bucket, uri))
}

fn assert_whole(bucket: &Bucket, files: &Files) -> TestResult {
    assert_eq!(names_in(&bucket.out(""))?, ["model"]);
    assert_same(&files_in(&bucket.out("model"))?, files);
    Ok(())
}

/// The paths of the objects that were asked for.
fn fetched(bucket: &Bucket) -> TestResult<BTreeSet<String>> {
    let prefix = format!("{}/model/", bucket.name);
    let calls = bucket.tenant.calls()?;
    let fetches = calls.iter().filter(|call| call["operation"] == "GetObject");
    let path = |call: &Value| Some(call["key"].as_str()?.strip_prefix(&prefix)?.to_owned());
    Ok(fetches.filter_map(path).collect())
}

#[test]
fn objects_below_a_prefix_come_whole() -> TestResult {
    let files = model();
    let (bucket, uri) = with(&files)?;
    let said = bucket.download(&[&uri, "-o", "json"])?.ok()?;
    assert_whole(&bucket, &files)?;
    let mut lines = said.json_lines()?;
    let last = lines.pop().ok_or("nothing was printed")?;
    let bytes: usize = files.values().map(Vec::len).sum();
    assert_eq!((&last["parts"][0]["files"], &last["parts"][0]["bytes"]), (&json!(files.len()), &json!(bytes)));
    assert!(last["parts"][0].get("etag").is_none(), "{last}");
    let told: BTreeSet<&str> = lines.iter().filter_map(|file| file["path"].as_str()).collect();
    assert!(files.keys().all(|path| told.contains(&**path)) && lines.len() == files.len());
    let config = lines.iter().find(|file| file["path"] == "config.json").ok_or("not told")?;
    assert_eq!(config["sha256"], "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    assert_eq!(bucket.tenant.sent()?, bytes as u64);
    Ok(())
}

#[test]
fn objects_below_a_prefix_come_whole_whatever_fails() -> TestResult {
    let files = model();
    let (bucket, uri) = with(&files)?;
    for (seed, fault) in ["truncated_body", "reset_middle", "throttle", "reset_before"].into_iter().enumerate() {
        let rule = json!({ "fault": fault, "operation": "GetObject", "probability": 0.03, "seed": seed });
        bucket.tenant.rule(&rule)?;
    }
    bucket.download(&[&uri])?.ok()?;
    assert_whole(&bucket, &files)
}

#[test]
fn objects_are_selected_listed_and_printed() -> TestResult {
    let (bucket, uri) = with(&some(&[("a", "1"), ("b/a", "22"), ("b/c.json", "333")]))?;
    let said = bucket.download(&[&uri, "--list"])?.ok()?;
    assert_eq!(said.lines(), ["         1 B  a", "         2 B  b/a", "         3 B  b/c.json"]);
    let said = bucket.download(&[&uri, "--list", "-o", "json"])?.ok()?;
    let file =
        |path: &str, size: usize| json!({ "version": 1, "kind": "file", "part": "model", "path": path, "size": size });
    assert_eq!(said.json_lines()?, [file("a", 1), file("b/a", 2), file("b/c.json", 3)]);
    assert_eq!(bucket.download(&[&uri, "--stdout", "b/c.json"])?.ok()?.stdout, "333");
    let said = bucket.download(&[&uri, "--stdout", "c.json"])?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: there is no file c.json in s3://sagemaker-eu-west-1-[ACCOUNT]/model/
    hint: see what is inside with --list
    "#);
    for (pattern, paths) in [("a", &["a", "b/a"][..]), ("b/", &["b/a", "b/c.json"]), ("b/*.json", &["b/c.json"])] {
        bucket.download(&[&uri, "--only", pattern, "--force"])?.ok()?;
        assert_eq!(files_in(&bucket.out("model"))?.keys().collect::<Vec<_>>(), paths, "{pattern}");
    }
    bucket.tenant.clear_calls()?;
    let said = bucket.download(&[&uri, "--only", "x", "--force"])?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: nothing of the model matches --only
    hint: --list shows what there is
    "#);
    assert_eq!(bucket.tenant.count("GetObject")?, 0);
    Ok(())
}

#[test]
fn empty_objects_are_empty_files() -> TestResult {
    let (bucket, uri) = with(&some(&[("deep/empty", ""), ("deep/", ""), ("empty", "")]))?;
    bucket.put("model/", b"")?;
    bucket.download(&[&uri])?.ok()?;
    let files = files_in(&bucket.out("model"))?;
    assert_eq!(files.keys().collect::<Vec<_>>(), ["deep/empty", "empty"]);
    assert!(files.values().all(Vec::is_empty));
    Ok(())
}

/// A key can be anything.
#[test]
fn keys_that_are_no_paths_below_the_folder_are_refused() -> TestResult {
    let (bucket, uri) = with(&some(&[("good", "good")]))?;
    let mut transcript = Transcript::default();
    for key in ["a/../../x", "../x", "/x", "a//b", "./a", "a/.", "a/.."] {
        bucket.put(&format!("model/{key}"), b"bad")?;
        let said = bucket.download(&[&uri])?.expect(1)?;
        transcript.add(key, &said);
        assert!(names_in(&bucket.out(""))?.is_empty(), "{key}");
        let listed = bucket.download(&[&uri, "--list"])?.ok()?;
        transcript.add(format_args!("{key}: --list"), &listed);
        bucket.download(&[&uri, "--only", "good"])?.ok()?;
        assert_eq!(files_in(&bucket.out("model"))?.keys().collect::<Vec<_>>(), ["good"]);
        fs::remove_dir_all(bucket.out("model"))?;
        bucket.tenant.delete_object(&bucket.name, &format!("model/{key}"))?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## a/../../x
    exit code: 1
    --- stderr
    error: "a/../../x" can't be saved: it is not a relative path of a file
    hint: --only PATTERN fetches the others
    ## a/../../x: --list
    exit code: 0
    --- stdout
             3 B  a/../../x
             4 B  good
    ## ../x
    exit code: 1
    --- stderr
    error: "../x" can't be saved: it is not a relative path of a file
    hint: --only PATTERN fetches the others
    ## ../x: --list
    exit code: 0
    --- stdout
             3 B  ../x
             4 B  good
    ## /x
    exit code: 1
    --- stderr
    error: "/x" can't be saved: it is not a relative path of a file
    hint: --only PATTERN fetches the others
    ## /x: --list
    exit code: 0
    --- stdout
             3 B  /x
             4 B  good
    ## a//b
    exit code: 1
    --- stderr
    error: "a//b" can't be saved: it is not a relative path of a file
    hint: --only PATTERN fetches the others
    ## a//b: --list
    exit code: 0
    --- stdout
             3 B  a//b
             4 B  good
    ## ./a
    exit code: 1
    --- stderr
    error: "./a" can't be saved: it is not a relative path of a file
    hint: --only PATTERN fetches the others
    ## ./a: --list
    exit code: 0
    --- stdout
             3 B  ./a
             4 B  good
    ## a/.
    exit code: 1
    --- stderr
    error: "a/." can't be saved: it is not a relative path of a file
    hint: --only PATTERN fetches the others
    ## a/.: --list
    exit code: 0
    --- stdout
             3 B  a/.
             4 B  good
    ## a/..
    exit code: 1
    --- stderr
    error: "a/.." can't be saved: it is not a relative path of a file
    hint: --only PATTERN fetches the others
    ## a/..: --list
    exit code: 0
    --- stdout
             3 B  a/..
             4 B  good
    "#);
    assert_eq!(names_in(bucket.sandbox.root())?, ["home", "out", "tmp"]);
    Ok(())
}

#[test]
fn a_key_that_is_a_file_and_a_folder_is_refused() -> TestResult {
    let (bucket, uri) = with(&some(&[("a", "1"), ("a/b", "2"), ("c", "3")]))?;
    let said = bucket.download(&[&uri])?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: a is both a file and a folder in S3
    hint: --only PATTERN fetches one of them
    "#);
    bucket.download(&[&uri, "--only", "a/b", "--only", "c"])?.ok()?;
    assert_eq!(files_in(&bucket.out("model"))?.keys().collect::<Vec<_>>(), ["a/b", "c"]);
    Ok(())
}

#[test]
fn max_size_limits_the_bytes_below_a_prefix() -> TestResult {
    let (bucket, uri) = with(&some(&[("a", "12345"), ("b", "67890")]))?;
    let said = bucket.download(&[&uri, "--max-size", "9B"])?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: the files have 10 bytes, more than 9
    hint: allow more by --max-size SIZE
    "#);
    assert_eq!((bucket.tenant.count("GetObject")?, names_in(&bucket.out(""))?), (0, vec![]));
    bucket.download(&[&uri, "--max-size", "10B"])?.ok().map(drop)
}

/// Of what comes at once, in several pieces, and in stretches.
#[test]
fn a_wrong_checksum_is_refused_and_fetched_again() -> TestResult {
    let files: Files = [("small", 100), ("medium", 3 * MIB), ("large", 5 * MIB)]
        .map(|(path, size)| (path.to_owned(), noise(1, size)))
        .into();
    let (bucket, uri) = with(&files)?;
    for path in files.keys() {
        let told = |wrong: bool| json!({ "bucket": bucket.name, "key": format!("model/{path}"), "algorithm": "SHA256", "wrong": wrong });
        bucket.tenant.tell_checksum(&told(true))?;
        // Whatever else happens on the way.
        bucket.tenant.rule(&json!({ "fault": "truncated_body", "key": path, "skip": 1, "count": 1 }))?;
        for _ in 0..2 {
            let said = bucket.download(&[&uri])?.expect(1)?;
            // What the second attempt resumes depends on the moment.
            assert!(said.stderr.contains(path) && said.stderr.contains("checksum"), "{said}");
            assert!(!bucket.out("model").exists());
        }
        bucket.tenant.clear_rules()?;
        bucket.tenant.tell_checksum(&told(false))?;
        bucket.tenant.clear_calls()?;
        bucket.download(&[&uri, "--force"])?.ok()?;
        assert!(fetched(&bucket)?.contains(path), "what is wrong is fetched again");
        assert_whole(&bucket, &files)?;
        fs::remove_dir_all(bucket.out("model"))?;
    }
    Ok(())
}

/// The paths of the small ones that the journal says have come.
fn small_ones_noted(bucket: &Bucket) -> TestResult<Vec<String>> {
    let text = fs::read_to_string(bucket.partial().join("fetched"))?;
    let stretches: BTreeSet<&str> =
        text.lines().filter(|line| !line.starts_with("object ")).filter_map(|line| line.split(' ').next()).collect();
    let mut paths = Vec::new();
    for object in text.lines().filter_map(|line| line.strip_prefix("object ")) {
        let (number, content) = object.split_once(' ').ok_or("no content")?;
        let content: Value = serde_json::from_str(content)?;
        let uri = content["uri"].as_str().unwrap_or_default();
        let path = uri.strip_prefix(&bucket.uri("model/")).filter(|path| path.starts_with("shards/"));
        paths.extend(path.filter(|_| stretches.contains(number)).map(str::to_owned));
    }
    Ok(paths)
}

/// A file is there, or comes again, as its object is now.
#[test]
fn a_killed_download_is_resumed() -> TestResult {
    let mut files = model();
    let (bucket, uri) = with(&files)?;
    bucket.slow_down(300_000)?;
    // The small ones come after the large ones.
    bucket.kill_after(15 * MIB as u64, &[&uri])?;
    bucket.tenant.clear_rules()?;
    let there = small_ones_noted(&bucket)?;
    let [gone, changed, kept @ ..] = &there[..] else { return Err("too few have come".into()) };
    bucket.tenant.delete_object(&bucket.name, &format!("model/{gone}"))?;
    // What the second one need not fetch.
    let mut there = usize::try_from(noted(&bucket.partial().join("fetched")))?;
    let new = noise(5000, files[changed].len());
    there -= [gone, changed].into_iter().filter_map(|path| files.remove(path)).map(|old| old.len()).sum::<usize>();
    for (path, content) in [(changed.as_str(), &new[..]), ("shards/new/a", b"new"), ("large-9.bin", b"new, too")] {
        bucket.put(&format!("model/{path}"), content)?;
        files.insert(path.to_owned(), content.to_vec());
    }
    bucket.tenant.clear_calls()?;
    let said = bucket.download(&[&uri])?.ok()?;
    // How much has been fetched by then depends on the moment.
    assert!(said.stderr.contains("model: resuming at"), "{said}");
    assert_whole(&bucket, &files)?;
    let fetched = fetched(&bucket)?;
    let again: Vec<&String> = kept.iter().filter(|path| fetched.contains(*path)).collect();
    assert!(kept.len() > 20 && again.is_empty(), "of {} fetched again: {again:?}", kept.len());
    assert_eq!(bucket.tenant.sent()?, (files.values().map(Vec::len).sum::<usize>() - there) as u64);
    Ok(())
}
