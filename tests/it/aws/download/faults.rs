//! What goes wrong on the way, and with what is fetched while it is: the right bytes come, or a clear error.

use serde_json::{Value, json};

use super::{Bucket, MIB, Model, names_in, noise};
use crate::support::{CommandOutput, TestResult, Transcript};

/// The model comes whole, whatever happens to its calls on the way.
fn comes_whole(rule: &Value) -> TestResult {
    let model = Model::large()?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    bucket.tenant.rule(rule)?;
    bucket.download(&[&uri])?.ok()?;
    let met = bucket.tenant.calls()?.iter().filter(|call| call["fault"] == rule["fault"]).count();
    assert!(met >= 3, "the rule was met {met} times");
    bucket.assert_whole(model)
}

#[test]
fn bodies_that_end_early() -> TestResult {
    comes_whole(&json!({ "fault": "truncated_body", "operation": "GetObject", "probability": 0.4, "seed": 1 }))
}

#[test]
fn connections_that_are_reset_in_the_middle() -> TestResult {
    comes_whole(&json!({ "fault": "reset_middle", "operation": "GetObject", "probability": 0.4, "seed": 2 }))
}

#[test]
fn connections_that_are_reset_at_once() -> TestResult {
    comes_whole(&json!({ "fault": "reset_before", "service": "s3", "probability": 0.3, "seed": 3 }))
}

#[test]
fn requests_to_slow_down() -> TestResult {
    comes_whole(&json!({ "fault": "throttle", "service": "s3", "probability": 0.3, "seed": 4 }))
}

#[test]
fn internal_errors() -> TestResult {
    comes_whole(&json!({ "fault": "internal_error", "service": "s3", "probability": 0.3, "seed": 6 }))
}

/// The download fails with these words, and nothing stands under the model's name.
fn fails(bucket: &Bucket, args: &[&str], words: &[&str]) -> TestResult<CommandOutput> {
    let said = bucket.download(args)?.expect(1)?;
    assert_eq!(said.stdout, "");
    // How many bytes came depends on the moment.
    assert!(words.iter().all(|word| said.stderr.contains(word)), "{words:?}: {said}");
    assert!(!bucket.out("model").exists());
    Ok(said)
}

#[test]
fn a_body_that_is_always_cut_off_is_an_error() -> TestResult {
    let (bucket, uri) = Bucket::with(&Model::of_noise(2, MIB)?.archive)?;
    bucket.tenant.rule(&json!({ "fault": "truncated_body", "operation": "GetObject" }))?;
    let said = fails(&bucket, &[&uri], &[&uri, "broken off after", "end of file before message length reached"])?;
    // How many bytes came depends on the moment.
    assert!(said.stderr.contains("the fetched bytes are kept in out/.model.partial"), "{said}");
    bucket.tenant.clear_rules()?;
    bucket.download(&[&uri])?.ok()?;
    bucket.assert_whole(&Model::of_noise(2, MIB)?)
}

/// What broke it off is not lost where the service then answers with all of the object, as some do.
#[test]
fn a_cut_off_body_that_can_not_be_resumed_is_an_error() -> TestResult {
    let (bucket, uri) = Bucket::with(&noise(2, MIB))?;
    bucket.tenant.rule(&json!({ "fault": "truncated_body", "operation": "GetObject", "count": 1 }))?;
    bucket.tenant.rule(&json!({ "fault": "answer", "operation": "GetObject", "status": 200, "body": "all of it" }))?;
    let words = [&*uri, "broken off after", "end of file before message length reached", "it can't be resumed"];
    fails(&bucket, &[&uri], &words)?;
    Ok(())
}

#[test]
fn a_service_that_always_fails_is_an_error() -> TestResult {
    let (bucket, uri) = Bucket::with(&Model::large()?.archive)?;
    let mut transcript = Transcript::default();
    for fault in ["throttle", "internal_error"] {
        bucket.tenant.rule(&json!({ "fault": fault, "operation": "GetObject" }))?;
        let command = bucket.sandbox.smtrain(&["download", &uri, "-d", "out"]).env("AWS_MAX_ATTEMPTS", "2");
        let said = command.run()?.expect(1)?;
        transcript.add(fault, &said);
        assert!(names_in(&bucket.out(""))?.is_empty(), "nothing came, and something is left");
        bucket.tenant.clear_rules()?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## throttle
    exit code: 1
    --- stderr
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz: Please reduce your request rate. (SlowDown)
    hint: the account makes more calls than AWS allows for; try again in a minute
    ## internal_error
    exit code: 1
    --- stderr
    error: could not fetch s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz: We encountered an internal error. Please try again. (InternalError)
    "#);
    Ok(())
}

#[test]
fn credentials_that_expire_half_way() -> TestResult {
    let model = Model::large()?;
    let (bucket, uri) = Bucket::with(&model.archive)?;
    let bucket = Bucket { sandbox: bucket.sandbox.with_env("AWS_MAX_ATTEMPTS", "2"), ..bucket };
    bucket.tenant.rule(&json!({ "fault": "expired_token", "operation": "GetObject", "skip": 5 }))?;
    fails(&bucket, &[&uri], &[&uri, "expired", "aws sso login"])?;
    bucket.tenant.clear_rules()?;
    bucket.download(&[&uri])?.ok()?;
    bucket.assert_whole(model)
}

#[test]
fn another_object_half_way() -> TestResult {
    let (bucket, uri) = Bucket::with(&Model::large()?.archive)?;
    let other = Model::of_noise(3, 9 * MIB)?;
    bucket.put("other", &other.archive)?;
    let by = format!("{}/other", bucket.name);
    bucket.tenant.rule(&json!({ "fault": "replace", "operation": "GetObject", "by": by, "skip": 5, "count": 1 }))?;
    fails(&bucket, &[&uri], &[&uri, "was replaced or removed while it was fetched", "run the command again"])?;
    bucket.download(&[&uri])?.ok()?;
    bucket.assert_whole(&other)
}

/// Of a bucket that keeps old versions, the one comes that was begun with.
#[test]
fn another_version_half_way() -> TestResult {
    let (model, bucket) = (Model::large()?, Bucket::new()?);
    let name = format!("{}-versioned", bucket.name);
    bucket.tenant.make_odd_bucket(&name, "versioned")?;
    bucket.tenant.put_object(&name, "model.tar.gz", &model.archive)?;
    bucket.put("other", b"something else")?;
    let by = format!("{}/other", bucket.name);
    bucket.tenant.rule(&json!({ "fault": "replace", "operation": "GetObject", "by": by, "skip": 5, "count": 1 }))?;
    bucket.download(&[&format!("s3://{name}/model.tar.gz")])?.ok()?;
    bucket.assert_whole(model)
}

#[test]
fn an_object_deleted_half_way() -> TestResult {
    let (bucket, uri) = Bucket::with(&Model::large()?.archive)?;
    bucket.tenant.rule(&json!({ "fault": "delete", "operation": "GetObject", "skip": 5, "count": 1 }))?;
    fails(&bucket, &[&uri], &[&uri, "was replaced or removed while it was fetched"])?;
    fails(&bucket, &[&uri], &[&format!("there is nothing at {uri}")])?;
    Ok(())
}

#[test]
fn what_may_not_be_read() -> TestResult {
    let (bucket, uri) = Bucket::with(b"model")?;
    bucket.put("prefix/a", b"a")?;
    let prefix = bucket.uri("prefix/");
    for (operation, uri, permission) in [
        ("HeadObject", &uri, "s3:GetObject"),
        ("GetObject", &uri, "s3:GetObject"),
        ("ListObjectsV2", &prefix, "s3:ListBucket"),
        ("GetObject", &prefix, "s3:GetObject"),
    ] {
        bucket.tenant.rule(&json!({ "fault": "access_denied", "operation": operation }))?;
        let said = fails(&bucket, &[uri], &[permission, "hint: "])?;
        assert!(names_in(&bucket.out(""))?.is_empty(), "nothing came, and something is left: {operation} {said}");
        bucket.tenant.clear_rules()?;
    }
    Ok(())
}

#[test]
fn a_bucket_in_another_region() -> TestResult {
    let (bucket, model) = (Bucket::new()?, Model::of(&[("a", b"a")])?);
    let name = format!("{}-far", bucket.name);
    bucket.tenant.make_odd_bucket(&name, "region=us-west-2")?;
    bucket.tenant.put_object(&name, "model.tar.gz", &model.archive)?;
    bucket.tenant.put_object(&name, "prefix/a", b"a")?;
    let uri = format!("s3://{name}/model.tar.gz");
    let there = format!("the bucket {name} is in us-west-2, not in eu-west-1");
    fails(&bucket, &[&uri], &[&there, "--region us-west-2"])?;
    fails(&bucket, &[&format!("s3://{name}/prefix/")], &[&there, "--region us-west-2"])?;
    bucket.download(&[&uri, "--region", "us-west-2"])?.ok()?;
    bucket.assert_whole(&model)
}
