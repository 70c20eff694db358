//! Specs with mistakes, and every problem that is shown for them. They are in `mistakes.txt`:
//!
//! ```text
//! ==== what it is about, alone
//! a spec
//! ----
//! LINE:COLUMN message -- hint
//! ```
//!
//! A spec `beside the base` is followed by the sections that every spec needs, so that only its mistakes count.

use super::{BASE, Project, TestResult};

const MISTAKES: &str = include_str!("mistakes.txt");

#[test]
fn every_mistake_is_shown_with_its_place() -> TestResult {
    let project = Project::new()?;
    let cases: Vec<&str> = MISTAKES.split("==== ").skip(1).collect();
    assert!(cases.len() > 100, "only {} cases", cases.len());
    for case in cases {
        let (about, case) = case.split_once('\n').ok_or("no spec")?;
        let (text, expected) = case.split_once("\n----\n").ok_or("no problems")?;
        let text = if about.ends_with("alone") { text.to_owned() } else { format!("{text}\n{BASE}") };
        let expected: Vec<&str> = expected.lines().collect();
        assert!(!expected.is_empty(), "{text}");
        assert_eq!(project.problems(&text, &[])?, expected, "{text}");
    }
    Ok(())
}
