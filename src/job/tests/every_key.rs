//! Every key of the table, with every value that can't stand there: the reader refuses each in its line, and so does
//! the schema that editors check by.

use super::schema::Schema;
use super::{BASE, Project, TestResult};
use crate::job::schema::{Key, KeyKind, ROOT, Values};

/// Values as TOML that a key doesn't take.
fn wrong_values(key: &Key) -> Vec<String> {
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let too_many = |most: usize, item: &str| format!("[{}]", vec![item; most + 1].join(", "));
    match key.kind {
        KeyKind::Text | KeyKind::Suggested(_) | KeyKind::InstanceType => texts(&["7", "true", "[\"a\"]", "{ a = 1 }"]),
        KeyKind::TextOrFalse => texts(&["7", "true", "[\"a\"]"]),
        KeyKind::Boolean => texts(&["\"yes\"", "1", "[]"]),
        KeyKind::Word(_) => texts(&["\"nonsense\"", "7", "false"]),
        KeyKind::Integer(least, most) => {
            let beyond = [least.checked_sub(1), most.checked_add(1)].into_iter().flatten();
            texts(&["\"many\"", "1.5", "true"]).into_iter().chain(beyond.map(|value| value.to_string())).collect()
        }
        KeyKind::Duration(_, most) => {
            texts(&["\"soon\"", "-1", "1.5", "true"]).into_iter().chain([(most + 1).to_string()]).collect()
        }
        KeyKind::Texts(usize::MAX) => texts(&["\"a\"", "[1]", "{ a = 1 }"]),
        KeyKind::Texts(most) => vec!["\"a\"".to_owned(), "[1]".to_owned(), too_many(most, "\"a\"")],
        KeyKind::Section(_) => texts(&["7", "\"a\"", "{ nonsense_key = 1 }"]),
        KeyKind::Sections(most, _) => {
            vec!["7".to_owned(), "[7]".to_owned(), "{ a = 1 }".to_owned(), too_many(most, "{}")]
        }
        KeyKind::Named(..) => texts(&["7", "{ a = 7 }", "{ a = { nonsense_key = 1 } }"]),
        KeyKind::Map(_, Values::Text) => texts(&["7", "{ a = 7 }"]),
        KeyKind::Map(_, Values::Scalar) => texts(&["7", "{ a = [1] }"]),
        KeyKind::Map(_, Values::Any) => texts(&["7", "\"a\"", "{ a = 1979-05-27 }"]),
    }
}

/// Visits every key with the path that leads to it.
fn walk(keys: &'static [Key], above: &[&'static Key], visit: &mut impl FnMut(&[&'static Key], &'static Key)) {
    for key in keys {
        visit(above, key);
        walk(key.keys(), &[above, &[key]].concat(), visit);
    }
}

/// A spec in which one key has a value: `limits = { max_run = 7 }`, in its first line.
fn spec(above: &[&Key], key: &Key, value: &str) -> String {
    let mut line = format!("{} = {value}", key.name);
    for section in above.iter().rev() {
        line = match section.kind {
            KeyKind::Sections(..) => format!("{} = [{{ {line} }}]", section.name),
            KeyKind::Named(..) => format!("{} = {{ a = {{ {line} }} }}", section.name),
            _ => format!("{} = {{ {line} }}", section.name),
        };
    }
    let section = above.first().map_or(key.name, |section| section.name);
    let others = BASE.split("\n[").filter(|part| !part.starts_with(&format!("{section}]")) && !part.is_empty());
    others.fold(line + "\n", |text, part| format!("{text}[{part}\n"))
}

#[test]
fn no_key_takes_what_it_should_not() -> TestResult {
    let (project, schema) = (Project::new()?, Schema::new()?);
    let (mut cases, mut taken) = (0, Vec::new());
    let mut check = |above: &[&'static Key], key: &'static Key| -> TestResult {
        for value in wrong_values(key) {
            let text = spec(above, key, &value);
            let line = text.lines().next().unwrap_or_default().to_owned();
            let problems = project.problems(&text, &[])?;
            if !problems.iter().any(|problem| problem.starts_with("1:") && !problem.contains("warning: ")) {
                taken.push(format!("the reader takes {line}: {problems:?}"));
            }
            // A date is a text to whoever turns TOML into JSON.
            if !value.contains("1979") && schema.problem(&text)?.is_none() {
                taken.push(format!("the schema takes {line}"));
            }
            cases += 1;
        }
        Ok(())
    };
    let mut outcome = Ok(());
    walk(ROOT, &[], &mut |above, key| {
        if outcome.is_ok() {
            outcome = check(above, key);
        }
    });
    outcome?;
    assert!(taken.is_empty(), "{}", taken.join("\n"));
    assert!(cases > 500, "only {cases} cases");
    Ok(())
}
