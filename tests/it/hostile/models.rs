//! A model or output folder that can't be read fails the job and is kept.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::{CommandOutput, Sandbox, TestResult, Transcript, normalised};

/// The folders of this computer, without those of the user who runs the tests.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Stores some files, then does something to the folder at `path`.
fn script(variable: &str, deed: &str) -> String {
    format!(
        "
import os, shutil, sys
path = os.environ['{variable}']
open(path + '/weights', 'w').write('precious')
aside = os.getcwd() + '/aside'
{deed}
"
    )
}

/// How a job ended that ran as a user whom file modes bind.
struct End {
    code: String,
    job: Value,
    /// Everything in the job's folder that is called `weights` or was made in its place.
    kept: Vec<String>,
}

/// Runs a script as user 1000 if the tests run as root, as their own user if not: root ignores modes.
pub(super) fn as_user(sandbox: &Sandbox, script: &str) -> TestResult<CommandOutput> {
    let as_user = format!(
        "if [ $(id -u) = 0 ]; then chown -R 1000:1000 . && PATH={PATH} exec setpriv --reuid=1000 --regid=1000 \
         --clear-groups sh -uc \"$RUN\"; else exec sh -uc \"$RUN\"; fi"
    );
    sandbox.sh(&as_user).env("RUN", script).run()
}

/// Runs a job so.
fn run_as_user(script: &str, toml: &str) -> TestResult<End> {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("proj", script)?.with(toml)?.spec();
    fs::copy(env!("CARGO_BIN_EXE_smtrain"), sandbox.path("smtrain-copy"))?;
    // Made readable again, so that what is kept can be seen, and the sandbox be removed.
    let run = format!(
        "./smtrain-copy submit -q --local --wait {spec} >/dev/null || code=$?; echo ${{code:-0}}; \
         ./smtrain-copy describe -o json - | tr -d '\\n'; echo; chmod -R u+rwX smtrain; find smtrain/jobs -name weights"
    );
    let said = as_user(&sandbox, &run)?.ok()?;
    sandbox.wait_for_no_processes()?;
    let mut lines = said.lines().into_iter();
    let code = lines.next().ok_or("no exit code")?.to_owned();
    let described: Value = serde_json::from_str(lines.next().ok_or("no description")?)?;
    Ok(End { code, job: described["job"].clone(), kept: lines.map(str::to_owned).collect() })
}

fn reason(end: &End) -> &str {
    end.job["FailureReason"].as_str().unwrap_or_default()
}

#[test]
fn a_model_folder_that_was_replaced_or_closed_fails_the_job() -> TestResult {
    let mut reasons = String::new();
    for variable in ["SM_MODEL_DIR", "SM_OUTPUT_DATA_DIR"] {
        for deed in [
            "os.chmod(path, 0)",
            "os.chmod(path, 0o300)",
            "os.mkdir(path + '/in'); os.chmod(path + '/in', 0o300)",
            "os.chmod(path + '/weights', 0)",
            "os.rename(path, aside); os.symlink(aside, path)",
            "os.rename(path, aside); os.symlink('/nowhere', path)",
            "os.rename(path, aside); os.rename(aside + '/weights', path)",
            "os.rename(path, aside); os.mkfifo(path)",
            "os.rename(path, aside)",
        ] {
            for toml in ["", "[output]\ncompression = \"none\""] {
                let end = run_as_user(&script(variable, deed), toml)?;
                let what = format!("{variable}: {deed} {toml}: {} {:?}", end.job, end.kept);
                assert_eq!(end.code, "3", "{what}");
                reasons.extend([format!("{variable}: {deed}: {}\n", reason(&end))]);
                let is_kept = end.kept.iter().any(|path| path.contains("/ml/")) || deed.contains("/weights', path");
                assert!(is_kept, "{what}");
            }
        }
    }
    insta::assert_snapshot!(normalised(&reasons)?, @r#"
    SM_MODEL_DIR: os.chmod(path, 0): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.chmod(path, 0): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.chmod(path, 0o300): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.chmod(path, 0o300): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.mkdir(path + '/in'); os.chmod(path + '/in', 0o300): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model/in: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.mkdir(path + '/in'); os.chmod(path + '/in', 0o300): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model/in: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.chmod(path + '/weights', 0): InternalServerError: could not pack [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model/weights: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.chmod(path + '/weights', 0): InternalServerError: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model/weights: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.rename(path, aside); os.symlink(aside, path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: it is a symbolic link; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.rename(path, aside); os.symlink(aside, path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: it is a symbolic link; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.rename(path, aside); os.symlink('/nowhere', path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: it is a symbolic link; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.rename(path, aside); os.symlink('/nowhere', path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: it is a symbolic link; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.rename(path, aside); os.rename(aside + '/weights', path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: it is not a folder; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.rename(path, aside); os.rename(aside + '/weights', path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: it is not a folder; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.rename(path, aside); os.mkfifo(path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: it is not a folder; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.rename(path, aside); os.mkfifo(path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: it is not a folder; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.rename(path, aside): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: it was removed or renamed; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_MODEL_DIR: os.rename(path, aside): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: it was removed or renamed; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.chmod(path, 0): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.chmod(path, 0): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.chmod(path, 0o300): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.chmod(path, 0o300): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.mkdir(path + '/in'); os.chmod(path + '/in', 0o300): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data/in: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.mkdir(path + '/in'); os.chmod(path + '/in', 0o300): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data/in: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.chmod(path + '/weights', 0): InternalServerError: could not pack [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data/weights: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.chmod(path + '/weights', 0): InternalServerError: could not pack [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data/weights: Permission denied (os error 13); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.rename(path, aside); os.symlink(aside, path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: it is a symbolic link; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.rename(path, aside); os.symlink(aside, path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: it is a symbolic link; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.rename(path, aside); os.symlink('/nowhere', path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: it is a symbolic link; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.rename(path, aside); os.symlink('/nowhere', path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: it is a symbolic link; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.rename(path, aside); os.rename(aside + '/weights', path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: it is not a folder; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.rename(path, aside); os.rename(aside + '/weights', path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: it is not a folder; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.rename(path, aside); os.mkfifo(path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: it is not a folder; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.rename(path, aside); os.mkfifo(path): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: it is not a folder; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.rename(path, aside): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: it was removed or renamed; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    SM_OUTPUT_DATA_DIR: os.rename(path, aside): InternalServerError: could not store [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/output/data: it was removed or renamed; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    "#);
    Ok(())
}

/// What is there and can't be looked at is not said to be missing.
#[test]
fn files_of_a_spec_that_can_not_be_read_are_not_said_to_be_missing() -> TestResult {
    let sandbox = Sandbox::new()?;
    let toml = "[channels]\ntrain = \"closed/data\"";
    let spec = sandbox.project("proj", "")?.file("closed/data/a.csv", "1")?.with(toml)?.spec();
    fs::copy(env!("CARGO_BIN_EXE_smtrain"), sandbox.path("smtrain-copy"))?;
    let run =
        format!("chmod 0 proj/closed; ./smtrain-copy validate {spec} || code=$?; chmod 700 proj/closed; exit $code");
    let said = as_user(&sandbox, &run)?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: [SANDBOX]/proj/closed/data can't be read: Permission denied (os error 13)
      --> [SANDBOX]/proj/job.toml:12:9
       |
    12 | train = "closed/data"
       |         ^^^^^^^^^^^^^
       |
       = hint: give yourself the right to read it, and to search the folders on the way to it
    [SANDBOX]/proj/job.toml: 1 error
    "#);
    Ok(())
}

/// Takes the files that the supervisor may open away, all but a few.
const FEW_FILES: &str = "
import os, resource
open(os.environ['SM_MODEL_DIR'] + '/weights', 'w').write('precious')
def parent(pid): return int(open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[1])
supervisor = parent(os.getppid())
opened = [int(name) for name in os.listdir(f'/proc/{supervisor}/fd')]
free = next(n for n in range(1024) if n not in opened)
_, hard = resource.prlimit(supervisor, resource.RLIMIT_NOFILE)
resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (free + MORE, hard))
";

#[test]
fn too_many_open_files_lose_no_model() -> TestResult {
    let mut failed = 0;
    for more in -7..2 {
        let sandbox = Sandbox::new()?;
        let project = sandbox.project("proj", &FEW_FILES.replace("MORE", &more.to_string()))?;
        let said = sandbox.smtrain(&["submit", "-q", "--local", "--wait", &project.spec()]).run()?;
        let job = said.stdout.trim().to_owned();
        sandbox.wait_for_no_processes()?;
        if said.code == 0 {
            sandbox.smtrain(&["download", &job]).run()?.ok()?;
            assert_eq!(fs::read_to_string(sandbox.path(&job).join("model/weights"))?, "precious", "{more}");
            continue;
        }
        failed += 1;
        assert_eq!(said.code, 3, "{more}: {said}");
        // Which file is the one too many depends on the number.
        assert!(said.stderr.contains("Too many open files"), "{more}: {said}");
        let weights = sandbox.job_folder(&job).join("ml/model/weights");
        assert_eq!(fs::read_to_string(weights)?, "precious", "{more}");
    }
    assert!(failed > 0, "the limit never held");
    Ok(())
}

/// Paths longer than the system takes at once (PATH_MAX).
#[test]
fn a_model_that_is_too_deep_is_kept_in_the_job_s_folder() -> TestResult {
    let deep = "
import os
os.chdir(os.environ['SM_MODEL_DIR'])
for _ in range(3000):
    os.mkdir('d')
    os.chdir('d')
open('weights', 'w').write('precious')
";
    let mut transcript = Transcript::default();
    for toml in ["", "[output]\ncompression = \"none\""] {
        let sandbox = Sandbox::new()?;
        let (job, said) = sandbox.end(&sandbox.project("proj", deep)?.with(toml)?, &[], 3)?;
        let reason = sandbox.failure_reason(&job)?;
        // The path, of three thousand names, is cut.
        assert!(reason.contains("File name too long") && reason.contains("/ml/model"), "{reason}");
        assert!(reason.chars().count() <= 1024, "{} characters: {said}", reason.chars().count());
        let found = sandbox.sh(&format!("find {}/ml -name weights", sandbox.job_folder(&job).display())).run()?.ok()?;
        assert_eq!(found.lines().len(), 1, "{toml}");
        let said = sandbox.smtrain(&["download", &job]).run()?.expect(1)?;
        transcript.add(toml, &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## 
    ## [output]
    compression = "none"
    exit code: 1
    --- stderr
    error: the model of job proj-[STAMP] could not be stored: all that the job made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml
    hint: see why: smtrain describe proj-[STAMP]
    "#);
    Ok(())
}

/// Keys in S3 are text.
#[test]
fn two_names_that_would_be_one_key_fail_the_job() -> TestResult {
    let script = "
import os
for name in b'\\xfe', b'\\xff':
    open(os.fsencode(os.environ['SM_MODEL_DIR']) + b'/' + name, 'wb').write(name)";
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", script)?.with("[output]\ncompression = \"none\"")?;
    let (job, _) = sandbox.end(&project, &[], 3)?;
    let reason = sandbox.failure_reason(&job)?;
    insta::assert_snapshot!(normalised(&reason)?, @"InternalServerError: could not store �: File exists (os error 17); all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml");
    assert_eq!(fs::read_dir(sandbox.job_folder(&job).join("ml/model"))?.count(), 2);
    Ok(())
}

/// Every file that a job makes, whatever its submitter's umask. What the script makes itself lies below a private folder.
#[test]
fn state_files_are_their_owner_s_alone() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import os, time
print('loss=1', flush=True)
while not os.path.exists('go'): time.sleep(0.01)
open(os.environ['SM_MODEL_DIR'] + '/weights', 'w').close()";
    let project = sandbox.project("proj", script)?.file("data/a.csv", "1")?;
    let toml = "[channels]\ntrain = \"data\"\n[metrics]\n\"loss\" = 'loss=([0-9])'\n";
    let spec = project.with(toml)?.spec();
    let submit = sandbox.sh(&format!("umask 0; exec smtrain submit -q --local {spec}")).run()?.ok()?;
    let job = submit.line();
    sandbox.wait_for_log(job, "loss=1")?;
    let open = "find $SMTRAIN_HOME ! -type l -perm /077 ! -path '*/ml/code/*' ! -path '*/ml/model/*'";
    let running = sandbox.sh(open).run()?.ok()?;
    assert_eq!(running.stdout, "", "while it runs");
    fs::write(sandbox.job_folder(job).join("ml/code/go"), "")?;
    sandbox.smtrain(&["wait", job]).run()?.ok()?;
    assert_eq!(sandbox.sh(open).run()?.ok()?.stdout, "", "after its end");
    Ok(())
}

/// What can't be stored is named in the log.
#[test]
fn fifos_and_sockets_are_named() -> TestResult {
    let script = "
import os, socket
os.chdir(os.environ['SM_MODEL_DIR'])
os.mkdir('in')
open('weights', 'w').write('precious')
os.mkfifo('in/fifo')
socket.socket(socket.AF_UNIX).bind('socket')";
    let mut logs = String::new();
    for toml in ["", "[output]\ncompression = \"none\""] {
        let sandbox = Sandbox::new()?;
        let job = sandbox.complete(&sandbox.project("proj", script)?.with(toml)?, &[])?;
        let log = sandbox.log(&job)?;
        // The order is that of the folder.
        let mut lines: Vec<&str> = log.lines().collect();
        lines.sort_unstable();
        logs.extend([format!("## {toml}\n{}\n", lines.join("\n"))]);
    }
    insta::assert_snapshot!(logs, @r#"
    ## 
    smtrain: left out: model/in/fifo: it is neither a file nor a folder
    smtrain: left out: model/socket: it is neither a file nor a folder
    ## [output]
    compression = "none"
    smtrain: left out: model/in/fifo: it is neither a file nor a folder
    smtrain: left out: model/socket: it is neither a file nor a folder
    "#);
    Ok(())
}

/// The space that was kept back becomes the state's file.
#[test]
fn the_state_is_readable_whatever_became_of_its_reserve() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import os, time
print('ready', flush=True)
while not os.path.exists('go'): time.sleep(0.01)";
    let job = sandbox.submit(&sandbox.project("proj", script)?, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    let folder = sandbox.job_folder(&job);
    fs::set_permissions(folder.join("reserve"), fs::Permissions::from_mode(0o000))?;
    fs::write(folder.join("ml/code/go"), "")?;
    sandbox.smtrain(&["wait", &job]).run()?.ok()?;
    assert_eq!(fs::metadata(folder.join("job.json"))?.permissions().mode() & 0o777, 0o600);
    Ok(())
}
