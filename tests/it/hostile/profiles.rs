//! Files of AWS's own tools: what isn't a file of a reasonable size is refused before the SDK reads it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use nix::sys::stat::Mode;
use nix::unistd::{geteuid, mkfifo};
use serde_json::json;

use crate::support::{CommandOutput, Sandbox, TestAccount, TestResult, Transcript};

/// In the home folder.
const FILES: [&str; 2] = ["config", "credentials"];
/// What names other ones.
const VARIABLES: [&str; 2] = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];
/// Tokens that credentials are had for, and the variables that they take beside.
const TOKENS: [(&str, &str, &str); 2] = [
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/R"),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/creds"),
];
const GIB: u64 = 1024 * 1024 * 1024;

/// What stands in a file's place.
const PLACED: [&str; 7] = ["fifo", "folder", "device", "large", "binary", "loop", "unreadable"];
/// Those of them that no program reads: no files, or too large.
const NOT_READ: [&str; 4] = ["fifo", "folder", "device", "large"];

/// Puts something in a file's place; false where that can't be done here.
fn place(what: &str, path: &Path) -> TestResult<bool> {
    match what {
        "fifo" => mkfifo(path, Mode::S_IRWXU)?,
        "folder" => fs::create_dir(path)?,
        "loop" => symlink(path, path)?,
        "device" => symlink("/dev/zero", path)?,
        "large" => File::create(path)?.set_len(3 * GIB)?,
        "binary" => fs::write(path, b"[default]\nregion = \xff\xfe\n")?,
        _ => {
            fs::write(path, "[default]\n")?;
            fs::set_permissions(path, Permissions::from_mode(0o000))?;
        }
    }
    // Nothing is unreadable to root.
    Ok(what != "unreadable" || !geteuid().is_root())
}

fn remove(path: &Path) -> TestResult {
    if path.is_dir() {
        return Ok(fs::remove_dir(path)?);
    }
    fs::remove_file(path)?;
    Ok(())
}

fn on_aws() -> TestResult<(Sandbox, TestAccount)> {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    fs::create_dir(sandbox.path("home/.aws"))?;
    tenant.jobs(&[json!({ "name": "done", "created": 1_732_334_455 })])?;
    Ok((sandbox, tenant))
}

/// Adds what was said to the transcript, but for what root has no round of.
fn add(transcript: &mut Transcript, what: &str, title: &str, said: &CommandOutput) {
    if what == "unreadable" {
        assert!(said.stderr.contains("can't be read: Permission denied"), "{said}");
    } else {
        transcript.add(format_args!("{what}: {title}"), said);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn what_is_not_a_profile_file_is_refused() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    let project = sandbox.project("proj", "")?;
    let mut transcript = Transcript::default();
    for what in PLACED {
        for name in FILES {
            let path = sandbox.path("home/.aws").join(name);
            if place(what, &path)? {
                for arguments in [&["history"][..], &["describe", "done"], &["submit", "--dry-run", &project.spec()]] {
                    let said = sandbox.smtrain(arguments).run()?.expect(1)?;
                    add(&mut transcript, what, &format!("{name}: {}", arguments[0]), &said);
                }
                // What is of this computer needs no account.
                sandbox.smtrain(&["history", "--local"]).run()?.ok()?;
            }
            remove(&path)?;
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## fifo: config: history
    ## fifo: config: describe
    ## fifo: config: submit
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config is a pipe, not a file
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## fifo: credentials: history
    ## fifo: credentials: describe
    ## fifo: credentials: submit
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/credentials is a pipe, not a file
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## folder: config: history
    ## folder: config: describe
    ## folder: config: submit
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config is a folder, not a file
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## folder: credentials: history
    ## folder: credentials: describe
    ## folder: credentials: submit
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/credentials is a folder, not a file
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## device: config: history
    ## device: config: describe
    ## device: config: submit
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config is a device, not a file
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## device: credentials: history
    ## device: credentials: describe
    ## device: credentials: submit
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/credentials is a device, not a file
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## large: config: history
    ## large: config: describe
    ## large: config: submit
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config is larger than 4 MiB
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## large: credentials: history
    ## large: credentials: describe
    ## large: credentials: submit
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/credentials is larger than 4 MiB
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## binary: config: history
    ## binary: config: describe
    ## binary: config: submit
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config is not UTF-8 text
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## binary: credentials: history
    ## binary: credentials: describe
    ## binary: credentials: submit
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/credentials is not UTF-8 text
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## loop: config: history
    ## loop: config: describe
    ## loop: config: submit
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config can't be read: Too many levels of symbolic links (os error 40)
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## loop: credentials: history
    ## loop: credentials: describe
    ## loop: credentials: submit
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/credentials can't be read: Too many levels of symbolic links (os error 40)
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    "#);
    sandbox.smtrain(&["describe", "done"]).run()?.ok().map(drop)
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn what_a_variable_names_is_refused_likewise() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    let mut transcript = Transcript::default();
    for what in PLACED {
        for variable in VARIABLES {
            let path = sandbox.path("odd");
            if place(what, &path)? {
                let said = sandbox.smtrain(&["describe", "done"]).env(variable, &path).run()?.expect(1)?;
                add(&mut transcript, what, &format!("{variable}=odd"), &said);
                let said = sandbox.smtrain(&["describe", "done"]).env(variable, "~/../odd").run()?.expect(1)?;
                add(&mut transcript, what, &format!("{variable}=~/../odd"), &said);
            }
            remove(&path)?;
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## fifo: AWS_CONFIG_FILE=odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/odd is a pipe, not a file
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## fifo: AWS_CONFIG_FILE=~/../odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/../odd is a pipe, not a file
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## fifo: AWS_SHARED_CREDENTIALS_FILE=odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/odd is a pipe, not a file
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## fifo: AWS_SHARED_CREDENTIALS_FILE=~/../odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/../odd is a pipe, not a file
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## folder: AWS_CONFIG_FILE=odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/odd is a folder, not a file
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## folder: AWS_CONFIG_FILE=~/../odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/../odd is a folder, not a file
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## folder: AWS_SHARED_CREDENTIALS_FILE=odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/odd is a folder, not a file
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## folder: AWS_SHARED_CREDENTIALS_FILE=~/../odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/../odd is a folder, not a file
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## device: AWS_CONFIG_FILE=odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/odd is a device, not a file
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## device: AWS_CONFIG_FILE=~/../odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/../odd is a device, not a file
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## device: AWS_SHARED_CREDENTIALS_FILE=odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/odd is a device, not a file
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## device: AWS_SHARED_CREDENTIALS_FILE=~/../odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/../odd is a device, not a file
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## large: AWS_CONFIG_FILE=odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/odd is larger than 4 MiB
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## large: AWS_CONFIG_FILE=~/../odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/../odd is larger than 4 MiB
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## large: AWS_SHARED_CREDENTIALS_FILE=odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/odd is larger than 4 MiB
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## large: AWS_SHARED_CREDENTIALS_FILE=~/../odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/../odd is larger than 4 MiB
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## binary: AWS_CONFIG_FILE=odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/odd is not UTF-8 text
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## binary: AWS_CONFIG_FILE=~/../odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/../odd is not UTF-8 text
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## binary: AWS_SHARED_CREDENTIALS_FILE=odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/odd is not UTF-8 text
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## binary: AWS_SHARED_CREDENTIALS_FILE=~/../odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/../odd is not UTF-8 text
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## loop: AWS_CONFIG_FILE=odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/odd can't be read: Too many levels of symbolic links (os error 40)
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## loop: AWS_CONFIG_FILE=~/../odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/../odd can't be read: Too many levels of symbolic links (os error 40)
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## loop: AWS_SHARED_CREDENTIALS_FILE=odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/odd can't be read: Too many levels of symbolic links (os error 40)
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    ## loop: AWS_SHARED_CREDENTIALS_FILE=~/../odd
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/../odd can't be read: Too many levels of symbolic links (os error 40)
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    "#);
    Ok(())
}

/// As every AWS tool has it.
#[test]
fn what_is_absent_or_empty_is_no_error() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    for value in ["", "/dev/null", "/nowhere/at/all", "home/no/file"] {
        for variable in VARIABLES {
            sandbox.smtrain(&["describe", "done"]).env(variable, value).run()?.ok()?;
        }
    }
    sandbox.smtrain(&["describe", "done"]).env_remove("HOME").run()?.ok()?;
    fs::write(sandbox.path("home/.aws/real"), "[default]\nregion = us-west-2\n")?;
    symlink("real", sandbox.path("home/.aws/config"))?;
    let said = sandbox.smtrain(&["describe", "none"]).env_remove("AWS_REGION").run()?.expect(1)?;
    // A link is followed: its region is the one.
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: there is no job none on this computer or in us-west-2
    hint: list the jobs there are: smtrain history
    hint: it may be in another region: --region NAME, or of another --profile
    "#);
    Ok(())
}

/// Whether it is there can't be told, which is not its absence.
#[test]
fn a_folder_that_cannot_be_looked_into_is_an_error() -> TestResult {
    if geteuid().is_root() {
        return Ok(());
    }
    let (sandbox, _tenant) = on_aws()?;
    let folder = sandbox.path("home/.aws");
    fs::set_permissions(&folder, Permissions::from_mode(0o000))?;
    let said = sandbox.smtrain(&["describe", "done"]).run()?;
    fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
    // Not held as a snapshot, since the test can't run as root.
    let said = said.expect(1)?;
    let is_told = said.stderr.contains(".aws/config can't be read") && said.stderr.contains("AWS_CONFIG_FILE");
    assert!(is_told && said.stderr.contains("hint: "), "{said}");
    Ok(())
}

/// Credentials of the profile `default` are wanted, which has its token from `token`.
fn with_profile_s_token(sandbox: &Sandbox, profiles: &str) -> TestResult<CommandOutput> {
    let token = sandbox.path("token").display().to_string();
    fs::write(sandbox.path("home/.aws/config"), profiles.replace("TOKEN", &token))?;
    let command = sandbox.smtrain(&["describe", "done"]).env_remove("AWS_ACCESS_KEY_ID");
    command.env_remove("AWS_SECRET_ACCESS_KEY").run()?.expect(1)
}

#[test]
fn a_token_s_file_of_a_profile_is_refused_likewise() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    let role = "role_arn = arn:aws:iam::111122223333:role/R\n";
    let own = format!("[default]\n{role}web_identity_token_file = TOKEN\n");
    let source = format!(
        "[default]\n{role}source_profile = a\n[profile a]\n{role}source_profile = b\n\
         [profile b]\n{role}web_identity_token_file = TOKEN\nsource_profile = a\n"
    );
    let mut transcript = Transcript::default();
    for what in NOT_READ {
        let path = sandbox.path("token");
        place(what, &path)?;
        for (title, profiles) in [("own", &own), ("of its source", &source)] {
            let said = with_profile_s_token(&sandbox, profiles)?;
            add(&mut transcript, what, title, &said);
        }
        remove(&path)?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## fifo: own
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: [SANDBOX]/token is a pipe, not a file
    hint: set web_identity_token_file of the profile default to a file with a token, or remove it
    hint: no job on this computer has that name
    ## fifo: of its source
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: [SANDBOX]/token is a pipe, not a file
    hint: set web_identity_token_file of the profile b to a file with a token, or remove it
    hint: no job on this computer has that name
    ## folder: own
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: [SANDBOX]/token is a folder, not a file
    hint: set web_identity_token_file of the profile default to a file with a token, or remove it
    hint: no job on this computer has that name
    ## folder: of its source
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: [SANDBOX]/token is a folder, not a file
    hint: set web_identity_token_file of the profile b to a file with a token, or remove it
    hint: no job on this computer has that name
    ## device: own
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: [SANDBOX]/token is a device, not a file
    hint: set web_identity_token_file of the profile default to a file with a token, or remove it
    hint: no job on this computer has that name
    ## device: of its source
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: [SANDBOX]/token is a device, not a file
    hint: set web_identity_token_file of the profile b to a file with a token, or remove it
    hint: no job on this computer has that name
    ## large: own
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: [SANDBOX]/token is larger than 4 MiB
    hint: set web_identity_token_file of the profile default to a file with a token, or remove it
    hint: no job on this computer has that name
    ## large: of its source
    exit code: 1
    --- stderr
    error: could not describe job done: could not get AWS credentials: [SANDBOX]/token is larger than 4 MiB
    hint: set web_identity_token_file of the profile b to a file with a token, or remove it
    hint: no job on this computer has that name
    "#);
    Ok(())
}

/// As the AWS CLI has it: what can't be parsed is no file without profiles.
#[test]
fn what_cannot_be_parsed_is_told_with_its_line() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    let broken = [
        ("config", "[default]\nregion = eu-west-1\ngarbage\n"),
        ("config", "[default]\nregion = eu-west-1\n[profile x\n"),
        ("config", "\u{feff}[default]\nregion = eu-west-1\n"),
        ("config", "[default]\nregion = eu-west-1\n\0\0\0\n"),
        ("credentials", "[other\naws_access_key_id = A\n"),
    ];
    let mut transcript = Transcript::default();
    for (name, text) in broken {
        let path = sandbox.path("home/.aws").join(name);
        fs::write(&path, text)?;
        for arguments in [&["history"][..], &["history", "--profile", "default"]] {
            let said = sandbox.smtrain(arguments).env_remove("AWS_REGION").run()?.expect(1)?;
            transcript.add(format_args!("{text:?}: {}", arguments.join(" ")), &said);
        }
        remove(&path)?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## "[default]\nregion = eu-west-1\ngarbage\n": history
    ## "[default]\nregion = eu-west-1\ngarbage\n": history --profile default
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config can't be parsed: line 3: a key must be followed by '=' and a value
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## "[default]\nregion = eu-west-1\n[profile x\n": history
    ## "[default]\nregion = eu-west-1\n[profile x\n": history --profile default
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config can't be parsed: line 3: the section's name must be followed by ']'
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## "\u{feff}[default]\nregion = eu-west-1\n": history
    ## "\u{feff}[default]\nregion = eu-west-1\n": history --profile default
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config can't be parsed: line 1: the file begins with a byte order mark, which is not supported
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## "[default]\nregion = eu-west-1\n\0\0\0\n": history
    ## "[default]\nregion = eu-west-1\n\0\0\0\n": history --profile default
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config can't be parsed: line 3: a key must be followed by '=' and a value
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## "[other\naws_access_key_id = A\n": history
    ## "[other\naws_access_key_id = A\n": history --profile default
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/credentials can't be parsed: line 1: the section's name must be followed by ']'
    hint: repair it, or set AWS_SHARED_CREDENTIALS_FILE to another file; /dev/null has no profiles
    "#);
    // Lines may end as on any system.
    for text in ["[default]\r\nregion = eu-west-1\r\n", "# mine\r[default]\rregion = eu-west-1\r"] {
        fs::write(sandbox.path("home/.aws/config"), text)?;
        sandbox.smtrain(&["history"]).env_remove("AWS_REGION").run()?.ok()?;
    }
    Ok(())
}

/// A home folder that is no folder has no profiles, as that of many a service's user.
#[test]
fn a_file_in_the_folder_s_place_is_an_error() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    fs::remove_dir(sandbox.path("home/.aws"))?;
    fs::write(sandbox.path("home/.aws"), "")?;
    let said = sandbox.smtrain(&["describe", "done"]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: [SANDBOX]/home/.aws/config can't be read: Not a directory (os error 20)
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    "#);
    sandbox.smtrain(&["describe", "done"]).env("HOME", "/dev/null").run()?.ok().map(drop)
}

/// Of what else is wrong with one, the SDK says so.
#[test]
fn a_token_s_file_is_refused_likewise() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    let mut transcript = Transcript::default();
    for what in NOT_READ {
        for (variable, beside, value) in TOKENS {
            let path = sandbox.path("token");
            if place(what, &path)? {
                let command = sandbox.smtrain(&["describe", "done"]).env_remove("AWS_ACCESS_KEY_ID");
                let command = command.env_remove("AWS_SECRET_ACCESS_KEY").env(beside, value).env(variable, &path);
                let said = command.run()?.expect(1)?;
                add(&mut transcript, what, variable, &said);
            }
            remove(&path)?;
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## fifo: AWS_WEB_IDENTITY_TOKEN_FILE
    exit code: 1
    --- stderr
    error: [SANDBOX]/token is a pipe, not a file
    hint: set AWS_WEB_IDENTITY_TOKEN_FILE to a file with a token, or unset it
    ## fifo: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
    exit code: 1
    --- stderr
    error: [SANDBOX]/token is a pipe, not a file
    hint: set AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE to a file with a token, or unset it
    ## folder: AWS_WEB_IDENTITY_TOKEN_FILE
    exit code: 1
    --- stderr
    error: [SANDBOX]/token is a folder, not a file
    hint: set AWS_WEB_IDENTITY_TOKEN_FILE to a file with a token, or unset it
    ## folder: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
    exit code: 1
    --- stderr
    error: [SANDBOX]/token is a folder, not a file
    hint: set AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE to a file with a token, or unset it
    ## device: AWS_WEB_IDENTITY_TOKEN_FILE
    exit code: 1
    --- stderr
    error: [SANDBOX]/token is a device, not a file
    hint: set AWS_WEB_IDENTITY_TOKEN_FILE to a file with a token, or unset it
    ## device: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
    exit code: 1
    --- stderr
    error: [SANDBOX]/token is a device, not a file
    hint: set AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE to a file with a token, or unset it
    ## large: AWS_WEB_IDENTITY_TOKEN_FILE
    exit code: 1
    --- stderr
    error: [SANDBOX]/token is larger than 4 MiB
    hint: set AWS_WEB_IDENTITY_TOKEN_FILE to a file with a token, or unset it
    ## large: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
    exit code: 1
    --- stderr
    error: [SANDBOX]/token is larger than 4 MiB
    hint: set AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE to a file with a token, or unset it
    "#);
    Ok(())
}

/// The SDK looks for a token in the file whose name is the SHA-1 of its session's.
#[test]
fn a_token_of_a_login_s_is_refused_likewise() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    let profile = "[default]\nsso_session = main\nsso_account_id = 111122223333\nsso_role_name = Admin\n\n[sso-session main]\n\
                   sso_region = eu-west-1\nsso_start_url = https://login.example/start\n";
    fs::write(sandbox.path("home/.aws/config"), profile)?;
    let cache = sandbox.path("home/.aws/sso/cache");
    fs::create_dir_all(&cache)?;
    let path = cache.join("b28b7af69320201d1cf206ebf28373980add1451.json");
    let mut transcript = Transcript::default();
    for what in NOT_READ {
        place(what, &path)?;
        let command = sandbox.smtrain(&["describe", "done"]).env_remove("AWS_ACCESS_KEY_ID");
        let said = command.env_remove("AWS_SECRET_ACCESS_KEY").run()?.expect(1)?;
        add(&mut transcript, what, "a token", &said);
        remove(&path)?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## fifo: a token
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/sso/cache/b28b7af69320201d1cf206ebf28373980add1451.json is a pipe, not a file
    hint: remove it, and log in again: aws sso login
    ## folder: a token
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/sso/cache/b28b7af69320201d1cf206ebf28373980add1451.json is a folder, not a file
    hint: remove it, and log in again: aws sso login
    ## device: a token
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/sso/cache/b28b7af69320201d1cf206ebf28373980add1451.json is a device, not a file
    hint: remove it, and log in again: aws sso login
    ## large: a token
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/sso/cache/b28b7af69320201d1cf206ebf28373980add1451.json is larger than 4 MiB
    hint: remove it, and log in again: aws sso login
    "#);
    Ok(())
}
