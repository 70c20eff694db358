//! Credentials of profiles: codes of MFA devices, and files that are missing.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::{CommandOutput, Sandbox, TestAccount, TestResult, Transcript};

/// Types a code into a terminal in which smtrain runs, and exits as it does.
const WITH_CODE: &str = "printf '123456\\n' | python3 -c 'import os, pty, sys; \
                         sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' smtrain describe done -o json";
/// Asks botocore for the credentials of the profile, with the AWS CLI's cache and a code that nobody has to type.
const BOTOCORE: &str = "
import os
import botocore.session
from botocore.credentials import JSONFileCache
session = botocore.session.Session(profile='m')
provider = session.get_component('credential_provider').get_provider('assume-role')
provider.cache = JSONFileCache(os.path.expanduser('~/.aws/cli/cache'))
provider._prompter = lambda question: '123456'
print(session.get_credentials().access_key)
";

/// A sandbox whose profile `m` has a role that takes a code, and `mm` one that takes the credentials of `m`.
fn with_device() -> TestResult<(Sandbox, TestAccount)> {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    tenant.jobs(&[json!({ "name": "done", "created": 1_732_334_455 })])?;
    fs::create_dir(sandbox.path("home/.aws"))?;
    let [(_, id), ..] = tenant.environment();
    let account = tenant.account();
    let config = format!(
        "[profile keys]\naws_access_key_id = {id}\naws_secret_access_key = secret\n\
         [profile m]\nrole_arn = arn:aws:iam::{account}:role/NeedsCode\nsource_profile = keys\n\
         mfa_serial = arn:aws:iam::{account}:mfa/me\n\
         [profile mm]\nrole_arn = arn:aws:iam::{account}:role/Other\nsource_profile = m\n"
    );
    fs::write(sandbox.path("home/.aws/config"), config)?;
    Ok((sandbox, tenant))
}

fn describe(sandbox: &Sandbox, profile: &str) -> TestResult<CommandOutput> {
    sandbox.smtrain(&["describe", "done", "--profile", profile]).run()
}

fn botocore(sandbox: &Sandbox) -> TestResult<CommandOutput> {
    sandbox.emulator_python(&["-c", BOTOCORE])?.env("AWS_DEFAULT_REGION", "eu-west-1").run()?.ok()
}

#[test]
fn a_code_is_asked_for_on_a_terminal_and_nowhere_else() -> TestResult {
    let (sandbox, tenant) = with_device()?;
    let said = describe(&sandbox, "m")?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r"
    exit code: 1
    --- stdout
    --- stderr
    error: could not describe job done: could not get AWS credentials: a code of the MFA device arn:aws:iam::[ACCOUNT]:mfa/me is needed, and there is no terminal to ask for it
    hint: run a command in a terminal first, such as smtrain history or aws sts get-caller-identity: the role's credentials are kept until they expire
    ");
    assert_eq!(tenant.count("AssumeRole")?, 0);
    let said = sandbox.sh(&format!("{WITH_CODE} --profile m")).run()?.ok()?;
    let question = format!("code of the MFA device arn:aws:iam::{}:mfa/me: ", tenant.account());
    assert!(said.stdout.contains(&question), "{said}");
    assert_eq!(tenant.count("AssumeRole")?, 1);
    // Kept, so that a script can go on; and for a role behind it.
    describe(&sandbox, "m")?.ok()?;
    assert_eq!(tenant.count("AssumeRole")?, 1);
    describe(&sandbox, "mm")?.ok()?;
    assert_eq!(tenant.count("AssumeRole")?, 2);
    let kept: Vec<_> = fs::read_dir(sandbox.path("home/.aws/cli/cache"))?.collect::<Result<_, _>>()?;
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].metadata()?.permissions().mode() & 0o777, 0o600);
    let said = botocore(&sandbox)?;
    let kept: Value = serde_json::from_slice(&fs::read(kept[0].path())?)?;
    assert_eq!(json!(said.line()), kept["Credentials"]["AccessKeyId"], "botocore takes what smtrain has kept");
    Ok(())
}

#[test]
fn what_the_aws_cli_has_kept_is_taken() -> TestResult {
    let (sandbox, tenant) = with_device()?;
    botocore(&sandbox)?;
    assert_eq!(tenant.count("AssumeRole")?, 1);
    describe(&sandbox, "m")?.ok()?;
    assert_eq!(tenant.count("AssumeRole")?, 1);
    Ok(())
}

#[test]
fn a_file_that_is_missing_is_named() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    fs::create_dir(sandbox.path("home/.aws"))?;
    let role = format!("role_arn = arn:aws:iam::{}:role/R\n", tenant.account());
    let login = "sso_account_id = 111122223333\nsso_role_name = Admin\n";
    let start = "sso_region = eu-west-1\nsso_start_url = https://login.example/start\n";
    let config = format!(
        "[profile session]\nsso_session = main\n{login}[sso-session main]\n{start}\
         [profile old]\n{login}{start}\
         [profile behind]\n{role}source_profile = session\n\
         [profile token]\n{role}web_identity_token_file = /nowhere/token\n\
         [profile odd]\nsso_session = our main\n{login}[sso-session \"our main\"]\n{start}"
    );
    fs::write(sandbox.path("home/.aws/config"), config)?;
    let mut all = Transcript::default();
    for profile in ["session", "old", "behind", "token", "odd"] {
        all.add(profile, &describe(&sandbox, profile)?.expect(1)?);
    }
    let command = sandbox.smtrain(&["describe", "done"]).env_remove("AWS_ACCESS_KEY_ID");
    let command = command.env_remove("AWS_SECRET_ACCESS_KEY").env("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token");
    let command = command.env("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/R");
    all.add("AWS_WEB_IDENTITY_TOKEN_FILE", &command.run()?.expect(1)?);
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r"
    ## session
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: there is no login to main: no file [SANDBOX]/home/.aws/sso/cache/b28b7af69320201d1cf206ebf28373980add1451.json
    hint: log in: aws sso login --profile session
    ## old
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: there is no login to https://login.example/start: no file [SANDBOX]/home/.aws/sso/cache/8fee3377e8dba90b93a06d5846d4efed36b41855.json
    hint: log in: aws sso login --profile old
    ## behind
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: there is no login to main: no file [SANDBOX]/home/.aws/sso/cache/b28b7af69320201d1cf206ebf28373980add1451.json
    hint: log in: aws sso login --profile session
    ## token
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: there is no file /nowhere/token
    hint: web_identity_token_file names it: [SANDBOX]/home/.aws/config, line 18, profile token
    ## odd
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: the name of the sso-session our main is not supported: [SANDBOX]/home/.aws/config, line 20, profile odd
    hint: name it with letters, digits and `-`, in [sso-session NAME] too
    ## AWS_WEB_IDENTITY_TOKEN_FILE
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: there is no file /nowhere/token
    hint: AWS_WEB_IDENTITY_TOKEN_FILE names it: set it to a file with a token, or unset it
    hint: no job on this computer has that name
    ");
    Ok(())
}
