//! A model or output folder that can't be read fails the job and is kept.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::{CommandOutput, Sandbox, TestResult};

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
fn folders_that_are_not_what_they_were() -> TestResult {
    for (variable, folder) in [("SM_MODEL_DIR", "ml/model"), ("SM_OUTPUT_DATA_DIR", "ml/output/data")] {
        for (deed, why) in [
            ("os.chmod(path, 0)", "Permission denied"),
            ("os.chmod(path, 0o300)", "Permission denied"),
            ("os.mkdir(path + '/in'); os.chmod(path + '/in', 0o300)", "Permission denied"),
            ("os.chmod(path + '/weights', 0)", "Permission denied"),
            ("os.rename(path, aside); os.symlink(aside, path)", "it is a symbolic link"),
            ("os.rename(path, aside); os.symlink('/nowhere', path)", "it is a symbolic link"),
            ("os.rename(path, aside); os.rename(aside + '/weights', path)", "it is not a folder"),
            ("os.rename(path, aside); os.mkfifo(path)", "it is not a folder"),
            ("os.rename(path, aside)", "it was removed or renamed"),
        ] {
            for toml in ["", "[output]\ncompression = \"none\""] {
                let end = run_as_user(&script(variable, deed), toml)?;
                let what = format!("{variable}: {deed} {toml}: {} {:?}", end.job, end.kept);
                assert_eq!(end.code, "3", "{what}");
                assert!(reason(&end).contains(folder) && reason(&end).contains(why), "{what}");
                let is_kept = end.kept.iter().any(|path| path.contains("/ml/")) || deed.contains("/weights', path");
                assert!(is_kept, "{what}");
            }
        }
    }
    Ok(())
}

/// What is there and can't be looked at is not said to be missing.
#[test]
fn files_of_a_spec_that_can_not_be_looked_at() -> TestResult {
    let sandbox = Sandbox::new()?;
    let toml = "[channels]\ntrain = \"closed/data\"";
    let spec = sandbox.project("proj", "")?.file("closed/data/a.csv", "1")?.with(toml)?.spec();
    fs::copy(env!("CARGO_BIN_EXE_smtrain"), sandbox.path("smtrain-copy"))?;
    let run =
        format!("chmod 0 proj/closed; ./smtrain-copy validate {spec} || code=$?; chmod 700 proj/closed; exit $code");
    let said = as_user(&sandbox, &run)?.expect(2)?;
    assert!(said.stderr.contains("closed/data can't be read: Permission denied"), "{said}");
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
fn too_many_open_files() -> TestResult {
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
        assert!(said.stderr.contains("Too many open files"), "{more}: {said}");
        let weights = sandbox.job_folder(&job).join("ml/model/weights");
        assert_eq!(fs::read_to_string(weights)?, "precious", "{more}");
    }
    assert!(failed > 0, "the limit never held");
    Ok(())
}

/// Paths longer than the system takes at once (PATH_MAX).
#[test]
fn a_model_of_three_thousand_folders() -> TestResult {
    let deep = "
import os
os.chdir(os.environ['SM_MODEL_DIR'])
for _ in range(3000):
    os.mkdir('d')
    os.chdir('d')
open('weights', 'w').write('precious')
";
    for toml in ["", "[output]\ncompression = \"none\""] {
        let sandbox = Sandbox::new()?;
        let (job, said) = sandbox.end(&sandbox.project("proj", deep)?.with(toml)?, &[], 3)?;
        let reason = sandbox.failure_reason(&job)?;
        assert!(reason.contains("File name too long") && reason.contains("/ml/model"), "{reason}");
        assert!(reason.chars().count() <= 1024, "{} characters: {said}", reason.chars().count());
        let found = sandbox.sh(&format!("find {}/ml -name weights", sandbox.job_folder(&job).display())).run()?.ok()?;
        assert_eq!(found.lines().len(), 1, "{toml}");
        let said = sandbox.smtrain(&["download", &job]).run()?.expect(1)?;
        let kept = format!("is kept in {}/ml", sandbox.job_folder(&job).display());
        assert!(said.stderr.contains(&kept) && !said.stderr.contains("left no model"), "{said}");
    }
    Ok(())
}

/// Keys in S3 are text.
#[test]
fn two_names_that_would_be_one_key() -> TestResult {
    let script = "
import os
for name in b'\\xfe', b'\\xff':
    open(os.fsencode(os.environ['SM_MODEL_DIR']) + b'/' + name, 'wb').write(name)";
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", script)?.with("[output]\ncompression = \"none\"")?;
    let (job, _) = sandbox.end(&project, &[], 3)?;
    let reason = sandbox.failure_reason(&job)?;
    assert!(reason.contains("could not store") && reason.contains("File exists"), "{reason}");
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
    for toml in ["", "[output]\ncompression = \"none\""] {
        let sandbox = Sandbox::new()?;
        let job = sandbox.complete(&sandbox.project("proj", script)?.with(toml)?, &[])?;
        let log = sandbox.log(&job)?;
        for name in ["model/in/fifo", "model/socket"] {
            let line = format!("smtrain: left out: {name}: it is neither a file nor a folder\n");
            assert!(log.contains(&line), "{toml}: {log}");
        }
    }
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
