//! Hints for common errors, by the services' error codes.

use super::response::{Answer, Permission};

/// Error codes for expired credentials: `ExpiredToken` is S3's and STS's, `ExpiredTokenException` that of the JSON
/// services, `RequestExpired` that of EC2 and its kin.
pub(in crate::cloud::aws) const EXPIRED_CODES: [&str; 2] = ["ExpiredToken", "RequestExpired"];
/// Error codes for credentials that were never valid.
const INVALID_CREDENTIALS_CODES: [&str; 7] = [
    "InvalidClientTokenId",
    "UnrecognizedClient",
    "SignatureDoesNotMatch",
    "InvalidSignature",
    "InvalidAccessKeyId",
    "AuthFailure",
    "InvalidToken",
];
const THROTTLING_CODES: [&str; 6] =
    ["Throttling", "ThrottledException", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "RequestThrottled"];
const OTHER_REGION_CODES: [&str; 3] =
    ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint"];

/// Hint for a bucket in another region.
pub(super) const OTHER_REGION_HINT: &str =
    "the bucket is in another region: use one of the job's region, or the bucket's region with --region";
/// Hint for a response that another program sent.
pub(in crate::cloud::aws) const INTERPOSED: &str = "a proxy, a gateway or a login page may have answered in the \
     service's place: check AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY if they are set, and the network";

/// Returns whether the service rejected the credentials.
pub(super) fn is_about_credentials(answer: &Answer) -> bool {
    answer.is_one_of(&EXPIRED_CODES) || answer.is_one_of(&INVALID_CREDENTIALS_CODES)
}

/// Returns whether the service throttled the call.
pub(super) fn is_throttled(answer: &Answer) -> bool {
    answer.is_one_of(&THROTTLING_CODES)
}

pub(super) fn no_credentials_hints() -> Vec<String> {
    vec![
        "log in: aws sso login, or aws configure; or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            .to_owned(),
        "or run the job on this computer, without an account: --local".to_owned(),
    ]
}

/// Returns hints for an error response to a call that needs `permission`.
pub(super) fn hints(answer: &Answer, permission: Permission<'_>) -> Vec<String> {
    let one = |text: &str| vec![text.to_owned()];
    match answer {
        answer if answer.is_one_of(&EXPIRED_CODES) => one("the credentials have expired; log in again: aws sso login"),
        answer if answer.is_one_of(&INVALID_CREDENTIALS_CODES) => {
            one("AWS does not accept these credentials: see whose they are with `aws sts get-caller-identity`")
        }
        answer if answer.is_denied() => permission_hints(&answer.message, permission),
        answer if answer.code == "ResourceLimitExceeded" => quota_hints(&answer.message),
        answer if is_throttled(answer) => {
            one("the account makes more calls than AWS allows for; try again in a minute")
        }
        answer if answer.is_one_of(&OTHER_REGION_CODES) => one(OTHER_REGION_HINT),
        answer if answer.code == "NoSuchBucket" => one(
            "check the bucket's name; without output.s3_uri, a job uses the account's default bucket, created when missing",
        ),
        answer if answer.code.is_empty() && answer.message.is_empty() => one(no_reason_hint(answer.status)),
        answer => request_hints(&answer.message),
    }
}

/// Returns the hint for a response without code and message. S3 answers HEAD requests with a status alone, and with 400
/// for most reasons.
fn no_reason_hint(status: u16) -> &'static str {
    if status == 400 {
        "the credentials may have expired, or be of another region: see `aws sts get-caller-identity`"
    } else {
        INTERPOSED
    }
}

/// Returns the action that a denial names. IAM's messages name it, and the resource.
pub(super) fn denied_action(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("to perform: ")?;
    rest.split_whitespace().next().map(unquoted)
}

/// Returns the resource that a denial names: an ARN, `role NAME`, or `*`.
fn denied_resource(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("on resource: ")?;
    let ends = [" because ", " with an explicit deny", " (Service: "];
    let end = ends.iter().filter_map(|mark| rest.find(mark)).min().unwrap_or(rest.len());
    rest.get(..end).map(unquoted)
}

fn unquoted(text: &str) -> String {
    text.trim_end_matches(['.', ',']).trim_matches('"').to_owned()
}

fn permission_hints(message: &str, permission: Permission<'_>) -> Vec<String> {
    let action = denied_action(message);
    let mut hints = Vec::new();
    match action.as_deref() {
        Some("sagemaker:AddTags") => hints
            .push("tags are not permitted: set `provenance = false` in the settings, and leave [tags] out".to_owned()),
        Some("iam:PassRole") => {
            hints.push("the caller may not hand this role to SageMaker: ask for iam:PassRole on it".to_owned());
        }
        Some(action) => {
            let resource = denied_resource(message).map(|resource| format!(" on {resource}")).unwrap_or_default();
            hints.push(format!("ask for a policy that allows {action}{resource}"));
        }
        None => hints.extend(likely_permission_hints(permission)),
    }
    hints.push("see who is asking: aws sts get-caller-identity".to_owned());
    hints
}

/// Returns the hints for a denial that doesn't name the missing permission.
fn likely_permission_hints(permission: Permission<'_>) -> Vec<String> {
    let Permission { action, resource } = permission;
    let key = match action {
        "s3:PutObject" => Some("kms:GenerateDataKey"),
        "s3:GetObject" | "s3:GetObjectVersion" => Some("kms:Decrypt"),
        _ => None,
    };
    let ask =
        format!("ask for a policy that allows {action} on {resource}, or use a profile that has it: --profile NAME");
    let ask_for_key = key.map(|key| format!("where a KMS key encrypts the bucket, it takes {key} on that key too"));
    [Some(ask), ask_for_key].into_iter().flatten().collect()
}

/// Returns the hints for an exceeded quota. The message quotes its name:
/// `The account-level service limit 'ml.g5.xlarge for training job usage' is 0`.
fn quota_hints(message: &str) -> Vec<String> {
    let Some(quota) = message.split('\'').nth(1) else {
        return vec!["ask for more: https://console.aws.amazon.com/servicequotas (Amazon SageMaker)".to_owned()];
    };
    vec![
        format!(
            "see the quota: aws service-quotas list-service-quotas --service-code sagemaker \
             --query \"Quotas[?QuotaName=='{quota}']\""
        ),
        "raise it with its code: aws service-quotas request-service-quota-increase --service-code sagemaker \
         --quota-code CODE --desired-value N; or use another instance type"
            .to_owned(),
    ]
}

fn request_hints(message: &str) -> Vec<String> {
    let lower = message.to_lowercase();
    if lower.contains("ecr") || lower.contains("image") && lower.contains("pull") {
        return vec![
            "the account, or the job's role, can't pull the image: check its URI and region, and the repository's policy"
                .to_owned(),
        ];
    }
    if lower.contains("role") && (lower.contains("assume") || lower.contains("trust")) {
        return vec![
            "let SageMaker assume the role: its trust policy needs the principal sagemaker.amazonaws.com".to_owned(),
        ];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_and_resources_of_iam_s_messages() {
        let start = "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: ";
        for (rest, action, resource) in [
            (
                "s3:GetObject on resource: \"arn:aws:s3:::b/a b\" because no identity-based policy allows the s3:GetObject action",
                "s3:GetObject",
                "arn:aws:s3:::b/a b",
            ),
            (
                "iam:GetRole on resource: role Mine because no identity-based policy allows the iam:GetRole action",
                "iam:GetRole",
                "role Mine",
            ),
            ("iam:PassRole on resource: arn:aws:iam::1:role/r", "iam:PassRole", "arn:aws:iam::1:role/r"),
            ("s3:PutObject on resource: arn:x with an explicit deny in a policy", "s3:PutObject", "arn:x"),
        ] {
            let message = start.to_owned() + rest;
            assert_eq!(denied_action(&message).as_deref(), Some(action), "{rest}");
            assert_eq!(denied_resource(&message).as_deref(), Some(resource), "{rest}");
        }
        assert_eq!(denied_action("Access Denied"), None);
    }
}
