//! A stranger's settings files change nothing, and no error shows lines of files that are neither specs nor settings.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use crate::support::{Sandbox, TestResult, Transcript};
use nix::unistd::geteuid;

/// Another user: nobody, on most systems.
const ANOTHER: u32 = 65534;
const SECRET: &str = "not-to-be-seen";

/// Validates `spec` in `folder`, and returns the role that would hold, with its origin.
fn role(sandbox: &Sandbox, folder: &str, spec: &str) -> TestResult<String> {
    let said = sandbox.smtrain(&["validate", "-v", spec]).dir(sandbox.path(folder)).run()?.ok()?;
    let line = said.stderr.lines().find_map(|line| line.trim().strip_prefix("role: "));
    Ok(line.unwrap_or("none").replace(&sandbox.root().display().to_string(), "ROOT"))
}

fn write(path: &Path, text: &str) -> TestResult {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    Ok(fs::write(path, text)?)
}

#[test]
#[expect(clippy::print_stderr, reason = "what is not tested is said")]
fn settings_of_another_user_do_not_count() -> TestResult {
    if !geteuid().is_root() {
        eprintln!("only root can give a file to another user: not tested");
        return Ok(());
    }
    let sandbox = Sandbox::new()?;
    sandbox.project("proj", "print(1)")?;
    let settings = sandbox.path("proj/smtrain.toml");
    write(&settings, "role = \"Stranger\"\n")?;
    write(&sandbox.path("smtrain.toml"), "role = \"Own\"\n")?;
    chown(&settings, Some(ANOTHER), None)?;
    assert_eq!(role(&sandbox, "proj", "job.toml")?, "Own (from ROOT/smtrain.toml:1)");
    let said = sandbox.smtrain(&["validate", "job.toml"]).dir(sandbox.path("proj")).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    --- stderr
    warning: [SANDBOX]/proj/smtrain.toml is not read: it belongs to another user
    job.toml: valid
    "#);
    // A stranger's link to a file of one's own.
    fs::remove_file(&settings)?;
    write(&sandbox.path("proj/elsewhere.toml"), "role = \"Linked\"\n")?;
    symlink("elsewhere.toml", &settings)?;
    assert_eq!(role(&sandbox, "proj", "job.toml")?, "Linked (from smtrain.toml:1)");
    std::os::unix::fs::lchown(&settings, Some(ANOTHER), None)?;
    assert_eq!(role(&sandbox, "proj", "job.toml")?, "Own (from ROOT/smtrain.toml:1)");
    Ok(())
}

#[test]
fn settings_above_a_repository_or_the_home_folder_do_not_count() -> TestResult {
    let sandbox = Sandbox::new()?;
    write(&sandbox.path("smtrain.toml"), "role = \"Outside\"\n")?;
    for (folder, top) in [("repo/deep/er", Some("repo/.git")), ("jj/deep", Some("jj/.jj")), ("home/deep/er", None)] {
        sandbox.project(folder, "print(1)")?;
        if let Some(top) = top {
            // A linked work tree has a file there.
            write(&sandbox.path(top), "gitdir: elsewhere\n")?;
        }
        assert_eq!(role(&sandbox, folder, "job.toml")?, "none", "{folder}");
        let top = folder.split('/').next().unwrap_or_default();
        write(&sandbox.path(top).join("smtrain.toml"), "role = \"Inside\"\n")?;
        assert!(role(&sandbox, folder, "job.toml")?.starts_with("Inside (from "), "{folder}");
    }
    Ok(())
}

#[test]
fn settings_in_a_folder_that_all_may_write_to_do_not_count() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.project("shared/mine", "print(1)")?;
    write(&sandbox.path("shared/smtrain.toml"), "role = \"Shared\"\n")?;
    assert_eq!(role(&sandbox, "shared/mine", "job.toml")?, "Shared (from ROOT/shared/smtrain.toml:1)");
    fs::set_permissions(sandbox.path("shared"), fs::Permissions::from_mode(0o1777))?;
    assert_eq!(role(&sandbox, "shared/mine", "job.toml")?, "none");
    let said = sandbox.smtrain(&["validate", "job.toml"]).dir(sandbox.path("shared/mine")).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    --- stderr
    warning: [SANDBOX]/shared/smtrain.toml is not read: it lies in or above a folder that belongs to another user or that everybody may write to
    job.toml: valid
    "#);
    assert_eq!(role(&sandbox, "shared", "mine/job.toml")?, "Shared (from smtrain.toml:1)", "where smtrain is called");
    fs::set_permissions(sandbox.path("shared/smtrain.toml"), fs::Permissions::from_mode(0o666))?;
    assert_eq!(role(&sandbox, "shared", "mine/job.toml")?, "none", "anybody can have written it");
    Ok(())
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn no_error_shows_lines_of_other_files() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.project("proj", "print(1)")?;
    let credentials = format!("[default]\naws_secret_access_key = {SECRET}\n");
    write(&sandbox.path("home/.aws/credentials"), &credentials)?;
    let token = format!("[registry]\ntoken = \"{SECRET}\"\n\"{SECRET}\" = 1\n");
    write(&sandbox.path("home/.cargo/credentials.toml"), &token)?;
    write(&sandbox.path("proj/.env"), &format!("KEY = {SECRET}\n"))?;
    let spec = sandbox.path("proj/linked.toml");
    let settings = sandbox.path("proj/smtrain.toml");
    let home = sandbox.path("home").display().to_string();
    let mut transcript = Transcript::default();
    let mut validate = |spec: &str| -> TestResult {
        let said = sandbox.smtrain(&["validate", "-v", spec]).dir(sandbox.path("proj")).run()?.expect(2)?;
        assert!(!said.to_string().contains(SECRET), "{said}");
        transcript.add(spec, &said);
        Ok(())
    };
    for file in [".aws/credentials", ".cargo/credentials.toml"] {
        for images in [format!("{home}/{file}"), format!("../home/{file}")] {
            write(&settings, &format!("images = \"{images}\"\n"))?;
            validate("job.toml")?;
        }
        for link in [&settings, &spec] {
            let _missing = fs::remove_file(link);
            symlink(sandbox.path("home").join(file), link)?;
            validate(if link == &spec { "linked.toml" } else { "job.toml" })?;
            fs::remove_file(link)?;
        }
        // The file is not named as settings, though the link is.
        write(&settings, "images = \"images.toml\"\n")?;
        let images = sandbox.path("proj/images.toml");
        symlink(sandbox.path("home").join(file), &images)?;
        validate("job.toml")?;
        fs::remove_file(&images)?;
    }
    write(&settings, "images = \".env\"\n")?;
    validate("job.toml")?;
    fs::remove_file(&settings)?;
    // The environment of the process itself, which is a regular file.
    symlink("/proc/self/environ", &spec)?;
    let said = sandbox
        .smtrain(&["validate", "linked.toml"])
        .dir(sandbox.path("proj"))
        .env("TOKEN", SECRET)
        .run()?
        .expect(2)?;
    assert!(!said.to_string().contains(SECRET), "{said}");
    transcript.add("/proc/self/environ", &said);
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## job.toml
    exit code: 2
    --- stderr
    error: this file is not a valid file of container images: see line 2
    --> ~/.aws/credentials
     = hint: its lines are not shown, since it may be another program's file: it has another extension, or it lies outside the folder of the file that names it
    ~/.aws/credentials: 1 error
    ## job.toml
    exit code: 2
    --- stderr
    error: this file is not a valid file of container images: see line 2
    --> [SANDBOX]/proj/../home/.aws/credentials
     = hint: its lines are not shown, since it may be another program's file: it has another extension, or it lies outside the folder of the file that names it
    [SANDBOX]/proj/../home/.aws/credentials: 1 error
    ## job.toml
    exit code: 2
    --- stderr
    error: this file is not a valid settings file: see line 2
    --> smtrain.toml
     = hint: its lines are not shown, since it may be another program's file: it has another extension, or it lies outside the folder of the file that names it
    smtrain.toml: 1 error
    ## linked.toml
    exit code: 2
    --- stderr
    error: this file is not a valid job spec: see line 2
    --> linked.toml
     = hint: its lines are not shown, since it may be another program's file: it has another extension, or it lies outside the folder of the file that names it
    linked.toml: 1 error
    ## job.toml
    exit code: 2
    --- stderr
    error: this file is not a valid file of container images: see line 2
    --> [SANDBOX]/proj/images.toml
     = hint: its lines are not shown, since it may be another program's file: it has another extension, or it lies outside the folder of the file that names it
    [SANDBOX]/proj/images.toml: 1 error
    ## job.toml
    exit code: 2
    --- stderr
    error: this file is not a valid file of container images: see lines 1, 2, 3
    --> ~/.cargo/credentials.toml
     = hint: its lines are not shown, since it may be another program's file: it has another extension, or it lies outside the folder of the file that names it
    ~/.cargo/credentials.toml: 1 error
    ## job.toml
    exit code: 2
    --- stderr
    error: this file is not a valid file of container images: see lines 1, 2, 3
    --> [SANDBOX]/proj/../home/.cargo/credentials.toml
     = hint: its lines are not shown, since it may be another program's file: it has another extension, or it lies outside the folder of the file that names it
    [SANDBOX]/proj/../home/.cargo/credentials.toml: 1 error
    ## job.toml
    exit code: 2
    --- stderr
    error: this file is not a valid settings file: see line 1
    --> smtrain.toml
     = hint: its lines are not shown, since it may be another program's file: it has another extension, or it lies outside the folder of the file that names it
    smtrain.toml: 1 error
    ## linked.toml
    exit code: 2
    --- stderr
    error: this file is not a valid job spec: see line 1
    --> linked.toml
     = hint: its lines are not shown, since it may be another program's file: it has another extension, or it lies outside the folder of the file that names it
    error: nothing says what runs
    --> linked.toml
     = hint: add [framework] with a name such as "pytorch", [algorithm] or [container]
    error: [resources] needs `instance_type`
    --> linked.toml
     = hint: such as instance_type = "ml.m5.xlarge", or "local" to run on this computer
    linked.toml: 3 errors
    ## job.toml
    exit code: 2
    --- stderr
    error: this file is not a valid file of container images: see lines 1, 2, 3
    --> [SANDBOX]/proj/images.toml
     = hint: its lines are not shown, since it may be another program's file: it has another extension, or it lies outside the folder of the file that names it
    [SANDBOX]/proj/images.toml: 1 error
    ## job.toml
    exit code: 2
    --- stderr
    error: this file is not a valid file of container images: see line 1
    --> [SANDBOX]/proj/.env
     = hint: its lines are not shown, since it may be another program's file: it has another extension, or it lies outside the folder of the file that names it
    [SANDBOX]/proj/.env: 1 error
    ## /proc/self/environ
    exit code: 2
    --- stderr
    error: this is not a text file: byte 11 (line 1) is 0x00, which is not UTF-8 text
    --> linked.toml
     = hint: a job spec is a TOML file, saved as UTF-8
    linked.toml: 1 error
    "#);
    Ok(())
}

#[test]
fn lines_of_ones_own_files_are_shown() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.project("proj", "print(1)")?;
    let mut transcript = Transcript::default();
    for (file, other, text) in [
        ("smtrain.toml", "", "rolle = 1 # here\n"),
        ("images.toml", "smtrain.toml", "[pytorch.versions.\"9.9\"]\nbad = 1 # here\n"),
        ("linked.toml", "", "rolle = 1 # here\n"),
    ] {
        if !other.is_empty() {
            write(&sandbox.path("proj").join(other), &format!("images = \"{file}\"\n"))?;
        }
        write(&sandbox.path("proj/real").join(file), text)?;
        symlink(Path::new("real").join(file), sandbox.path("proj").join(file))?;
        let spec = if file == "linked.toml" { file } else { "job.toml" };
        let said = sandbox.smtrain(&["validate", spec]).dir(sandbox.path("proj")).run()?.expect(2)?;
        transcript.add(spec, &said);
        for file in [file, other].iter().filter(|file| !file.is_empty()) {
            fs::remove_file(sandbox.path("proj").join(file))?;
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## job.toml
    exit code: 2
    --- stderr
    error: unknown key `rolle` in the settings
     --> smtrain.toml:1:1
      |
    1 | rolle = 1 # here
      | ^^^^^ unknown key
      |
      = hint: did you mean `role`?
    smtrain.toml: 1 error
    ## job.toml
    exit code: 2
    --- stderr
    error: unknown key `bad` in [pytorch.versions.9.9]
     --> [SANDBOX]/proj/images.toml:2:1
      |
    2 | bad = 1 # here
      | ^^^ unknown key
      |
      = hint: its keys are repository, registries, processors, py_versions, tag_prefix, processor_in_tag, container_version, base
    [SANDBOX]/proj/images.toml: 1 error
    ## linked.toml
    exit code: 2
    --- stderr
    error: nothing says what runs
    --> linked.toml
     = hint: add [framework] with a name such as "pytorch", [algorithm] or [container]
    error: [resources] needs `instance_type`
    --> linked.toml
     = hint: such as instance_type = "ml.m5.xlarge", or "local" to run on this computer
    error: unknown key `rolle`
     --> linked.toml:1:1
      |
    1 | rolle = 1 # here
      | ^^^^^ unknown key
      |
      = hint: did you mean `role`?
    linked.toml: 3 errors
    "#);
    Ok(())
}

#[test]
fn submit_says_where_everything_goes_and_why() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let project = sandbox.project("proj", "print(1)")?;
    tenant.make_bucket("jobs-of-strangers")?;
    write(
        &sandbox.path("smtrain.toml"),
        "role = \"SageMakerRole\"\n[output]\ns3_uri = \"s3://jobs-of-strangers/x\"\n",
    )?;
    write(&sandbox.path("elsewhere/data.csv"), "1\n")?;
    let project = project.file("data/a.csv", "1\n")?;
    let project = project.with("[channels]\ninside = \"data\"\noutside = \"../elsewhere\"\n")?;
    let said = sandbox.smtrain(&["submit", &project.spec()]).run()?.ok()?;
    insta::assert_snapshot!(said.stderr_snapshot(sandbox.root())?, @r#"
    output.s3_uri: s3://jobs-of-strangers/x (from smtrain.toml:3)
    role: SageMakerRole (from smtrain.toml:1)
    credentials: from AWS_ACCESS_KEY_ID
    note: [SANDBOX]/proj/../elsewhere lies outside the project and is uploaded
    code: 3 files, [SIZE] packed, sha256 [SHA256]
    follow it:   smtrain logs -f proj-[STAMP]
    stop it:     smtrain stop proj-[STAMP]
    download it: smtrain download proj-[STAMP]
    "#);
    fs::remove_file(sandbox.path("smtrain.toml"))?;
    let said = sandbox.smtrain(&["submit", "--role", "SageMakerRole", &project.spec()]).run()?.ok()?;
    insta::assert_snapshot!(said.stderr_snapshot(sandbox.root())?, @r#"
    role: SageMakerRole (from --role)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    note: [SANDBOX]/proj/../elsewhere lies outside the project and is uploaded
    code: 3 files, [SIZE] packed, sha256 [SHA256]
    follow it:   smtrain logs -f proj-[STAMP]
    stop it:     smtrain stop proj-[STAMP]
    download it: smtrain download proj-[STAMP]
    "#);
    let quiet = sandbox.smtrain(&["submit", "-q", "--role", "SageMakerRole", &project.spec()]).run()?.ok()?;
    assert_eq!(quiet.stderr, "");
    Ok(())
}
