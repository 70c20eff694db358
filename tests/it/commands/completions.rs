//! `smtrain completions`, and the committed files under `completions/`.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::{Sandbox, TestResult};

/// Each shell, and its file under `completions/`: named as that shell looks for it.
const FILES: [(&str, &str); 5] = [
    ("bash", "smtrain.bash"),
    ("zsh", "_smtrain"),
    ("fish", "smtrain.fish"),
    ("powershell", "_smtrain.ps1"),
    ("elvish", "smtrain.elv"),
];

/// `UPDATE=1 cargo test --test it completions` writes them anew.
#[test]
fn the_committed_files_are_what_the_binary_prints() -> TestResult {
    let sandbox = Sandbox::new()?;
    for (shell, file) in FILES {
        let printed = sandbox.smtrain(&["completions", shell]).run()?.ok()?;
        assert_eq!(printed.stderr, "");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &printed.stdout)?;
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == printed.stdout, "completions/{file} is stale: UPDATE=1 cargo test --test it completions");
    }
    Ok(())
}

/// Completes the last of the words in bash, as the Tab key does.
const COMPLETE: &str = r#"
    eval "$(smtrain completions bash)"
    function=$(complete -p smtrain | sed 's/.* -F \([^ ]*\).*/\1/')
    COMP_WORDS=(smtrain "$@") COMP_CWORD=$# COMP_TYPE=9 COMPREPLY=()
    "$function" smtrain "${@: -1}" "${@: -2:1}"
    printf '%s\n' "${COMPREPLY[@]}"
"#;

/// What bash offers for `smtrain WORDS<Tab>`.
fn offered(sandbox: &Sandbox, words: &str) -> TestResult<Vec<String>> {
    let said = sandbox.sh(&format!("bash -c \"$SCRIPT\" bash {words}")).env("SCRIPT", COMPLETE).run()?.ok()?;
    Ok(said.lines().iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect())
}

#[test]
fn bash_completes_commands_and_flags() -> TestResult {
    let sandbox = Sandbox::new()?;
    assert_eq!(offered(&sandbox, "sub")?, ["submit"]);
    assert_eq!(offered(&sandbox, "submit --dry")?, ["--dry-run"]);
    assert_eq!(offered(&sandbox, "history --status Comp")?, ["Completed"]);
    let commands = offered(&sandbox, "''")?;
    assert!(commands.contains(&"submit".to_owned()), "{commands:?}");
    assert!(!commands.iter().any(|command| command.starts_with("__")), "{commands:?}");
    Ok(())
}

#[test]
fn bash_completes_the_names_of_jobs() -> TestResult {
    let sandbox = Sandbox::new()?;
    assert_eq!(offered(&sandbox, "logs x")?, Vec::<String>::new());
    let job = sandbox.complete(&sandbox.project("penguins", "")?, &[])?;
    for command in ["logs", "describe", "download", "stop", "wait"] {
        assert_eq!(offered(&sandbox, &format!("{command} peng"))?, [job.as_str()], "{command}");
    }
    let on_aws = json!({ "name": "whales-1", "region": "eu-west-1", "account": null, "profile": null, "time": "2026-01-01T00:00:00Z" });
    fs::write(sandbox.state().join("submitted.jsonl"), format!("{on_aws}\n"))?;
    assert_eq!(offered(&sandbox, "stop wha")?, ["whales-1"]);
    Ok(())
}

#[test]
fn an_unknown_shell_is_an_error_of_usage() -> TestResult {
    let said = Sandbox::new()?.smtrain(&["completions", "tcsh"]).run()?.expect(2)?;
    insta::assert_snapshot!(said.to_string(), @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: invalid value 'tcsh' for '<SHELL>'
      [possible values: bash, zsh, fish, powershell, elvish]

      tip: a similar value exists: 'zsh'

    For more information, try '--help'.
    "#);
    Ok(())
}
