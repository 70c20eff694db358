//! Answers that no service gives: another program's pages, redirects, broken documents. The error says what came, and what
//! may stand between.

use serde_json::{Value, json};

use crate::support::{Sandbox, TestAccount, TestResult, normalised};

const PAGE: &str = "<!DOCTYPE html><html><head><title>Log in</title></head><body><p>Welcome<br></body></html>";
const CREATED: u64 = 1_732_334_455;

/// An operation, and a command that calls it.
type Call = (&'static str, &'static [&'static str]);

const CALLS: [Call; 12] = [
    ("DescribeTrainingJob", &["describe", "done"]),
    ("ListTrainingJobs", &["history", "-o", "names"]),
    ("StopTrainingJob", &["stop", "running"]),
    ("CreateTrainingJob", &["submit", "SPEC"]),
    ("DescribeLogStreams", &["logs", "done"]),
    ("GetLogEvents", &["logs", "done"]),
    ("GetCallerIdentity", &["submit", "SPEC"]),
    ("GetRole", &["submit", "SPEC", "--role", "SageMakerRole"]),
    ("ListObjectsV2", &["download", "--list", "PREFIX"]),
    ("HeadObject", &["download", "-d", "out", "OBJECT"]),
    ("CreateMultipartUpload", &["submit", "SPEC", "--set", "channels.train=big"]),
    ("CompleteMultipartUpload", &["submit", "SPEC", "--set", "channels.train=big"]),
];

/// Operations whose success has no document that could be broken.
const WITHOUT_DOCUMENT: [&str; 2] = ["HeadObject", "StopTrainingJob"];

/// A tenant with all that the commands are about.
fn furnished() -> TestResult<(Sandbox, TestAccount)> {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let sandbox = sandbox.with_env("SMTRAIN_ROLE", tenant.role_arn()).with_env("AWS_MAX_ATTEMPTS", "1");
    tenant.set("phase_seconds", 600.0)?;
    tenant.make_bucket(&tenant.default_bucket())?;
    tenant.put_object(&tenant.default_bucket(), "below/a", b"1")?;
    tenant.jobs(&[
        json!({ "name": "done", "created": CREATED, "state": { "TrainingJobStatus": "Completed" } }),
        json!({ "name": "running", "created": CREATED, "state": { "TrainingJobStatus": "InProgress" } }),
    ])?;
    tenant.log_events(&format!("done/algo-1-{CREATED}"), &[(CREATED * 1000, "line")])?;
    sandbox.project("proj", "")?.file("big/data", vec![7; 17 * 1024 * 1024])?;
    Ok((sandbox, tenant))
}

/// Returns stderr of the command, which has failed, under this answer to its call.
fn told(sandbox: &Sandbox, tenant: &TestAccount, (operation, command): Call, answer: &Value) -> TestResult<String> {
    tenant.clear_rules()?;
    let mut rule = json!({ "fault": "answer", "operation": operation });
    for (name, value) in answer.as_object().ok_or("no rule")? {
        rule[name] = value.clone();
    }
    tenant.rule(&rule)?;
    let prefix = format!("s3://{}/below/", tenant.default_bucket());
    let arguments = command.iter().map(|word| match *word {
        "SPEC" => sandbox.path("proj/job.toml").display().to_string(),
        "PREFIX" => prefix.clone(),
        "OBJECT" => format!("{prefix}a"),
        word => word.to_owned(),
    });
    let said = sandbox.smtrain(&[]).args(arguments).run()?;
    // Debug text of the SDK's types.
    let is_raw = ["Unhandled", "Error {", "Some(", "ErrorMetadata", "unhandled error"]
        .iter()
        .any(|text| said.stderr.contains(text));
    if said.code != 1 || is_raw || !said.stderr.contains("could not ") {
        return Err(format!("{operation}: {said}").into());
    }
    Ok(said.stderr)
}

/// Returns the whole error of a call to SageMaker and of one to S3, the parsers of which differ.
fn whole(answer: &Value) -> TestResult<String> {
    let (sandbox, tenant) = furnished()?;
    let describe = told(&sandbox, &tenant, CALLS[0], answer)?;
    normalised(&format!("{describe}\n{}", told(&sandbox, &tenant, CALLS[8], answer)?))
}

/// Fails with every operation whose error lacks one of the words: [`whole`] shows the message, this that all calls have it.
fn each(calls: &[Call], answer: &Value, words: &[&str]) -> TestResult {
    let (sandbox, tenant) = furnished()?;
    let lacking = calls.iter().filter_map(|call| match told(&sandbox, &tenant, *call, answer) {
        Ok(text) => words.iter().any(|word| !text.contains(word)).then(|| format!("{}: {text}", call.0)),
        Err(error) => Some(error.to_string()),
    });
    let lacking: Vec<String> = lacking.collect();
    if lacking.is_empty() { Ok(()) } else { Err(format!("{answer}: {words:?}\n{}", lacking.join("\n")).into()) }
}

const HINTS: [&str; 3] = ["hint: ", "AWS_ENDPOINT_URL", "HTTPS_PROXY"];

#[test]
fn a_page_in_place_of_an_answer_is_told_as_such() -> TestResult {
    let calls: Vec<Call> = CALLS.into_iter().filter(|(name, _)| !WITHOUT_DOCUMENT.contains(name)).collect();
    let words = [&HINTS[..], &["can't be read as one of the service's", "HTTP status 200", "text/html"]].concat();
    let answer = json!({ "status": 200, "body": PAGE, "headers": { "content-type": "text/html" } });
    insta::assert_snapshot!(whole(&answer)?, @r#"
    error: could not describe job done: the answer can't be read as one of the service's (HTTP status 200, text/html)
    hint: a proxy, a gateway or a login page may have answered in the service's place: check AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY if they are set, and the network

    error: could not list what lies below s3://sagemaker-eu-west-1-[ACCOUNT]/below/: the answer can't be read as one of the service's (HTTP status 200, text/html)
    hint: a proxy, a gateway or a login page may have answered in the service's place: check AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY if they are set, and the network
    "#);
    each(&calls, &answer, &words)
}

/// The same would come, up to ten times.
#[test]
fn a_page_is_not_asked_for_again() -> TestResult {
    let (sandbox, tenant) = furnished()?;
    tenant.rule(&json!({ "fault": "answer", "operation": "DescribeTrainingJob", "status": 200, "body": PAGE }))?;
    sandbox.smtrain(&["describe", "done"]).env_remove("AWS_MAX_ATTEMPTS").run()?.expect(1)?;
    assert_eq!(tenant.count("DescribeTrainingJob")?, 1);
    // A gateway's page is: the service behind it may be back.
    tenant.clear_rules()?;
    let gateway =
        json!({ "fault": "answer", "operation": "DescribeTrainingJob", "status": 502, "body": PAGE, "count": 2 });
    tenant.rule(&gateway)?;
    sandbox.smtrain(&["describe", "done"]).env_remove("AWS_MAX_ATTEMPTS").run()?.ok().map(drop)
}

#[test]
fn a_document_that_breaks_off_is_told_as_such() -> TestResult {
    let s3: Vec<Call> =
        CALLS.into_iter().filter(|(name, _)| name.ends_with("V2") || name.contains("Multipart")).collect();
    let words = [&HINTS[..], &["can't be read as one of the service's", "HTTP status 200"]].concat();
    each(&s3, &json!({ "status": 200, "body": "<?xml version=\"1.0\"?><A><B>", "headers": {} }), &words)?;
    let json: Vec<Call> = CALLS.into_iter().take(2).collect();
    each(&json, &json!({ "status": 200, "body": "{\"TrainingJobName\": \"do", "headers": {} }), &words)
}

/// The objects before the break are not all that there are.
#[test]
fn a_list_that_breaks_off_is_not_a_shorter_list() -> TestResult {
    let (sandbox, tenant) = furnished()?;
    let object = "<Contents><Key>below/a</Key><Size>1</Size></Contents>";
    let mut reasons = String::new();
    for end in ["", "<Contents><Ke", "</ListBucketResul"] {
        let body = format!("<?xml version=\"1.0\"?><ListBucketResult>{object}{end}");
        let answer = json!({ "status": 200, "body": body, "headers": { "content-type": "application/xml" } });
        let call: Call = ("ListObjectsV2", &["download", "--list", "PREFIX"]);
        let said = told(&sandbox, &tenant, call, &answer)?;
        reasons += &normalised(&said)?;
        let submit: Call = ("ListObjectsV2", &["submit", "SPEC", "--set", "channels.train=big"]);
        told(&sandbox, &tenant, submit, &answer)?;
    }
    insta::assert_snapshot!(reasons, @r#"
    error: could not list what lies below s3://sagemaker-eu-west-1-[ACCOUNT]/below/: the answer can't be read as one of the service's (HTTP status 200, application/xml)
    hint: a proxy, a gateway or a login page may have answered in the service's place: check AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY if they are set, and the network
    error: could not list what lies below s3://sagemaker-eu-west-1-[ACCOUNT]/below/: the answer can't be read as one of the service's (HTTP status 200, application/xml)
    hint: a proxy, a gateway or a login page may have answered in the service's place: check AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY if they are set, and the network
    error: could not list what lies below s3://sagemaker-eu-west-1-[ACCOUNT]/below/: the answer can't be read as one of the service's (HTTP status 200, application/xml)
    hint: a proxy, a gateway or a login page may have answered in the service's place: check AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY if they are set, and the network
    "#);
    Ok(())
}

#[test]
fn an_answer_without_its_items_is_not_an_empty_list() -> TestResult {
    let names = ["ListTrainingJobs", "DescribeLogStreams", "GetLogEvents", "DescribeTrainingJob", "ListObjectsV2"];
    let calls: Vec<Call> = CALLS.into_iter().filter(|(name, _)| names.contains(name)).collect();
    let words = [&HINTS[..], &["can't be read as one of the service's"]].concat();
    for (status, body) in [(200, "{\"a\":1}"), (200, "{}"), (200, ""), (204, "")] {
        each(&calls, &json!({ "status": status, "body": body, "headers": {} }), &words)?;
    }
    Ok(())
}

#[test]
fn a_redirect_is_told_as_such() -> TestResult {
    for status in [301, 307] {
        let place = "https://login.example/aws?a=b";
        let number = format!("HTTP status {status}");
        let words = [&HINTS[..], &["redirects to https://login.example/aws?a=b", &number]].concat();
        let answer = json!({ "status": status, "body": PAGE, "headers": { "location": place } });
        each(&CALLS, &answer, &words)?;
    }
    let answer = json!({ "status": 307, "body": "", "headers": { "location": "https://login.example/aws?a=b" } });
    insta::assert_snapshot!(whole(&answer)?, @r#"
    error: could not describe job done: the answer redirects to https://login.example/aws?a=b (HTTP status 307), where no request is sent
    hint: a proxy, a gateway or a login page may have answered in the service's place: check AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY if they are set, and the network

    error: could not list what lies below s3://sagemaker-eu-west-1-[ACCOUNT]/below/: the answer redirects to https://login.example/aws?a=b (HTTP status 307), where no request is sent
    hint: a proxy, a gateway or a login page may have answered in the service's place: check AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY if they are set, and the network
    "#);
    let answer = json!({ "status": 307, "body": "", "headers": {} });
    insta::assert_snapshot!(whole(&answer)?, @r#"
    error: could not describe job done: the answer is a redirect without a location (HTTP status 307)
    hint: a proxy, a gateway or a login page may have answered in the service's place: check AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY if they are set, and the network

    error: could not list what lies below s3://sagemaker-eu-west-1-[ACCOUNT]/below/: the answer is a redirect without a location (HTTP status 307)
    hint: a proxy, a gateway or a login page may have answered in the service's place: check AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY if they are set, and the network
    "#);
    each(&CALLS, &answer, &[&HINTS[..], &["redirect", "HTTP status 307"]].concat())
}

/// A proxy's or a gateway's refusal, whose page has no code of the service's.
#[test]
fn an_error_page_is_told_by_its_status() -> TestResult {
    for status in [404, 407, 502] {
        let calls: Vec<Call> = CALLS.into_iter().filter(|(name, _)| status != 404 || *name != "HeadObject").collect();
        let number = format!("HTTP status {status}");
        let answer = json!({ "status": status, "body": PAGE, "headers": { "content-type": "text/html" } });
        each(&calls, &answer, &[&number, "hint: "])?;
    }
    let answer = json!({ "status": 407, "body": PAGE, "headers": { "content-type": "text/html" } });
    insta::assert_snapshot!(whole(&answer)?, @r#"
    error: could not describe job done: the answer can't be read as one of the service's (HTTP status 407, text/html)
    hint: a proxy, a gateway or a login page may have answered in the service's place: check AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY if they are set, and the network

    error: could not list what lies below s3://sagemaker-eu-west-1-[ACCOUNT]/below/: the answer can't be read as one of the service's (HTTP status 407, text/html)
    hint: a proxy, a gateway or a login page may have answered in the service's place: check AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY if they are set, and the network
    "#);
    Ok(())
}
