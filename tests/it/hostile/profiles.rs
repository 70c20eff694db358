//! Files of AWS's own tools: what isn't a file of a reasonable size is refused before the SDK reads it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use nix::sys::stat::Mode;
use nix::unistd::{geteuid, mkfifo};
use serde_json::json;

use crate::support::{CommandOutput, Sandbox, TestAccount, TestResult};

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

/// What stands in a file's place, and the words that tell of it.
const PLACED: [(&str, &str); 7] = [
    ("fifo", "is a pipe"),
    ("folder", "is a folder"),
    ("device", "is a device"),
    ("large", "is larger than"),
    ("binary", "is not UTF-8 text"),
    ("loop", "can't be read"),
    ("unreadable", "can't be read"),
];

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

fn check_refused(said: &CommandOutput, path: &str, words: &str) {
    assert!(said.stderr.contains(path) && said.stderr.contains(words) && said.stderr.contains("hint: "), "{said}");
}

#[test]
fn what_is_no_file_of_a_profile_s_is_refused() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    let project = sandbox.project("proj", "")?;
    for (what, words) in PLACED {
        for name in FILES {
            let path = sandbox.path("home/.aws").join(name);
            if place(what, &path)? {
                for arguments in [&["history"][..], &["describe", "done"], &["submit", "--dry-run", &project.spec()]] {
                    let said = sandbox.smtrain(arguments).run()?.expect(1)?;
                    check_refused(&said, &format!(".aws/{name} {words}"), "");
                }
                // What is of this computer needs no account.
                sandbox.smtrain(&["history", "--local"]).run()?.ok()?;
            }
            remove(&path)?;
        }
    }
    sandbox.smtrain(&["describe", "done"]).run()?.ok().map(drop)
}

#[test]
fn what_a_variable_names_is_refused_likewise() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    for (what, words) in PLACED {
        for variable in VARIABLES {
            let path = sandbox.path("odd");
            if place(what, &path)? {
                let said = sandbox.smtrain(&["describe", "done"]).env(variable, &path).run()?.expect(1)?;
                check_refused(&said, &format!("{} {words}", path.display()), variable);
                let said = sandbox.smtrain(&["describe", "done"]).env(variable, "~/../odd").run()?.expect(1)?;
                check_refused(&said, words, variable);
            }
            remove(&path)?;
        }
    }
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
    assert!(said.stderr.contains("us-west-2"), "a link is followed: {said}");
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
    check_refused(&said.expect(1)?, ".aws/config can't be read", "AWS_CONFIG_FILE");
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
    for (what, words) in PLACED.into_iter().filter(|(_, words)| words.starts_with("is a") || words.contains("larger")) {
        let path = sandbox.path("token");
        place(what, &path)?;
        for profiles in [&own, &source] {
            let said = with_profile_s_token(&sandbox, profiles)?;
            check_refused(&said, &format!("{} {words}", path.display()), "web_identity_token_file");
        }
        remove(&path)?;
    }
    Ok(())
}

/// As the AWS CLI has it: what can't be parsed is no file without profiles.
#[test]
fn what_cannot_be_parsed_is_told_with_its_line() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    let broken = [
        ("config", "[default]\nregion = eu-west-1\ngarbage\n", "line 3: Expected an '=' sign"),
        ("config", "[default]\nregion = eu-west-1\n[profile x\n", "line 3: Profile definition must end with ']'"),
        ("config", "\u{feff}[default]\nregion = eu-west-1\n", "line 1: the file begins with a byte order mark"),
        ("config", "[default]\nregion = eu-west-1\n\0\0\0\n", "line 3: Expected an '=' sign"),
        ("config", "# mine\r[default]\rregion = eu-west-1\r", "carriage return"),
        ("credentials", "[other\naws_access_key_id = A\n", "line 1: Profile definition must end with ']'"),
    ];
    for (name, text, words) in broken {
        let path = sandbox.path("home/.aws").join(name);
        fs::write(&path, text)?;
        for arguments in [&["history"][..], &["history", "--profile", "default"]] {
            let said = sandbox.smtrain(arguments).env_remove("AWS_REGION").run()?.expect(1)?;
            check_refused(&said, &format!("{} can't be parsed: ", path.display()), words);
            let variable = if name == "config" { "AWS_CONFIG_FILE" } else { "AWS_SHARED_CREDENTIALS_FILE" };
            check_refused(&said, variable, "");
        }
        remove(&path)?;
    }
    fs::write(sandbox.path("home/.aws/config"), "[default]\r\nregion = eu-west-1\r\n")?;
    sandbox.smtrain(&["history"]).env_remove("AWS_REGION").run()?.ok().map(drop)
}

/// A home folder that is no folder has no profiles, as that of many a service's user.
#[test]
fn a_file_in_the_folder_s_place_is_an_error() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    fs::remove_dir(sandbox.path("home/.aws"))?;
    fs::write(sandbox.path("home/.aws"), "")?;
    check_refused(&sandbox.smtrain(&["describe", "done"]).run()?.expect(1)?, ".aws/config can't be read", "");
    sandbox.smtrain(&["describe", "done"]).env("HOME", "/dev/null").run()?.ok().map(drop)
}

/// Of what else is wrong with one, the SDK says so.
#[test]
fn a_token_s_file_is_refused_likewise() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    for (what, words) in PLACED.into_iter().filter(|(_, words)| words.starts_with("is a") || words.contains("larger")) {
        for (variable, beside, value) in TOKENS {
            let path = sandbox.path("token");
            if place(what, &path)? {
                let command = sandbox.smtrain(&["describe", "done"]).env_remove("AWS_ACCESS_KEY_ID");
                let command = command.env_remove("AWS_SECRET_ACCESS_KEY").env(beside, value).env(variable, &path);
                check_refused(&command.run()?.expect(1)?, &format!("{} {words}", path.display()), variable);
            }
            remove(&path)?;
        }
    }
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
    for (what, words) in PLACED.into_iter().take(4) {
        place(what, &path)?;
        let command = sandbox.smtrain(&["describe", "done"]).env_remove("AWS_ACCESS_KEY_ID");
        let said = command.env_remove("AWS_SECRET_ACCESS_KEY").run()?.expect(1)?;
        check_refused(&said, &format!("b28b7af69320201d1cf206ebf28373980add1451.json {words}"), "aws sso login");
        remove(&path)?;
    }
    Ok(())
}
