//! The private `/opt/ml`: for an ordinary user, and on a computer that grants none.

use std::fs;

use crate::support::{Sandbox, TestResult};

/// Tells what it sees, as JSON.
const LOOK: &str = "
import json, os, socket
def resolved(name):
    try: return socket.gethostbyname(name)
    except OSError: return None
model = os.environ['SM_MODEL_DIR']
open(model + '/mine', 'w').close()
print(json.dumps({
    'user': os.getuid(), 'owner': os.stat(model + '/mine').st_uid, 'model': model, 'cwd': os.getcwd(),
    'opt': sorted(set(os.listdir('/opt')) - {'ml'}), 'algo-1': resolved('algo-1'), 'localhost': resolved('localhost'),
}))
";

/// The folders of this computer, without those of the user who runs the tests.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs the job as user 1000 if the tests run as root, as their own user if not.
#[test]
fn an_ordinary_user_has_a_private_opt_ml() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("look", LOOK)?.spec();
    fs::copy(env!("CARGO_BIN_EXE_smtrain"), sandbox.path("smtrain-copy"))?;
    let run =
        format!("./smtrain-copy submit -q --local --wait {spec}; ./smtrain-copy logs -; ./smtrain-copy download -");
    let as_user = format!(
        "if [ $(id -u) = 0 ]; then chown -R 1000:1000 . && PATH={PATH} exec setpriv --reuid=1000 --regid=1000 \
         --clear-groups sh -euc '{run}'; else {run}; fi"
    );
    let said = sandbox.sh(&as_user).run()?.ok()?;
    insta::assert_snapshot!(said.stderr_snapshot(sandbox.root())?, @"model: 1 file, 0 B in ./look-[STAMP]/model");
    let seen: serde_json::Value = serde_json::from_str(said.lines().get(1).ok_or("no log")?)?;
    assert_ne!(seen["user"], 0);
    assert_eq!(seen["owner"], seen["user"]);
    assert_eq!((&seen["model"], &seen["cwd"]), (&"/opt/ml/model".into(), &"/opt/ml/code".into()));
    assert_eq!((&seen["algo-1"], &seen["localhost"]), (&"127.0.0.1".into(), &"127.0.0.1".into()));
    let mut opt: Vec<String> =
        fs::read_dir("/opt")?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    opt.retain(|name| name != "ml");
    opt.sort();
    assert_eq!(seen["opt"], serde_json::json!(opt));
    Ok(())
}

/// No user namespaces, and no right to make one without: the variables lead to the job's folder.
#[test]
fn without_namespaces_the_variables_lead_to_the_job_s_folder() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("look", LOOK)?.spec();
    let run = format!("smtrain submit --local --wait {spec}; smtrain logs -");
    let without = format!(
        "unshare -Ur sh -euc 'echo 0 > /proc/sys/user/max_user_namespaces; \
         exec setpriv --bounding-set=-all --inh-caps=-all sh -euc \"{run}\"'"
    );
    let said = sandbox.sh(&without).run()?.ok()?;
    insta::assert_snapshot!(said.stderr_snapshot(sandbox.root())?, @r#"
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: this computer grants no private /opt/ml (user namespaces are switched off, or all in use): use the SM_* variables, they point into the job's folder
    job look-[STAMP] completed
    "#);
    let [job, log] = said.lines()[..] else { return Err(said.to_string().into()) };
    let seen: serde_json::Value = serde_json::from_str(log)?;
    let ml = sandbox.job_folder(job).join("ml");
    assert_eq!(seen["model"], ml.join("model").display().to_string());
    assert_eq!(seen["cwd"], ml.join("code").display().to_string());
    Ok(())
}

#[test]
fn an_outer_job_is_not_seen() -> TestResult {
    let sandbox = Sandbox::new()?.with_env("SM_CHANNEL_OTHER", "/outer").with_env("TRAINING_JOB_NAME", "outer");
    let sandbox = sandbox.with_env("SAGEMAKER_BASE_DIR", "/outer").with_env("PYTHONUNBUFFERED", "yes");
    let script = "
import os
print(os.environ['PYTHONUNBUFFERED'], [value for value in os.environ.values() if 'outer' in value])";
    let job = sandbox.complete(&sandbox.project("inner", script)?, &[])?;
    assert_eq!(sandbox.log(&job)?, "yes []\n");
    Ok(())
}
