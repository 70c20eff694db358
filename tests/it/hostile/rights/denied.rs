//! Denied calls that nothing can replace: each error names the action and the resource.

use super::{JOB, deny_as, furnished, numbers};
use crate::support::{CommandOutput, TestResult, Transcript};

/// An operation, and a command that calls it.
type Call = (&'static str, &'static [&'static str]);

const SUBMIT: &[&str] = &["submit", "SPEC"];
const BIG: &[&str] = &["submit", "SPEC", "--set", "channels.train=big"];
const DOWNLOAD: &[&str] = &["download", "--force", "OBJECT"];

/// Every operation that smtrain calls and can't do without. (PutPublicAccessBlock, Search and FilterLogEvents have others
/// in their place.)
const CALLS: [Call; 18] = [
    ("CreateTrainingJob", SUBMIT),
    ("DescribeTrainingJob", &["describe", JOB]),
    ("ListTrainingJobs", &["history"]),
    ("StopTrainingJob", &["stop", "running"]),
    ("DescribeLogStreams", &["logs", JOB]),
    ("GetLogEvents", &["logs", JOB]),
    ("GetCallerIdentity", SUBMIT),
    ("GetRole", &["submit", "SPEC", "--role", "SageMakerRole"]),
    ("HeadBucket", SUBMIT),
    ("CreateBucket", SUBMIT),
    ("HeadObject", SUBMIT),
    ("PutObject", SUBMIT),
    ("CreateMultipartUpload", BIG),
    ("UploadPart", BIG),
    ("CompleteMultipartUpload", BIG),
    ("ListObjectsV2", &["download", "--list", "PREFIX"]),
    ("HeadObject", DOWNLOAD),
    ("GetObject", DOWNLOAD),
];

/// Runs the command, whose call is denied with this message.
fn denied((operation, command): Call, message: &str) -> TestResult<CommandOutput> {
    let (sandbox, tenant, project) = furnished()?;
    deny_as(&tenant, operation, message)?;
    let prefix = format!("s3://{}/below/", numbers(&tenant));
    let arguments = command.iter().map(|word| match *word {
        "SPEC" => project.spec(),
        "PREFIX" => prefix.clone(),
        "OBJECT" => format!("{prefix}a"),
        word => word.to_owned(),
    });
    sandbox.smtrain(&[]).args(arguments).run()?.expect(1)
}

fn each_denied(message: &str) -> TestResult<String> {
    let mut transcript = Transcript::default();
    for call in CALLS {
        let (operation, command) = call;
        transcript.add(format_args!("{operation}: {}", command.join(" ")), &denied(call, message)?);
    }
    transcript.text()
}

#[test]
fn every_denied_call_names_its_action_and_resource() -> TestResult {
    insta::assert_snapshot!(each_denied("")?, @r#"
    ## CreateTrainingJob: submit SPEC
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    code: 3 files, [SIZE] packed, sha256 [SHA256]
    error: could not create the job: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sagemaker:CreateTrainingJob on resource: arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/proj-[STAMP] because no identity-based policy allows the sagemaker:CreateTrainingJob action (AccessDeniedException)
    hint: ask for a policy that allows sagemaker:CreateTrainingJob on arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/proj-[STAMP]
    hint: see who is asking: aws sts get-caller-identity
    ## DescribeTrainingJob: describe job
    exit code: 1
    --- stderr
    error: could not describe job job: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sagemaker:DescribeTrainingJob on resource: arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/job because no identity-based policy allows the sagemaker:DescribeTrainingJob action (AccessDeniedException)
    hint: ask for a policy that allows sagemaker:DescribeTrainingJob on arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/job
    hint: see who is asking: aws sts get-caller-identity
    ## ListTrainingJobs: history
    exit code: 1
    --- stderr
    error: could not list the jobs: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sagemaker:ListTrainingJobs on resource: arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/* because no identity-based policy allows the sagemaker:ListTrainingJobs action (AccessDeniedException)
    hint: ask for a policy that allows sagemaker:ListTrainingJobs on arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/*
    hint: see who is asking: aws sts get-caller-identity
    ## StopTrainingJob: stop running
    exit code: 1
    --- stderr
    error: could not stop job running: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sagemaker:StopTrainingJob on resource: arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/running because no identity-based policy allows the sagemaker:StopTrainingJob action (AccessDeniedException)
    hint: ask for a policy that allows sagemaker:StopTrainingJob on arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/running
    hint: see who is asking: aws sts get-caller-identity
    ## DescribeLogStreams: logs job
    exit code: 1
    --- stderr
    error: could not list the log streams of job: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: logs:DescribeLogStreams on resource: arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:job/ because no identity-based policy allows the logs:DescribeLogStreams action (AccessDeniedException)
    hint: ask for a policy that allows logs:DescribeLogStreams on arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:job/
    hint: see who is asking: aws sts get-caller-identity
    ## GetLogEvents: logs job
    exit code: 1
    --- stderr
    error: could not read the log stream job/algo-1-[EPOCH]: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: logs:GetLogEvents on resource: arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:job/algo-1-[EPOCH] because no identity-based policy allows the logs:GetLogEvents action (AccessDeniedException)
    hint: ask for a policy that allows logs:GetLogEvents on arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:job/algo-1-[EPOCH]
    hint: see who is asking: aws sts get-caller-identity
    ## GetCallerIdentity: submit SPEC
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not find out whose credentials these are: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sts:GetCallerIdentity on resource: * because no identity-based policy allows the sts:GetCallerIdentity action (AccessDenied)
    hint: ask for a policy that allows sts:GetCallerIdentity on *
    hint: see who is asking: aws sts get-caller-identity
    ## GetRole: submit SPEC --role SageMakerRole
    exit code: 1
    --- stderr
    role: SageMakerRole (from --role)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not look up the role SageMakerRole: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: iam:GetRole on resource: role SageMakerRole because no identity-based policy allows the iam:GetRole action (AccessDenied)
    hint: give the role's ARN: it needs no look-up
    hint: ask for a policy that allows iam:GetRole on role SageMakerRole
    hint: see who is asking: aws sts get-caller-identity
    ## HeadBucket: submit SPEC
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: the bucket sagemaker-eu-west-1-[ACCOUNT] can't be used: it belongs to another account than [ACCOUNT], or s3:ListBucket on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT] is not permitted
    hint: set output.s3_uri to a bucket that you may use; or ask for s3:ListBucket on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT], and s3:GetObject and s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/*, for the identity that `aws sts get-caller-identity` shows
    ## CreateBucket: submit SPEC
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not create the bucket sagemaker-eu-west-1-[ACCOUNT]: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:CreateBucket on resource: "arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]" because no identity-based policy allows the s3:CreateBucket action (AccessDenied)
    hint: ask for a policy that allows s3:CreateBucket on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]
    hint: see who is asking: aws sts get-caller-identity
    ## HeadObject: submit SPEC
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not look up s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz: access denied: it takes s3:GetObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz
    hint: ask for a policy that allows s3:GetObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:Decrypt on that key too
    hint: see who is asking: aws sts get-caller-identity
    hint: or nothing is at s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz: without s3:ListBucket on the bucket, S3 doesn't say so
    ## PutObject: submit SPEC
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not store s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz" because no identity-based policy allows the s3:PutObject action (AccessDenied)
    hint: ask for a policy that allows s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz
    hint: see who is asking: aws sts get-caller-identity
    ## CreateMultipartUpload: submit SPEC --set channels.train=big
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not store s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data" because no identity-based policy allows the s3:PutObject action (AccessDenied)
    hint: ask for a policy that allows s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data
    hint: see who is asking: aws sts get-caller-identity
    ## UploadPart: submit SPEC --set channels.train=big
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not store part 1 of s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data" because no identity-based policy allows the s3:PutObject action (AccessDenied)
    hint: ask for a policy that allows s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data
    hint: see who is asking: aws sts get-caller-identity
    ## CompleteMultipartUpload: submit SPEC --set channels.train=big
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not store s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data" because no identity-based policy allows the s3:PutObject action (AccessDenied)
    hint: ask for a policy that allows s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data
    hint: see who is asking: aws sts get-caller-identity
    ## ListObjectsV2: download --list PREFIX
    exit code: 1
    --- stderr
    error: could not list what lies below s3://numbers-[ACCOUNT]/below/: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::numbers-[ACCOUNT]" because no identity-based policy allows the s3:ListBucket action (AccessDenied)
    hint: ask for a policy that allows s3:ListBucket on arn:aws:s3:::numbers-[ACCOUNT]
    hint: see who is asking: aws sts get-caller-identity
    ## HeadObject: download --force OBJECT
    exit code: 1
    --- stderr
    error: could not look up s3://numbers-[ACCOUNT]/below/a: access denied: it takes s3:GetObject on arn:aws:s3:::numbers-[ACCOUNT]/below/a
    hint: ask for a policy that allows s3:GetObject on arn:aws:s3:::numbers-[ACCOUNT]/below/a, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:Decrypt on that key too
    hint: see who is asking: aws sts get-caller-identity
    hint: or nothing is at s3://numbers-[ACCOUNT]/below/a: without s3:ListBucket on the bucket, S3 doesn't say so
    ## GetObject: download --force OBJECT
    exit code: 1
    --- stderr
    error: could not fetch s3://numbers-[ACCOUNT]/below/a: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::numbers-[ACCOUNT]/below/a" because no identity-based policy allows the s3:GetObject action (AccessDenied)
    hint: ask for a policy that allows s3:GetObject on arn:aws:s3:::numbers-[ACCOUNT]/below/a
    hint: see who is asking: aws sts get-caller-identity
    "#);
    Ok(())
}

/// As S3 answers callers of other accounts.
#[test]
fn every_denied_call_names_its_action_and_resource_where_the_service_does_not() -> TestResult {
    insta::assert_snapshot!(each_denied("Access Denied")?, @r#"
    ## CreateTrainingJob: submit SPEC
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    code: 3 files, [SIZE] packed, sha256 [SHA256]
    error: could not create the job: Access Denied (AccessDeniedException): it takes sagemaker:CreateTrainingJob on arn:aws:sagemaker:eu-west-1:*:training-job/proj-[STAMP]
    hint: ask for a policy that allows sagemaker:CreateTrainingJob on arn:aws:sagemaker:eu-west-1:*:training-job/proj-[STAMP], or use a profile that has it: --profile NAME
    hint: see who is asking: aws sts get-caller-identity
    ## DescribeTrainingJob: describe job
    exit code: 1
    --- stderr
    error: could not describe job job: Access Denied (AccessDeniedException): it takes sagemaker:DescribeTrainingJob on arn:aws:sagemaker:eu-west-1:*:training-job/job
    hint: ask for a policy that allows sagemaker:DescribeTrainingJob on arn:aws:sagemaker:eu-west-1:*:training-job/job, or use a profile that has it: --profile NAME
    hint: see who is asking: aws sts get-caller-identity
    ## ListTrainingJobs: history
    exit code: 1
    --- stderr
    error: could not list the jobs: Access Denied (AccessDeniedException): it takes sagemaker:ListTrainingJobs on *
    hint: ask for a policy that allows sagemaker:ListTrainingJobs on *, or use a profile that has it: --profile NAME
    hint: see who is asking: aws sts get-caller-identity
    ## StopTrainingJob: stop running
    exit code: 1
    --- stderr
    error: could not stop job running: Access Denied (AccessDeniedException): it takes sagemaker:StopTrainingJob on arn:aws:sagemaker:eu-west-1:*:training-job/running
    hint: ask for a policy that allows sagemaker:StopTrainingJob on arn:aws:sagemaker:eu-west-1:*:training-job/running, or use a profile that has it: --profile NAME
    hint: see who is asking: aws sts get-caller-identity
    ## DescribeLogStreams: logs job
    exit code: 1
    --- stderr
    error: could not list the log streams of job: Access Denied (AccessDeniedException): it takes logs:DescribeLogStreams on arn:aws:logs:eu-west-1:*:log-group:/aws/sagemaker/TrainingJobs:*
    hint: ask for a policy that allows logs:DescribeLogStreams on arn:aws:logs:eu-west-1:*:log-group:/aws/sagemaker/TrainingJobs:*, or use a profile that has it: --profile NAME
    hint: see who is asking: aws sts get-caller-identity
    ## GetLogEvents: logs job
    exit code: 1
    --- stderr
    error: could not read the log stream job/algo-1-[EPOCH]: Access Denied (AccessDeniedException): it takes logs:GetLogEvents on arn:aws:logs:eu-west-1:*:log-group:/aws/sagemaker/TrainingJobs:log-stream:job/algo-1-[EPOCH]
    hint: ask for a policy that allows logs:GetLogEvents on arn:aws:logs:eu-west-1:*:log-group:/aws/sagemaker/TrainingJobs:log-stream:job/algo-1-[EPOCH], or use a profile that has it: --profile NAME
    hint: see who is asking: aws sts get-caller-identity
    ## GetCallerIdentity: submit SPEC
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not find out whose credentials these are: Access Denied (AccessDenied): it takes sts:GetCallerIdentity on *
    hint: ask for a policy that allows sts:GetCallerIdentity on *, or use a profile that has it: --profile NAME
    hint: see who is asking: aws sts get-caller-identity
    ## GetRole: submit SPEC --role SageMakerRole
    exit code: 1
    --- stderr
    role: SageMakerRole (from --role)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not look up the role SageMakerRole: Access Denied (AccessDenied): it takes iam:GetRole on arn:aws:iam::*:role/SageMakerRole
    hint: give the role's ARN: it needs no look-up
    hint: ask for a policy that allows iam:GetRole on arn:aws:iam::*:role/SageMakerRole, or use a profile that has it: --profile NAME
    hint: see who is asking: aws sts get-caller-identity
    ## HeadBucket: submit SPEC
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: the bucket sagemaker-eu-west-1-[ACCOUNT] can't be used: it belongs to another account than [ACCOUNT], or s3:ListBucket on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT] is not permitted
    hint: set output.s3_uri to a bucket that you may use; or ask for s3:ListBucket on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT], and s3:GetObject and s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/*, for the identity that `aws sts get-caller-identity` shows
    ## CreateBucket: submit SPEC
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not create the bucket sagemaker-eu-west-1-[ACCOUNT]: Access Denied (AccessDenied): it takes s3:CreateBucket on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]
    hint: ask for a policy that allows s3:CreateBucket on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT], or use a profile that has it: --profile NAME
    hint: see who is asking: aws sts get-caller-identity
    ## HeadObject: submit SPEC
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not look up s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz: access denied: it takes s3:GetObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz
    hint: ask for a policy that allows s3:GetObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:Decrypt on that key too
    hint: see who is asking: aws sts get-caller-identity
    hint: or nothing is at s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz: without s3:ListBucket on the bucket, S3 doesn't say so
    ## PutObject: submit SPEC
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not store s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz: Access Denied (AccessDenied): it takes s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz
    hint: ask for a policy that allows s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:GenerateDataKey on that key too
    hint: see who is asking: aws sts get-caller-identity
    ## CreateMultipartUpload: submit SPEC --set channels.train=big
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not store s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data: Access Denied (AccessDenied): it takes s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data
    hint: ask for a policy that allows s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:GenerateDataKey on that key too
    hint: see who is asking: aws sts get-caller-identity
    ## UploadPart: submit SPEC --set channels.train=big
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not store part 1 of s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data: Access Denied (AccessDenied): it takes s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data
    hint: ask for a policy that allows s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:GenerateDataKey on that key too
    hint: see who is asking: aws sts get-caller-identity
    ## CompleteMultipartUpload: submit SPEC --set channels.train=big
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not store s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data: Access Denied (AccessDenied): it takes s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data
    hint: ask for a policy that allows s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:GenerateDataKey on that key too
    hint: see who is asking: aws sts get-caller-identity
    ## ListObjectsV2: download --list PREFIX
    exit code: 1
    --- stderr
    error: could not list what lies below s3://numbers-[ACCOUNT]/below/: Access Denied (AccessDenied): it takes s3:ListBucket on arn:aws:s3:::numbers-[ACCOUNT]
    hint: ask for a policy that allows s3:ListBucket on arn:aws:s3:::numbers-[ACCOUNT], or use a profile that has it: --profile NAME
    hint: see who is asking: aws sts get-caller-identity
    ## HeadObject: download --force OBJECT
    exit code: 1
    --- stderr
    error: could not look up s3://numbers-[ACCOUNT]/below/a: access denied: it takes s3:GetObject on arn:aws:s3:::numbers-[ACCOUNT]/below/a
    hint: ask for a policy that allows s3:GetObject on arn:aws:s3:::numbers-[ACCOUNT]/below/a, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:Decrypt on that key too
    hint: see who is asking: aws sts get-caller-identity
    hint: or nothing is at s3://numbers-[ACCOUNT]/below/a: without s3:ListBucket on the bucket, S3 doesn't say so
    ## GetObject: download --force OBJECT
    exit code: 1
    --- stderr
    error: could not fetch s3://numbers-[ACCOUNT]/below/a: Access Denied (AccessDenied): it takes s3:GetObject on arn:aws:s3:::numbers-[ACCOUNT]/below/a
    hint: ask for a policy that allows s3:GetObject on arn:aws:s3:::numbers-[ACCOUNT]/below/a, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:Decrypt on that key too
    hint: see who is asking: aws sts get-caller-identity
    "#);
    Ok(())
}

#[test]
fn a_key_that_may_not_be_used_is_named() -> TestResult {
    let key = "arn:aws:kms:eu-west-1:111122223333:key/0000";
    let message = format!(
        "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: kms:GenerateDataKey on resource: {key} \
         because no identity-based policy allows the kms:GenerateDataKey action"
    );
    let mut transcript = Transcript::default();
    transcript.add("a key", &denied(("PutObject", SUBMIT), &message)?);
    // Where nothing is told, the key may be what is missing.
    transcript.add("PutObject", &denied(("PutObject", SUBMIT), "Access Denied")?);
    transcript.add("GetObject", &denied(("GetObject", DOWNLOAD), "Access Denied")?);
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## a key
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not store s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz: User: arn:aws:iam::111122223333:user/ann is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:111122223333:key/0000 because no identity-based policy allows the kms:GenerateDataKey action (AccessDenied)
    hint: ask for a policy that allows kms:GenerateDataKey on arn:aws:kms:eu-west-1:111122223333:key/0000
    hint: see who is asking: aws sts get-caller-identity
    ## PutObject
    exit code: 1
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not store s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz: Access Denied (AccessDenied): it takes s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz
    hint: ask for a policy that allows s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:GenerateDataKey on that key too
    hint: see who is asking: aws sts get-caller-identity
    ## GetObject
    exit code: 1
    --- stderr
    error: could not fetch s3://numbers-[ACCOUNT]/below/a: Access Denied (AccessDenied): it takes s3:GetObject on arn:aws:s3:::numbers-[ACCOUNT]/below/a
    hint: ask for a policy that allows s3:GetObject on arn:aws:s3:::numbers-[ACCOUNT]/below/a, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:Decrypt on that key too
    hint: see who is asking: aws sts get-caller-identity
    "#);
    Ok(())
}
