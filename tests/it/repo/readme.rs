//! The README says what the binary does: its commands, their flags, and the sections of its example.

use crate::support::{Sandbox, TestResult};

const README: &str = include_str!("../../../README.md");

/// Lines of the README's shell blocks that run smtrain, without comments, from `smtrain` on.
fn invocations() -> Vec<&'static str> {
    let blocks = README.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n"));
    let lines = blocks.flat_map(str::lines).map(|line| line.split(" #").next().unwrap_or(line));
    lines.filter_map(|line| line.find("smtrain ").and_then(|at| line.get(at..))).collect()
}

#[test]
fn its_commands_and_flags_exist() -> TestResult {
    let sandbox = Sandbox::new()?;
    let invocations = invocations();
    assert!(invocations.len() > 10, "the README's shell blocks were not found");
    for line in invocations {
        let mut words = line.split([' ', ')']).skip(1);
        let command = words.next().ok_or(line)?;
        let help = sandbox.smtrain(&[command, "--help"]).run()?.ok()?.stdout;
        let flags = words.filter(|word| word.starts_with("--") || (word.starts_with('-') && word.len() == 2));
        for flag in flags.filter_map(|flag| flag.split('=').next()) {
            assert!(help.split([' ', ',', '\n', '[']).any(|word| word == flag), "{line}: no {flag} in its help");
        }
    }
    Ok(())
}

#[test]
fn its_table_lists_every_command() -> TestResult {
    let table: String = README.lines().filter(|line| line.starts_with("| `")).collect();
    let help = Sandbox::new()?.smtrain(&["-h"]).run()?.ok()?.stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for command in commands.filter_map(|line| line.split_whitespace().next()) {
        assert!(table.contains(&format!("`{command}")), "the README's table does not have {command}");
    }
    Ok(())
}

#[test]
fn its_examples_are_valid_specs() -> TestResult {
    let blocks = README.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let specs: Vec<&str> = blocks.filter(|block| block.contains("[framework]")).collect();
    assert_eq!(specs.len(), 2, "an example and the reference");
    let sandbox = Sandbox::new()?;
    for spec in specs {
        let project = sandbox.project("readme", "")?.whole_spec(spec)?;
        let project = project.file("src/train.py", "")?.file("data/train/a.csv", "1\n")?.file("common/a.py", "")?;
        sandbox.smtrain(&["validate", &project.spec()]).run()?.ok()?;
        sandbox.smtrain(&["validate", "--local", &project.spec()]).run()?.ok()?;
        sandbox.smtrain(&["validate", "--set", "resources.instance_type=local", &project.spec()]).run()?.ok()?;
    }
    Ok(())
}

#[test]
fn the_templates_run_on_this_computer_by_their_spec_alone() -> TestResult {
    let sandbox = Sandbox::new()?;
    for template in ["quickstart", "sklearn"] {
        sandbox.smtrain(&["init", "-t", template, template]).run()?.ok()?;
        let local = ["validate", "--set", "resources.instance_type=local", &format!("{template}/job.toml")];
        sandbox.smtrain(&local).run()?.ok()?;
    }
    Ok(())
}
