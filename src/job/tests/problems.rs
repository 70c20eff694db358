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

/// A spec and what is said of it.
pub(super) struct Case {
    pub(super) spec: String,
    pub(super) problems: Vec<&'static str>,
}

pub(super) fn cases() -> Result<Vec<Case>, Box<dyn std::error::Error>> {
    let case = |text: &'static str| {
        let (about, case) = text.split_once('\n').ok_or("no spec")?;
        let (text, problems) = case.split_once("\n----\n").ok_or("no problems")?;
        let spec = if about.ends_with("alone") { text.to_owned() } else { format!("{text}\n{BASE}") };
        Ok(Case { spec, problems: problems.lines().collect() })
    };
    MISTAKES.split("==== ").skip(1).map(case).collect()
}

#[test]
fn every_mistake_is_shown_with_its_place() -> TestResult {
    let project = Project::new()?;
    let cases = cases()?;
    assert!(cases.len() > 100, "only {} cases", cases.len());
    for Case { spec, problems } in cases {
        assert!(!problems.is_empty(), "{spec}");
        assert_eq!(project.problems(&spec, &[])?, problems, "{spec}");
    }
    Ok(())
}
