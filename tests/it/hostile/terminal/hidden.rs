//! No character that can't be seen is shown in a name or a message, and none changes the order of a log's text.

use regex::bytes::Regex;
use serde_json::json;

use super::steers_nothing;
use crate::support::{Sandbox, TestResult};

/// Characters that can't be seen or told from a space, and separators of lines: zero-width, marks of direction, the byte
/// order mark, tags, variation selectors, spaces, the blank of Braille, marks of annotations.
const HIDDEN: &str = "owned\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{61c}\u{2028}\u{2029}\u{2060}\u{feff}\u{ad}\u{e0041}x\
    \u{fe0f}\u{e0100}\u{e01ef}\u{a0}\u{1680}\u{2003}\u{3000}\u{2800}\u{fff9}y";

fn shows_all(sandbox: &Sandbox, arguments: &[&str]) -> TestResult {
    let zero_width = "\u{200b}-\u{200f}\u{61c}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{ad}\u{e0041}";
    let blank = "\u{fe0f}\u{e0100}-\u{e01ef}\u{a0}\u{1680}\u{2000}-\u{200a}\u{3000}\u{2800}\u{fff9}";
    let hidden = Regex::new(&format!("[{zero_width}{blank}]"))?;
    for said in steers_nothing(sandbox, arguments)? {
        let text = String::from_utf8_lossy(&said.raw).into_owned();
        if !text.contains("owned") || hidden.is_match(&said.raw) {
            return Err(format!("{arguments:?}: {text:?}").into());
        }
    }
    Ok(())
}

#[test]
fn nothing_in_a_name_or_message_is_invisible() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let project = sandbox.project("proj", "pass")?.file(&format!("{HIDDEN}/.env"), "A=1\n")?;
    let set = format!("{HIDDEN}=1");
    let channel = format!("channels.train={HIDDEN}");
    let spec = project.spec();
    tenant.make_bucket("hidden-names")?;
    // XML has no other way for these.
    tenant.put_object("hidden-names", &format!("below/{HIDDEN}"), b"1")?;
    let state = json!({ "TrainingJobStatus": "Failed", "SecondaryStatus": "Failed", "FailureReason": HIDDEN });
    tenant.jobs(&[json!({ "name": "job", "created": 1_763_884_800, "state": state })])?;
    for arguments in [
        &["validate", HIDDEN][..],
        &["submit", "--local", &spec],
        &["submit", "--local", "--dry-run", &spec, "--set", &set],
        &["submit", "--local", "--dry-run", &spec, "--set", &channel],
        &["describe", "--local", HIDDEN],
        &["describe", "job"],
        &["describe", "job", "-o", "json"],
        &["wait", "job"],
        &["download", "--list", "s3://hidden-names/below/"],
        &["download", "--list", "s3://hidden-names/below/", "-o", "json"],
    ] {
        shows_all(&sandbox, arguments)?;
    }
    let said = sandbox.smtrain(&["describe", "job", "-o", "json"]).run()?.ok()?;
    assert!(serde_json::from_str::<serde_json::Value>(&said.stdout)?.to_string().contains(HIDDEN), "{said}");
    Ok(())
}

/// A script's output: what changes the order or the lines of a text is made visible, letters and emoji stay whole.
#[test]
fn a_log_shows_its_text_in_order() -> TestResult {
    let sandbox = Sandbox::new()?;
    let text = "a\u{202e}b\u{2066}c\u{2028}d\u{200e}e\u{200f}f\u{61c}g \u{645}\u{6cc}\u{200c}\u{62e} \u{1f469}\u{200d}\u{1f4bb}";
    let script = format!("import sys; sys.stdout.buffer.write({}.encode())", serde_json::to_string(text)?);
    let project = sandbox.project("proj", &script)?;
    let job = sandbox.complete(&project, &[])?;
    let said = sandbox.terminal(&["logs", &job]).run()?.ok()?;
    let shown = "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}f\u{fffd}g \u{645}\u{6cc}\u{200c}\u{62e} \u{1f469}\u{200d}\u{1f4bb}";
    assert!(String::from_utf8_lossy(&said.raw).contains(shown), "{said}");
    Ok(())
}
