//! Checks texts against the API's patterns and lengths, which are counted in characters.
//!
//! An error is a predicate that follows the name of what is checked: "is empty", "has 300 characters, ...".
//! Source: botocore 1.44.5, `sagemaker/2017-07-24/service-2.json`; each function names the shape that it checks.

use crate::model::S3Uri;

/// Length limit of ARNs and of KMS key IDs.
const MAX_ARN_CHARS: usize = 2048;

pub(crate) fn at_most(text: &str, most: usize) -> ConstraintResult {
    let length = text.chars().count();
    if length > most {
        return Err(format!("has {length} characters, and at most {most} are allowed"));
    }
    Ok(())
}

pub(crate) fn between(text: &str, least: usize, most: usize) -> ConstraintResult {
    if text.chars().count() < least {
        return Err(if least == 1 { "is empty".to_owned() } else { format!("has fewer than {least} characters") });
    }
    at_most(text, most)
}

pub(crate) fn not_empty(text: &str) -> ConstraintResult {
    between(text, 1, usize::MAX)
}

fn only(text: &str, allowed: impl Fn(char) -> bool, words: &str) -> ConstraintResult {
    match text.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(format!("has the character {c:?}, and only {words} are allowed")),
        None => Ok(()),
    }
}

/// Checks a KmsKeyId.
pub(crate) fn kms_key_id(text: &str) -> ConstraintResult {
    at_most(text, MAX_ARN_CHARS)?;
    only(text, |c| c.is_ascii_alphanumeric() || ":/_-".contains(c), "letters, digits, `:`, `/`, `_` and `-`")
}

/// Checks an AlgorithmImage. The API's pattern accepts any text; whitespace is refused because no image has it.
pub(crate) fn image(text: &str) -> ConstraintResult {
    between(text, 1, 255)?;
    only(text, |c| !c.is_whitespace() && !c.is_control(), "characters without spaces")
}

/// Checks a ChannelName. The API's pattern accepts `.` and `..`; they are refused because a folder is named after the
/// channel.
pub(crate) fn channel_name(text: &str) -> ConstraintResult {
    between(text, 1, 64)?;
    if matches!(text, "." | "..") {
        return Err(format!("is `{text}`, and its data lies in a folder of that name"));
    }
    only(text, |c| c.is_ascii_alphanumeric() || ".-_".contains(c), "letters, digits, `.`, `-` and `_`")
}

/// Checks a TrainingEnvironmentKey.
pub(crate) fn environment_name(text: &str) -> ConstraintResult {
    between(text, 1, 512)?;
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("starts with a digit".to_owned());
    }
    only(text, |c| c.is_ascii_alphanumeric() || c == '_', "letters, digits and `_`")
}

/// Checks the characters of a TagKey or TagValue: letters, digits and spaces of any script, and some punctuation.
pub(crate) fn tag_text(text: &str) -> ConstraintResult {
    let allowed = |c: char| c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c);
    only(text, allowed, "letters, digits, spaces and `_.:/=+-@`")
}

/// Checks a SecurityGroupId or SubnetId.
pub(crate) fn network_id(text: &str) -> ConstraintResult {
    between(text, 1, 32)?;
    only(text, |c| c.is_ascii_alphanumeric() || c == '-', "letters, digits and `-`")
}

/// Checks an ExperimentEntityName.
pub(crate) fn experiment_name(text: &str) -> ConstraintResult {
    hyphenated(text, 120)
}

/// Checks a name of letters, digits and inner hyphens.
pub(crate) fn hyphenated(text: &str, most: usize) -> ConstraintResult {
    between(text, 1, most)?;
    only(text, |c| c.is_ascii_alphanumeric() || c == '-', "letters, digits and `-`")?;
    if text.starts_with('-') || text.ends_with('-') {
        return Err("starts or ends with a hyphen".to_owned());
    }
    Ok(())
}

/// Checks a DirectoryPath in a container. The API accepts any text; a container can use absolute paths only.
pub(crate) fn container_path(text: &str) -> ConstraintResult {
    at_most(text, 4096)?;
    if text.starts_with('/') {
        Ok(())
    } else {
        Err("is not an absolute path in the container, such as /opt/ml/x".to_owned())
    }
}

/// Checks a FileSystemId.
pub(crate) fn file_system_id(text: &str) -> ConstraintResult {
    let digits = text.strip_prefix("fs-").unwrap_or("");
    let is_hex = digits.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    if is_hex && digits.len() >= 8 && text.len() <= 21 {
        return Ok(());
    }
    Err("is not the id of a file system, such as fs-0123456789abcdef0".to_owned())
}

/// Checks a RoleArn, or the name of an IAM role.
pub(crate) fn role(text: &str) -> ConstraintResult {
    let is_word = |text: &str, also: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c));
    if text.starts_with("arn:") {
        let name = arn(text, "iam", 20).ok().and_then(|resource| resource.strip_prefix("role/"));
        let is_role = name.is_some_and(|name| !name.is_empty() && is_word(name, "_+=,.@-/"));
        return if is_role { Ok(()) } else { Err("is not a role's ARN: arn:aws:iam::ACCOUNT:role/NAME".to_owned()) };
    }
    between(text, 1, 64)?;
    only(text, |c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c), "letters, digits and `_+=,.@-`, or an ARN,")
}

/// Checks the form of a region: lower-case words and a number at the end, such as `us-gov-west-1`.
pub(crate) fn region(text: &str) -> ConstraintResult {
    let mut parts = text.rsplit('-');
    let number = parts.next().unwrap_or("");
    let words: Vec<&str> = parts.collect();
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    let are_words = words.len() >= 2
        && words
            .iter()
            .all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
    if is_number && are_words { Ok(()) } else { Err("is not a region, such as eu-west-1".to_owned()) }
}

/// Checks a TrainingPlanArn.
pub(crate) fn training_plan_arn(text: &str) -> ConstraintResult {
    arn_of(text, "sagemaker", 50, &["training-plan/"], "a training plan")
}

/// Checks a TrainingRepositoryCredentialsProviderArn.
pub(crate) fn credentials_provider_arn(text: &str) -> ConstraintResult {
    arn_of(text, "lambda", 1, &["function:"], "a Lambda function")
}

/// Checks an MlFlowResourceArn.
pub(crate) fn mlflow_arn(text: &str) -> ConstraintResult {
    arn_of(text, "sagemaker", 1, &["mlflow-"], "an MLflow resource")
}

/// Checks an ArnOrName that is an ARN.
pub(crate) fn algorithm_arn(text: &str) -> ConstraintResult {
    at_most(text, 170)?;
    let name = arn(text, "sagemaker", 1)?.rsplit_once('/').map_or("", |(_, name)| name);
    hyphenated(name, 63).map_err(|why| format!("is not an algorithm's ARN: its name {why}"))
}

/// Checks a ServerlessJobBaseModelArn.
pub(crate) fn base_model_arn(text: &str) -> ConstraintResult {
    hub_content(text, "Model", "a model")
}

/// Checks a HubDataSetArn.
pub(crate) fn dataset_arn(text: &str) -> ConstraintResult {
    hub_content(text, "DataSet", "a dataset")
}

/// Checks an ARN of hub content, `hub-content/HUB/KIND/NAME` with an optional version, in an account or in SageMaker's
/// hub.
fn hub_content(text: &str, kind: &str, what: &str) -> ConstraintResult {
    between(text, 1, MAX_ARN_CHARS)?;
    let wrong = || format!("is not the ARN of {what}: arn:aws:sagemaker:REGION:ACCOUNT:hub-content/HUB/{kind}/NAME");
    let (head, content) = text.split_once(":hub-content/").ok_or_else(wrong)?;
    let head: Vec<&str> = head.split(':').collect();
    let ["arn", _, "sagemaker", _, account] = head.as_slice() else { return Err(wrong()) };
    let is_account = *account == "aws" || (account.len() == 12 && account.chars().all(|c| c.is_ascii_digit()));
    let content: Vec<&str> = content.split('/').collect();
    let ([hub, of, name] | [hub, of, name, _]) = content.as_slice() else { return Err(wrong()) };
    let are_names = hyphenated(hub, 63).is_ok() && hyphenated(name, 64).is_ok();
    if is_account && are_names && *of == kind { Ok(()) } else { Err(wrong()) }
}

/// Checks a SequenceLength.
pub(crate) fn sequence_length(text: &str) -> ConstraintResult {
    let number = text.strip_suffix('K').filter(|number| number.chars().all(|c| c.is_ascii_digit()));
    match number.and_then(|number| number.parse::<u32>().ok()) {
        Some(1..=1024) => Ok(()),
        _ => Err("is not a length from 1K to 1024K, such as 32K".to_owned()),
    }
}

/// Checks a ModelPackageGroupArn.
pub(crate) fn model_package_group_arn(text: &str) -> ConstraintResult {
    arn_of(text, "sagemaker", 1, &["model-package-group/"], "a model package group")
}

/// Checks a ModelPackageArn.
pub(crate) fn model_package_arn(text: &str) -> ConstraintResult {
    arn_of(text, "sagemaker", 1, &["model-package/"], "a model package")
}

fn arn_of(text: &str, service: &str, least: usize, kinds: &[&str], what: &str) -> ConstraintResult {
    let resource = arn(text, service, least)?;
    if kinds.iter().any(|kind| resource.starts_with(kind)) { Ok(()) } else { Err(format!("is not the ARN of {what}")) }
}

/// Returns the resource of `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
fn arn<'t>(text: &'t str, service: &str, least: usize) -> Result<&'t str, String> {
    let wrong = || format!("is not an ARN of {service}: arn:aws:{service}:REGION:ACCOUNT:...");
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, of, region, account, resource] = *parts.as_slice() else { return Err(wrong()) };
    let is_lower = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let is_account = account.len() == 12 && account.chars().all(|c| c.is_ascii_digit());
    let is_valid =
        arn == "arn" && partition.starts_with("aws") && is_lower(partition) && of == service && is_lower(region);
    if !is_valid || !is_account || resource.is_empty() {
        return Err(wrong());
    }
    between(text, least, MAX_ARN_CHARS).map(|()| resource)
}

/// Checks an entry point as the sagemaker-training toolkit does: path segments of `[A-Za-z0-9._+-]`, none `.` or `..`.
pub(crate) fn entry_point(text: &str) -> ConstraintResult {
    between(text, 1, 1024)?;
    only(text, |c| c.is_ascii_alphanumeric() || "._+-/".contains(c), "letters, digits and `._+-/`")?;
    if text.starts_with('/') {
        return Err("is an absolute path, and should be one inside `dir`".to_owned());
    }
    if text.starts_with(['+', '-']) {
        return Err("starts with a sign".to_owned());
    }
    if text.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err("has an empty, `.` or `..` part, which the training toolkit refuses".to_owned());
    }
    let ends_well = |ending| text.len() > 3 && text.ends_with(ending);
    if ends_well(".py") || ends_well(".sh") { Ok(()) } else { Err("is neither a .py nor a .sh file".to_owned()) }
}

/// Returns a hint at the URI that is meant if a URI's key has an empty part. A job that reads such a key fails with "has
/// an illegal char sub-sequence '//' in it".
pub(crate) fn empty_parts(uri: &S3Uri) -> Option<String> {
    let key = uri.key();
    if !key.starts_with('/') && !key.contains("//") {
        return None;
    }
    let parts: Vec<&str> = key.split('/').filter(|part| !part.is_empty()).collect();
    let end = if key.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    Some(format!("did you mean s3://{}/{}{end}?", uri.bucket(), parts.join("/")))
}

/// The result of a check. An error is a predicate, which follows the name of what is checked.
pub(crate) type ConstraintResult = Result<(), String>;

#[cfg(test)]
mod tests {
    use super::*;

    /// A check, texts that pass it, and texts that don't.
    type Case = (fn(&str) -> ConstraintResult, &'static [&'static str], &'static [&'static str]);

    #[test]
    fn what_the_api_takes_passes_and_the_rest_does_not() {
        const PLAN: &str = "arn:aws:sagemaker:eu-west-1:111122223333:training-plan/mine";
        let table: [Case; 10] = [
            (channel_name, &["train", "a.b", "..."], &[".", "..", "", "a/b"]),
            (role, &["MyRole", "arn:aws:iam::111122223333:role/service-role/R"], &["a b", "arn:aws:iam::1:role/R", ""]),
            (
                region,
                &["eu-west-1", "us-gov-west-1", "us-isob-east-1"],
                &["Ireland", "eu-west-1a", "eu-west", "west-1"],
            ),
            (training_plan_arn, &[PLAN], &["plan", "arn:aws:iam::111122223333:role/x"]),
            (file_system_id, &["fs-01234567"], &["fs-0123", "fs-0123456g", "0123"]),
            (environment_name, &["WANDB_MODE", "_x1"], &["1X", "A-B", ""]),
            (
                entry_point,
                &["train.py", "a/b.sh", ".x/t.py"],
                &["/t.py", "../t.py", "t", "a b.py", "-t.py", ".py", "a//t.py"],
            ),
            (experiment_name, &["a-b"], &["-a", "a_b"]),
            (tag_text, &["Größe 1", "a:b/c"], &["a#b", "a\tb"]),
            (algorithm_arn, &["arn:aws:sagemaker:eu-west-1:111122223333:algorithm/mine"], &["mine"]),
        ];
        for (check, good, bad) in table {
            for text in good {
                assert_eq!(check(text), Ok(()), "{text}");
            }
            for text in bad {
                assert!(check(text).is_err(), "{text}");
            }
        }
    }
}
