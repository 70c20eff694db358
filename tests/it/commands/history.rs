//! `smtrain history`.

use crate::support::{Sandbox, TestResult};

/// Three jobs: `b` Completed, `c` Failed, then `a` Completed.
fn three(sandbox: &Sandbox) -> TestResult<[String; 3]> {
    let metrics = "[metrics]\nloss = 'loss=([0-9.]+)'";
    let b = sandbox.complete(&sandbox.project("b", "print('loss=0.9')\nprint('loss=0.25')")?.with(metrics)?, &[])?;
    let (c, _) = sandbox.end(&sandbox.project("c", "raise SystemExit(1)")?, &[], 3)?;
    let a = sandbox.complete(&sandbox.project("a", "")?, &["--instance-count", "2"])?;
    Ok([b, c, a])
}

fn names(sandbox: &Sandbox, arguments: &[&str]) -> TestResult<String> {
    let said = sandbox.smtrain(&["history", "--local", "-o", "names"]).args(arguments).run()?.ok()?;
    // The first letter says which.
    Ok(said.lines().iter().filter_map(|name| name.get(..1)).collect())
}

#[test]
fn the_table_shows_each_job() -> TestResult {
    let sandbox = Sandbox::new()?;
    three(&sandbox)?;
    let said = sandbox.smtrain(&["history", "--local"]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    NAME                       STATUS     RUNS                    INSTANCES        CREATED              TRAINED  BILLED  METRIC
    a-[STAMP]  Completed  sklearn:1.4-2 train.py  2 x ml.m5.large  [TIME]  [S]       -       -
    c-[STAMP]  Failed     sklearn:1.4-2 train.py  ml.m5.large      [TIME]  [S]       -       -
    b-[STAMP]  Completed  sklearn:1.4-2 train.py  ml.m5.large      [TIME]  [S]       -       loss=0.25
    --- stderr
    "#);
    Ok(())
}

#[test]
fn a_table_is_never_cut_when_piped() -> TestResult {
    let sandbox = Sandbox::new()?;
    let name = "a-name-that-is-as-long-as-a-base-can-be";
    sandbox.complete(&sandbox.project("proj", "")?, &["--name", name])?;
    let said = sandbox.smtrain(&["history", "--local"]).env("COLUMNS", "20").run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    NAME                                                             STATUS     RUNS                    INSTANCES    CREATED              TRAINED  BILLED  METRIC
    a-name-that-is-as-long-as-a-base-can-be-[STAMP]  Completed  sklearn:1.4-2 train.py  ml.m5.large  [TIME]  [S]       -       -
    --- stderr
    "#);
    Ok(())
}

#[test]
fn filters_select_jobs() -> TestResult {
    let sandbox = Sandbox::new()?;
    let [b, _, a] = three(&sandbox)?;
    let created = sandbox.describe(&a)?["CreationTime"].as_str().unwrap_or_default().to_owned();
    for (arguments, expected) in [
        (&[][..], "acb"),
        (&["--status", "Completed"], "ab"),
        (&["--status", "Failed"], "c"),
        (&["--status", "InProgress"], ""),
        (&[&b], "b"),
        (&["-2"], "acb"),
        (&["--since", "1h"], "acb"),
        (&["--until", "1h"], ""),
        (&["--since", &created], "a"),
        (&["--until", &created], "cb"),
        (&["--since", "1h", "--status", "Completed", "-n", "1"], "a"),
    ] {
        // A name that looks like a flag comes behind `--`.
        let arguments = if arguments == ["-2"] { &["--", "-2"] } else { arguments };
        assert_eq!(names(&sandbox, arguments)?, expected, "{arguments:?}");
    }
    Ok(())
}

#[test]
fn jobs_are_sorted_and_limited() -> TestResult {
    let sandbox = Sandbox::new()?;
    three(&sandbox)?;
    for (arguments, expected) in [
        (&["--ascending"][..], "bca"),
        (&["--sort", "name", "--ascending"], "abc"),
        (&["--sort", "name"], "cba"),
        (&["-n", "2"], "ac"),
        (&["--limit", "9"], "acb"),
        (&["--all"], "acb"),
        (&["--sort", "created", "-n", "1", "--ascending"], "b"),
    ] {
        assert_eq!(names(&sandbox, arguments)?, expected, "{arguments:?}");
    }
    let by_status = names(&sandbox, &["--sort", "status", "--ascending"])?;
    assert!(by_status.ends_with('c'), "Completed comes before Failed: {by_status}");
    sandbox.smtrain(&["history", "--local", "--limit", "0"]).run()?.expect(2)?;
    Ok(())
}

#[test]
fn twenty_jobs_are_listed_by_default() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&sandbox.project("proj", "")?, &[])?;
    // Copies of one job's folder: what is readable with `cat` can be copied with `cp`.
    let script = r#"
        cd "$SMTRAIN_HOME/jobs"
        for i in $(seq 100 124); do
            copy="$(echo "$1" | sed "s/...$/$i/")"
            [ -e "$copy" ] || { cp -r "$1" "$copy"; sed -i "s/$1/$copy/g" "$copy/job.json"; }
        done
        ls | wc -l
    "#;
    let count: usize = sandbox.sh(script).args(["sh", &job]).run()?.ok()?.line().trim().parse()?;
    let listed = |arguments: &[&str]| -> TestResult<usize> { Ok(names(&sandbox, arguments)?.len()) };
    assert_eq!((listed(&[])?, listed(&["--all"])?, listed(&["-n", "22"])?), (20, count, 22));
    Ok(())
}

#[test]
fn json_has_a_line_for_each_job() -> TestResult {
    let sandbox = Sandbox::new()?;
    let [b, c, a] = three(&sandbox)?;
    let rows = sandbox.smtrain(&["history", "--local", "-o", "json"]).run()?.ok()?.json_lines()?;
    let listed: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(listed, [&a, &c, &b]);
    let [_, failed, measured] = rows.as_slice() else { return Err("not three rows".into()) };
    assert_eq!((failed["version"].as_u64(), failed["status"].as_str()), (Some(1), Some("Failed")));
    assert_eq!((measured["metric"].as_str(), measured["metric_value"].as_f64()), (Some("loss"), Some(0.25)));
    assert_eq!(measured["runs"], "sklearn:1.4-2 train.py");
    assert!(measured["training_seconds"].is_u64(), "{measured}");
    Ok(())
}

#[test]
fn csv_has_a_record_for_each_job() -> TestResult {
    let sandbox = Sandbox::new()?;
    let [b, ..] = three(&sandbox)?;
    let said = sandbox.smtrain(&["history", "--local", "-o", "csv"]).run()?.ok()?;
    let mut reader = csv::Reader::from_reader(said.stdout.as_bytes());
    let headings: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let column = |name: &str| headings.iter().position(|heading| heading == name).ok_or(format!("no column {name}"));
    let (name, metric) = (column("name")?, column("metric_value")?);
    let records = reader.records().collect::<Result<Vec<_>, _>>()?;
    assert_eq!(records.len(), 3);
    let last = records.last().ok_or("no record")?;
    assert_eq!((last.get(name), last.get(metric)), (Some(b.as_str()), Some("0.25")));
    Ok(())
}

#[test]
fn an_empty_history_is_no_error() -> TestResult {
    let sandbox = Sandbox::new()?;
    let table = sandbox.smtrain(&["history", "--local"]).run()?;
    assert_eq!(table.to_string(), "exit code: 0\n--- stdout\n--- stderr\nno jobs\n");
    for format in ["json", "names"] {
        let said = sandbox.smtrain(&["history", "--local", "-o", format]).run()?;
        assert_eq!(said.to_string(), "exit code: 0\n--- stdout\n--- stderr\n");
    }
    Ok(())
}

#[test]
fn an_empty_csv_has_its_headings() -> TestResult {
    let said = Sandbox::new()?.smtrain(&["history", "--local", "-o", "csv"]).run()?.ok()?;
    insta::assert_snapshot!(said.to_string(), @r#"
    exit code: 0
    --- stdout
    version,name,status,secondary_status,runs,instances,created,ended,training_seconds,billable_seconds,metric,metric_value
    --- stderr
    "#);
    Ok(())
}

#[test]
fn colours_mark_the_status() -> TestResult {
    let sandbox = Sandbox::new()?;
    three(&sandbox)?;
    let table = |arguments: &[&str]| sandbox.smtrain(&["history", "--local"]).args(arguments).run();
    let (plain, colored) = (table(&[])?.ok()?, table(&["--color", "always"])?.ok()?);
    // The first test has this table.
    assert!(!plain.stdout.contains('\u{1b}'), "{plain}");
    insta::assert_snapshot!(colored.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    [ESC][1mNAME[ESC][0m                       [ESC][1mSTATUS[ESC][0m     [ESC][1mRUNS[ESC][0m                    [ESC][1mINSTANCES[ESC][0m        [ESC][1mCREATED[ESC][0m              [ESC][1mTRAINED[ESC][0m  [ESC][1mBILLED[ESC][0m  [ESC][1mMETRIC[ESC][0m
    a-[STAMP]  [ESC][32mCompleted[ESC][0m  sklearn:1.4-2 train.py  2 x ml.m5.large  [TIME]  [S]       -       -
    c-[STAMP]  [ESC][1m[ESC][31mFailed[ESC][0m     sklearn:1.4-2 train.py  ml.m5.large      [TIME]  [S]       -       -
    b-[STAMP]  [ESC][32mCompleted[ESC][0m  sklearn:1.4-2 train.py  ml.m5.large      [TIME]  [S]       -       loss=0.25
    --- stderr
    "#);
    let stripped = regex::Regex::new("\u{1b}\\[[0-9;]*m")?.replace_all(&colored.stdout, "").into_owned();
    assert_eq!(stripped, plain.stdout, "colours shift the columns");
    Ok(())
}

#[test]
fn a_damaged_job_does_not_hide_the_others() -> TestResult {
    let sandbox = Sandbox::new()?;
    let [_, c, _] = three(&sandbox)?;
    std::fs::write(sandbox.job_folder(&c).join("job.json"), "{ damaged")?;
    std::fs::create_dir(sandbox.state().join("jobs/not-a-job"))?;
    let said = sandbox.smtrain(&["history", "--local", "-o", "names"]).run()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    a-[STAMP]
    c-[STAMP]
    b-[STAMP]
    not-a-job
    --- stderr
    warning: the state of job c-[STAMP] can't be read: [SANDBOX]/smtrain/jobs/c-[STAMP]/job.json is damaged: key must be a string at line 1 column 3
    warning: the state of job not-a-job can't be read: there is no [SANDBOX]/smtrain/jobs/not-a-job/job.json
    "#);
    Ok(())
}

#[test]
fn without_local_it_needs_aws() -> TestResult {
    let said = Sandbox::new()?.smtrain(&["history"]).run()?.expect(1)?;
    insta::assert_snapshot!(said.to_string(), @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: no AWS region is set
    hint: give one: --region eu-west-1, or set AWS_REGION, or `region` in the job spec
    hint: or for good: aws configure set region eu-west-1
    "#);
    Ok(())
}
