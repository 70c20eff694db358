//! Jobs that `smtrain submit` refuses before anything is created.

use crate::support::{Project, Sandbox, TestResult, Transcript};

fn echo(sandbox: &Sandbox) -> TestResult<Project> {
    sandbox.project("proj", "import sys\nprint('arguments', *sys.argv[1:])\n")
}

#[test]
fn a_spec_with_problems_creates_nothing() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = echo(&sandbox)?.with("[limits]\nmax_run = 'soon'")?;
    let said = sandbox.smtrain(&["submit", "--local", "--follow", &project.spec()]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: `max_run` is not a duration
      --> [SANDBOX]/proj/job.toml:12:11
       |
    12 | max_run = 'soon'
       |           ^^^^^^
       |
       = hint: durations are written as "90s", "30m", "24h", "1h30m" or a number of seconds
    [SANDBOX]/proj/job.toml: 1 error
    "#);
    assert!(!sandbox.state().exists());
    Ok(())
}

#[test]
fn what_needs_an_image_is_refused_before_anything_is_created() -> TestResult {
    let sandbox = Sandbox::new()?;
    let algorithm = "[algorithm]\nname = 'xgboost'\nversion = '1.7-1'\n[resources]\ninstance_type = 'local'\n";
    let container = "[container]\nimage = 'mine:1'\n[resources]\ninstance_type = 'local'\n";
    let mut transcript = Transcript::default();
    for spec in [algorithm, container] {
        let project = echo(&sandbox)?.whole_spec(spec)?;
        let said = sandbox.smtrain(&["submit", &project.spec()]).run()?.expect(2)?;
        transcript.add(spec, &said);
        assert!(!sandbox.state().join("jobs").exists());
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## [algorithm]
    name = 'xgboost'
    version = '1.7-1'
    [resources]
    instance_type = 'local'

    exit code: 2
    --- stderr
    error: a built-in algorithm needs its container image, which can't run on this computer
    hint: a local job runs [framework] with [source]: your script, in your own Python
    ## [container]
    image = 'mine:1'
    [resources]
    instance_type = 'local'

    exit code: 2
    --- stderr
    error: a [container] needs its container image, which can't run on this computer
    hint: a local job runs [framework] with [source]: your script, in your own Python
    "#);
    Ok(())
}

#[test]
fn what_can_not_be_done_here_is_refused_before_anything_is_created() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = echo(&sandbox)?.file("data/a.csv", "1")?.spec();
    let mut transcript = Transcript::default();
    for settings in [
        &["output.s3_uri=s3://bucket/../../x"][..],
        &["checkpoints.s3_uri=s3://bucket/../../x"],
        &["checkpoints.s3_uri=s3://bucket/x", "checkpoints.local_path=/tmp/checkpoints"],
        &["checkpoints.s3_uri=s3://bucket/x", "checkpoints.local_path=/opt/ml/../x"],
        &["checkpoints.s3_uri=s3://bucket/x", "checkpoints.local_path=/opt/ml/model"],
        &["channels.train=data", "input_mode=Pipe"],
        &["channels.train={source='data', input_mode='Pipe'}"],
        &["channels.train=s3://bucket/nothing"],
        &[
            "channels.train=efs://fs-0123456789abcdef0/path",
            "network.subnets=['subnet-1']",
            "network.security_group_ids=['sg-1']",
        ],
    ] {
        let flags = settings.iter().flat_map(|setting| ["--set", setting]);
        let said = sandbox.smtrain(&["submit", "--local", "-q", &spec]).args(flags).run()?;
        transcript.add(settings.join(" "), &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## output.s3_uri=s3://bucket/../../x
    exit code: 1
    --- stderr
    error: s3://bucket/../../x/smtrain/code/[SHA256]/sourcedir.tar.gz can't be kept as a file: its key has a `.` or `..` part
    ## checkpoints.s3_uri=s3://bucket/../../x
    exit code: 1
    --- stderr
    error: s3://bucket/../../x can't be kept as a file: its key has a `.` or `..` part
    ## checkpoints.s3_uri=s3://bucket/x checkpoints.local_path=/tmp/checkpoints
    exit code: 1
    --- stderr
    error: a local job can't keep its checkpoints in /tmp/checkpoints
    hint: set a folder below /opt/ml that has no use yet: /opt/ml/checkpoints is the default
    ## checkpoints.s3_uri=s3://bucket/x checkpoints.local_path=/opt/ml/../x
    exit code: 1
    --- stderr
    error: a local job can't keep its checkpoints in /opt/ml/../x
    hint: set a folder below /opt/ml that has no use yet: /opt/ml/checkpoints is the default
    ## checkpoints.s3_uri=s3://bucket/x checkpoints.local_path=/opt/ml/model
    exit code: 1
    --- stderr
    error: a local job can't keep its checkpoints in /opt/ml/model
    hint: set a folder below /opt/ml that has no use yet: /opt/ml/checkpoints is the default
    ## channels.train=data input_mode=Pipe
    ## channels.train={source='data', input_mode='Pipe'}
    exit code: 1
    --- stderr
    error: channel train is in Pipe mode, which a local job doesn't simulate
    hint: set input_mode = "FastFile": it reads as a stream too
    ## channels.train=s3://bucket/nothing
    exit code: 1
    --- stderr
    error: no AWS region is set
    hint: give one: --region eu-west-1, or set AWS_REGION, or `region` in the job spec
    hint: or for good: aws configure set region eu-west-1
    hint: or give channel train a local folder: --set channels.train=PATH
    ## channels.train=efs://fs-0123456789abcdef0/path network.subnets=['subnet-1'] network.security_group_ids=['sg-1']
    exit code: 1
    --- stderr
    error: channel train is on a file system that a local job can't mount
    hint: give the channel a local folder: --set channels.train=PATH
    "#);
    assert!(!sandbox.state().join("jobs").exists());
    Ok(())
}

#[test]
fn a_name_in_the_request_is_used_or_refused() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = echo(&sandbox)?.with("[request]\nTrainingJobName = 'mine'")?;
    assert_eq!(sandbox.complete(&project, &[])?, "mine");
    let said = sandbox.smtrain(&["submit", "--local", &project.spec()]).run()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    error: local job mine exists already
    hint: leave request.TrainingJobName out: the time is added to `name`, so that no two jobs have the same
    "#);
    Ok(())
}

#[test]
fn a_missing_python_is_an_error() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = echo(&sandbox)?;
    let arguments = ["submit", "--local", "--wait", &project.spec(), "--set", "local.python=no-such-python"];
    let said = sandbox.smtrain(&arguments).run()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: no-such-python can't be run as Python 3: no folder of PATH has it
    hint: install Python 3, activate its environment, or name it in the spec: [local] python = "/path/to/python3"
    "#);
    Ok(())
}
