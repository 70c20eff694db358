//! Lines that are long, or no text: whole in a pipe, harmless on a terminal.

use regex::Regex;
use serde_json::json;

use super::{ended, start};
use crate::support::{Sandbox, TestAccount, TestResult};

/// What would clear the screen, set the title, move the cursor, ring, or leave the line. `\u{9b}` is CSI in one
/// character.
const NASTY: [&str; 9] = [
    "a\u{1b}[2Jb",
    "a\u{1b}]0;title\u{7}b",
    "a\u{1b}[10;10Hb",
    "a\u{9b}2Jb",
    "a\u{1b}Pq#0\u{1b}\\b",
    "a\u{0}b",
    "a\u{8}\u{7f}b",
    "a\u{1b}cb",
    "a\u{1b}[5nb",
];

const RED: &str = "\u{1b}[31mred\u{1b}[0m and \u{1b}[1;38;5;208mbold\u{1b}[m";

fn odd_job(tenant: &TestAccount) -> TestResult {
    let mut lines: Vec<(usize, u64, &str)> = NASTY.iter().map(|text| (1, 60, *text)).collect();
    lines.extend([(1, 61, RED), (1, 62, "caf\u{fffd}\u{fffd}"), (1, 63, "the end")]);
    ended(tenant, "odd", "Completed", &lines)
}

#[test]
fn a_pipe_gets_the_bytes_as_they_are() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    odd_job(&tenant)?;
    let expected: Vec<&str> = NASTY.into_iter().chain([RED, "caf\u{fffd}\u{fffd}", "the end"]).collect();
    for arguments in [&["logs", "odd"][..], &["logs", "-f", "odd"]] {
        let said = sandbox.smtrain(arguments).run()?.ok()?;
        assert_eq!(said.stdout, expected.join("\n") + "\n", "{arguments:?}");
    }
    let events = sandbox.smtrain(&["logs", "odd", "-o", "json"]).run()?.ok()?.json_lines()?;
    let messages: Vec<&str> = events.iter().filter_map(|event| event["message"].as_str()).collect();
    assert_eq!(messages, expected);
    Ok(())
}

#[test]
fn a_terminal_gets_colours_alone() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    odd_job(&tenant)?;
    // Colours, and what smtrain itself clears a line with.
    let harmless = Regex::new(r"\x1b\[[0-9;:]*m|\x1b\[[0-9]*K|\r\n")?;
    for arguments in [&["logs", "odd"][..], &["logs", "-q", "-f", "odd"]] {
        let said = sandbox.terminal(arguments).run()?.ok()?;
        // The rule is about every control character, not about this text.
        assert!(said.stdout.contains(RED), "{said:?}");
        assert!(said.stdout.contains("the end\r\n") && said.stdout.contains("caf\u{fffd}\u{fffd}"), "{said:?}");
        let rest = harmless.replace_all(&said.stdout, "");
        let raw: Vec<char> = rest.chars().filter(|char| char.is_control() && !"\r\t".contains(*char)).collect();
        assert_eq!(raw, Vec::<char>::new(), "{arguments:?}: {rest:?}");
    }
    Ok(())
}

#[test]
fn colours_end_with_their_line() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    ended(&tenant, "unended", "Completed", &[(1, 60, "\u{1b}[41mred for ever"), (1, 61, "plain")])?;
    let said = sandbox.terminal(&["logs", "unended"]).run()?.ok()?;
    let (first, _) = said.stdout.split_once("plain").ok_or("no second line")?;
    assert!(Regex::new(r"for ever\x1b\[0?m")?.is_match(first), "{said:?}");
    Ok(())
}

#[test]
fn long_lines_are_whole() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let long = |number: usize| format!("{number}{}end", "x".repeat(256 * 1024 - 100));
    let lines: Vec<_> = (0..8).map(|number| json!({ "node": 1, "at": 1.5, "text": long(number) })).collect();
    start(&tenant, "wide", &json!({ "seconds": 3, "events": 5, "appear": 0, "lines": lines }))?;
    let followed = sandbox.smtrain(&["logs", "-f", "wide"]).run()?.ok()?;
    let read = sandbox.smtrain(&["logs", "wide"]).run()?.ok()?;
    for said in [followed, read] {
        let mut wide: Vec<&str> = said.lines().into_iter().filter(|line| line.len() > 100).collect();
        wide.sort_unstable();
        assert!(wide.iter().enumerate().all(|(number, line)| **line == long(number)), "of other lengths");
        assert_eq!((wide.len(), said.lines().len()), (8, 13));
    }
    Ok(())
}
