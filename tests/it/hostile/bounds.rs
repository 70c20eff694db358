//! What comes from outside has bounds: pages, bodies, archives, and how slowly any of it may come.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::{Sandbox, TestAccount, TestResult, Transcript};

const MIB: u64 = 1024 * 1024;

/// A bucket with some objects, and a job.
fn on_aws() -> TestResult<(Sandbox, TestAccount, String)> {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let bucket = tenant.default_bucket();
    tenant.make_bucket(&bucket)?;
    for number in 0..3 {
        tenant.put_object(&bucket, &format!("model/{number}"), &[7; 100])?;
    }
    let state = json!({ "TrainingJobStatus": "Completed" });
    tenant.jobs(&[json!({ "name": "done", "created": 1_732_334_455, "state": state })])?;
    tenant.log_events("done/algo-1-1732334455", &[(1_732_334_455_000, "one"), (1_732_334_456_000, "two")])?;
    Ok((sandbox, tenant, bucket))
}

#[test]
fn a_page_token_that_repeats_ends_the_list() -> TestResult {
    let (sandbox, tenant, bucket) = on_aws()?;
    let prefix = format!("s3://{bucket}/model/");
    let cases: [(&str, &[&str]); 5] = [
        ("ListObjectsV2", &["download", "--list", &prefix]),
        ("ListObjectsV2", &["download", "-d", "out", &prefix]),
        ("ListTrainingJobs", &["history"]),
        ("Search", &["history", "--status", "Completed"]),
        ("DescribeLogStreams", &["logs", "done"]),
    ];
    let mut transcript = Transcript::default();
    for (operation, args) in cases {
        tenant.clear_rules()?;
        tenant.clear_calls()?;
        tenant.rule(&json!({ "fault": "repeat_token", "operation": operation }))?;
        let said = sandbox.smtrain(args).run()?.expect(1)?;
        transcript.add(format_args!("{operation}: {}", args.join(" ")), &said);
        assert!(tenant.count(operation)? < 10, "{operation}");
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## ListObjectsV2: download --list s3://sagemaker-eu-west-1-[ACCOUNT]/model/
    exit code: 1
    --- stdout
           100 B  0
           100 B  1
           100 B  2
           100 B  0
           100 B  1
           100 B  2
    --- stderr
    error: what lies below s3://sagemaker-eu-west-1-[ACCOUNT]/model/ can't be listed to the end: a page leads back to an earlier one
    hint: try again, and check AWS_ENDPOINT_URL if it is set
    ## ListObjectsV2: download -d out s3://sagemaker-eu-west-1-[ACCOUNT]/model/
    exit code: 1
    --- stderr
    error: what lies below s3://sagemaker-eu-west-1-[ACCOUNT]/model/ can't be listed to the end: a page leads back to an earlier one
    hint: try again, and check AWS_ENDPOINT_URL if it is set
    ## ListTrainingJobs: history
    ## Search: history --status Completed
    exit code: 1
    --- stdout
    NAME  STATUS     RUNS                INSTANCES    CREATED              TRAINED  BILLED  METRIC
    done  Completed  scikit-learn:1.4-2  ml.m5.large  [TIME]  1m 0s    1m 0s   -
    --- stderr
    error: the jobs can't be listed to the end: a page leads back to an earlier one
    hint: try again, and check AWS_ENDPOINT_URL if it is set
    ## DescribeLogStreams: logs done
    exit code: 1
    --- stderr
    error: the log streams of done can't be listed to the end: a page leads back to an earlier one
    hint: try again, and check AWS_ENDPOINT_URL if it is set
    "#);
    Ok(())
}

/// GetLogEvents ends where it answers with the token that it was given, and so does not where two come in turn.
#[test]
fn log_pages_that_lead_in_a_circle_end() -> TestResult {
    let (sandbox, tenant, _) = on_aws()?;
    let nodes = (1..=9).map(|node| format!("wide/algo-{node}-1732334455"));
    let state = json!({ "TrainingJobStatus": "Completed" });
    tenant.jobs(&[json!({ "name": "wide", "created": 1_732_334_455, "state": state })])?;
    for stream in nodes {
        tenant.log_events(&stream, &[(1_732_334_455_000, "one")])?;
    }
    let cases: [(&str, &[&str]); 6] = [
        ("GetLogEvents", &["logs", "done"]),
        ("GetLogEvents", &["logs", "done", "-f"]),
        ("GetLogEvents", &["logs", "done", "-n", "1000"]),
        ("DescribeLogStreams", &["logs", "done", "-f"]),
        ("FilterLogEvents", &["logs", "wide"]),
        ("DescribeLogStreams", &["logs", "wide"]),
    ];
    let mut transcript = Transcript::default();
    for (operation, args) in cases {
        tenant.clear_rules()?;
        tenant.clear_calls()?;
        tenant.rule(&json!({ "fault": "repeat_token", "operation": operation }))?;
        let said = sandbox.smtrain(args).run()?.expect(1)?;
        transcript.add(format_args!("{operation}: {}", args.join(" ")), &said);
        assert!((2..10).contains(&tenant.count(operation)?), "{operation}, {args:?}");
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## GetLogEvents: logs done
    exit code: 1
    --- stderr
    error: the events of the log stream done/algo-1-[EPOCH] can't be listed to the end: a page leads back to an earlier one
    hint: try again, and check AWS_ENDPOINT_URL if it is set
    ## GetLogEvents: logs done -f
    exit code: 1
    --- stdout
    one
    two
    one
    two
    --- stderr
    error: the events of the log stream done/algo-1-[EPOCH] can't be listed to the end: a page leads back to an earlier one
    hint: try again, and check AWS_ENDPOINT_URL if it is set
    ## GetLogEvents: logs done -n 1000
    exit code: 1
    --- stderr
    error: the log's last events can't be listed to the end: a page leads back to an earlier one
    hint: try again, and check AWS_ENDPOINT_URL if it is set
    ## DescribeLogStreams: logs done -f
    exit code: 1
    --- stderr
    error: the log streams of done can't be listed to the end: a page leads back to an earlier one
    hint: try again, and check AWS_ENDPOINT_URL if it is set
    ## FilterLogEvents: logs wide
    exit code: 1
    --- stderr
    error: the log of wide can't be listed to the end: a page leads back to an earlier one
    hint: try again, and check AWS_ENDPOINT_URL if it is set
    ## DescribeLogStreams: logs wide
    exit code: 1
    --- stderr
    error: the log streams of wide can't be listed to the end: a page leads back to an earlier one
    hint: try again, and check AWS_ENDPOINT_URL if it is set
    "#);
    Ok(())
}

/// A long history is read in slices of time, each with pages of its own.
#[test]
fn a_slice_of_the_history_that_leads_in_a_circle_ends() -> TestResult {
    let (sandbox, tenant, _) = on_aws()?;
    let state = json!({ "TrainingJobStatus": "Completed" });
    let job = |n: u64| json!({ "name": format!("job-{n:04}"), "created": 1_732_400_000 + n * 60, "state": state });
    tenant.jobs(&(0..450).map(job).collect::<Vec<_>>())?;
    // The first page and the farthest job come as they are.
    let mut transcript = Transcript::default();
    for operation in ["ListTrainingJobs", "Search"] {
        tenant.clear_rules()?;
        tenant.clear_calls()?;
        tenant.rule(&json!({ "fault": "repeat_token", "operation": operation, "skip": 2 }))?;
        let status: &[&str] = if operation == "Search" { &["--status", "Completed"] } else { &[] };
        let said = sandbox.smtrain(&["history", "--all"]).args(status).run()?.expect(1)?;
        transcript.add_stderr(operation, &said);
        assert!(tenant.count(operation)? < 40, "{operation}: {}", tenant.count(operation)?);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## ListTrainingJobs
    ## Search
    exit code: 1
    --- stderr
    error: the jobs can't be listed to the end: a page leads back to an earlier one
    hint: try again, and check AWS_ENDPOINT_URL if it is set
    "#);
    Ok(())
}

/// How many bytes of answers to an operation were sent.
fn sent(tenant: &TestAccount, operation: &str) -> TestResult<u64> {
    let calls = tenant.calls()?;
    let of_it = calls.iter().filter(|call| call["operation"] == operation);
    Ok(of_it.filter_map(|call| call["sent"].as_u64()).sum())
}

#[test]
fn an_answer_of_more_than_any_service_gives_is_refused_early() -> TestResult {
    let (sandbox, tenant, bucket) = on_aws()?;
    let prefix = format!("s3://{bucket}/model/");
    let cases: [(&str, &[&str]); 4] = [
        ("DescribeTrainingJob", &["describe", "done"]),
        ("ListTrainingJobs", &["history"]),
        ("GetLogEvents", &["logs", "done"]),
        ("ListObjectsV2", &["download", "--list", &prefix]),
    ];
    let mut transcript = Transcript::default();
    for is_told in [true, false] {
        for (operation, args) in cases {
            tenant.clear_rules()?;
            tenant.clear_calls()?;
            let flood = json!({ "fault": "flood", "operation": operation, "size": 1500 * MIB, "is_told": is_told });
            tenant.rule(&flood)?;
            let said = sandbox.smtrain(args).run()?.expect(1)?;
            transcript.add(format_args!("{operation}, its size told: {is_told}"), &said);
            assert_eq!(tenant.count(operation)?, 1, "{operation} is not asked for again: {said}");
            assert!(sent(&tenant, operation)? < 100 * MIB, "{operation}: {} bytes", sent(&tenant, operation)?);
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## DescribeTrainingJob, its size told: true
    exit code: 1
    --- stderr
    error: could not describe job done: the answer was cut off or can't be read: the answer has more than 64 MiB
    hint: check the network, the region, and AWS_ENDPOINT_URL if it is set
    ## ListTrainingJobs, its size told: true
    exit code: 1
    --- stderr
    error: could not list the jobs: the answer was cut off or can't be read: the answer has more than 64 MiB
    hint: check the network, the region, and AWS_ENDPOINT_URL if it is set
    ## GetLogEvents, its size told: true
    exit code: 1
    --- stderr
    error: could not read the log stream done/algo-1-[EPOCH]: the answer was cut off or can't be read: the answer has more than 64 MiB
    hint: check the network, the region, and AWS_ENDPOINT_URL if it is set
    ## ListObjectsV2, its size told: true
    exit code: 1
    --- stderr
    error: could not list what lies below s3://sagemaker-eu-west-1-[ACCOUNT]/model/: the answer was cut off or can't be read: the answer has more than 64 MiB
    hint: check the network, the region, and AWS_ENDPOINT_URL if it is set
    ## DescribeTrainingJob, its size told: false
    exit code: 1
    --- stderr
    error: could not describe job done: the answer was cut off or can't be read: the answer has more than 64 MiB
    hint: check the network, the region, and AWS_ENDPOINT_URL if it is set
    ## ListTrainingJobs, its size told: false
    exit code: 1
    --- stderr
    error: could not list the jobs: the answer was cut off or can't be read: the answer has more than 64 MiB
    hint: check the network, the region, and AWS_ENDPOINT_URL if it is set
    ## GetLogEvents, its size told: false
    exit code: 1
    --- stderr
    error: could not read the log stream done/algo-1-[EPOCH]: the answer was cut off or can't be read: the answer has more than 64 MiB
    hint: check the network, the region, and AWS_ENDPOINT_URL if it is set
    ## ListObjectsV2, its size told: false
    exit code: 1
    --- stderr
    error: could not list what lies below s3://sagemaker-eu-west-1-[ACCOUNT]/model/: the answer was cut off or can't be read: the answer has more than 64 MiB
    hint: check the network, the region, and AWS_ENDPOINT_URL if it is set
    "#);
    Ok(())
}

/// Nothing is written behind the stretch that was asked for.
#[test]
fn an_object_s_body_that_is_longer_than_asked_for_is_refused() -> TestResult {
    let (sandbox, tenant, bucket) = on_aws()?;
    let mut transcript = Transcript::default();
    for is_told in [true, false] {
        tenant.clear_rules()?;
        tenant.rule(&json!({ "fault": "flood", "operation": "GetObject", "size": 300 * MIB, "is_told": is_told }))?;
        for uri in [format!("s3://{bucket}/model/"), format!("s3://{bucket}/model/1")] {
            tenant.clear_calls()?;
            let said = sandbox.smtrain(&["download", "-d", "out", &uri]).run()?.expect(1)?;
            if uri.ends_with('/') {
                // Which of the objects fails first depends on the moment.
                assert!(said.stderr.contains("S3 sends more bytes than were asked for"), "{said}");
            } else {
                transcript.add(format_args!("{uri}, its size told: {is_told}"), &said);
            }
            assert!(!sandbox.path("out/model").exists() && !sandbox.path("out/1").exists());
            assert!(sent(&tenant, "GetObject")? < 100 * MIB, "{said}");
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/model/1, its size told: true
    ## s3://sagemaker-eu-west-1-[ACCOUNT]/model/1, its size told: false
    exit code: 1
    --- stderr
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/model/1: S3 sends more bytes than were asked for
    "#);
    Ok(())
}

/// Without a limit it would take years.
#[test]
fn an_answer_of_a_byte_in_five_seconds_ends() -> TestResult {
    let (sandbox, tenant, _) = on_aws()?;
    tenant.rule(&json!({ "fault": "slow_body", "operation": "DescribeTrainingJob", "rate": 0.2, "piece": 1 }))?;
    let said = sandbox.smtrain(&["describe", "done"]).env("AWS_MAX_ATTEMPTS", "1").run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: could not describe job done: the answer was cut off or can't be read: the answer arrives too slowly, less than 1024 bytes in 30 s
    hint: check the network, the region, and AWS_ENDPOINT_URL if it is set
    "#);
    Ok(())
}

/// An archive of entries that hold nothing.
fn of_nothing(count: usize, kind: tar::EntryType) -> TestResult<Vec<u8>> {
    let mut archive = GzEncoder::new(Vec::new(), Compression::fast());
    for number in 0..count {
        let mut header = tar::Header::new_gnu();
        header.set_path(format!("{}/{number}", number / 100))?;
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_size(0);
        if kind == tar::EntryType::Symlink {
            header.set_link_name("x")?;
        }
        header.set_cksum();
        archive.write_all(header.as_bytes())?;
    }
    archive.write_all(&[0; 1024])?;
    Ok(archive.finish()?)
}

/// Each takes an inode, and a block or its share of one.
#[test]
fn max_size_counts_folders_links_and_empty_files() -> TestResult {
    let (sandbox, tenant, bucket) = on_aws()?;
    let mut transcript = Transcript::default();
    for kind in [tar::EntryType::Directory, tar::EntryType::Symlink, tar::EntryType::Regular] {
        tenant.put_object(&bucket, "many.tar.gz", &of_nothing(1000, kind)?)?;
        let uri = format!("s3://{bucket}/many.tar.gz");
        let download = |size: &str| sandbox.smtrain(&["download", "-d", "out", &uri, "--max-size", size]).run();
        let said = download("2MiB")?.expect(1)?;
        transcript.add(format_args!("{kind:?}"), &said);
        assert!(!sandbox.path("out/many").exists(), "{said}");
        download("5MiB")?.ok()?;
        fs::remove_dir_all(sandbox.path("out"))?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## Directory
    ## Symlink
    ## Regular
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/many.tar.gz
      cause: the archive unpacks to more than 2097152 bytes, with 4096 bytes for each file, folder and link
    hint: allow more by --max-size SIZE, on a disk that has the room
    hint: the fetched bytes are kept in out/.many.partial: the same command continues from there
    "#);
    Ok(())
}

/// What is printed as it comes needs no memory for all of it.
#[test]
fn a_long_list_comes_page_by_page() -> TestResult {
    let (sandbox, tenant, bucket) = on_aws()?;
    for number in 0..1100 {
        tenant.put_object(&bucket, &format!("many/{number:04}"), b"")?;
    }
    tenant.rule(&json!({ "fault": "access_denied", "operation": "ListObjectsV2", "skip": 1 }))?;
    let said = sandbox.smtrain(&["download", "--list", &format!("s3://{bucket}/many/"), "-o", "json"]).run()?;
    let said = said.expect(1)?;
    let listed: Vec<Value> = said.json_lines()?;
    assert_eq!(listed.len(), 1000, "the first page was told before the second failed");
    Ok(())
}

/// The peak of memory of a download of so many objects below a prefix, in bytes.
fn peak_of_keys(count: u32) -> TestResult<i64> {
    let (sandbox, _, bucket) = on_aws()?;
    let uri = format!("s3://{bucket}/model/");
    let smtrain = env!("CARGO_BIN_EXE_smtrain");
    let args = ["-c", include_str!("many_keys.py"), &count.to_string(), smtrain, "download", "-d", "out", &uri];
    let said = sandbox.emulator_python(&args)?.run()?.ok()?;
    Ok(said.line().parse()?)
}

/// They are listed to a file, and none is held longer than it takes.
#[test]
fn keys_below_a_prefix_take_no_memory() -> TestResult {
    let (few, many) = (peak_of_keys(5_000)?, peak_of_keys(65_000)?);
    // What holds them takes 180 bytes and more for each.
    assert!(many - few < 60 * 60_000, "{} bytes more for 60,000 keys", many - few);
    Ok(())
}
