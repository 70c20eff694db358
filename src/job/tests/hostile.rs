//! Files that are no job specs: each is told apart clearly, quickly, and without harm.

use std::path::Path;

use proptest::prelude::*;

use super::super::load::{LoadOptions, load};
use super::{BASE, Project, TestResult, show};
use crate::job::diagnostics::report::Report;
use crate::job::document::read::Wanted;
use crate::job::document::toml;
use crate::job::document::tree::{TreeNode, TreeTable, Value};

fn problem_of_path(path: &Path) -> String {
    match load(path, &LoadOptions::default()) {
        Ok(_) => "no problem".to_owned(),
        Err(invalid) => invalid.problems.iter().map(|it| show(it, &invalid.sources)).collect::<Vec<_>>().join("\n"),
    }
}

#[test]
fn what_is_no_file_is_named() -> TestResult {
    let project = Project::new()?;
    let missing = "there is no such file -- `smtrain init` writes a job spec to start from";
    assert_eq!(problem_of_path(&project.home.path().join("missing.toml")), missing);
    assert_eq!(problem_of_path(project.home.path()), "this is a folder, not a job spec");
    std::fs::write(project.spec(), "")?;
    let churn = project.home.path().join("churn");
    let hint = format!("this is a folder, not a job spec -- did you mean {}?", churn.join("job.toml").display());
    assert_eq!(problem_of_path(&churn), hint);
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_device_is_refused_without_a_look() {
    let refused = "this is a pipe or a device, not a job spec -- write it to a file first";
    for device in ["/dev/zero", "/dev/null"] {
        assert_eq!(problem_of_path(Path::new(device)), refused, "{device}");
    }
}

#[test]
fn a_large_file_is_not_read() -> TestResult {
    let project = Project::new()?;
    let file = std::fs::File::create(project.spec())?;
    file.set_len(100 << 30)?;
    assert!(problem_of_path(&project.spec()).starts_with("this file is larger than 1 MiB"));
    Ok(())
}

#[test]
fn what_is_no_toml_is_named() -> TestResult {
    let project = Project::new()?;
    let toml = "TOML is written as `name = \"churn\"` and `[resources]`";
    let no_spec = "this file has no job spec in it -- `smtrain init` writes a job spec to start from";
    let too_deep = |column: usize| format!("1:{column} tables and arrays are nested more than 64 levels deep");
    let binary = |at: usize, line: usize, byte: &str| {
        format!(
            "this is not a text file: byte {at} (line {line}) is 0x{byte}, which is not UTF-8 text -- a job spec is a TOML file, saved as UTF-8"
        )
    };
    let cases: Vec<(Vec<u8>, String)> = vec![
        (b"".to_vec(), no_spec.to_owned()),
        (b"\n# nothing\n".to_vec(), no_spec.to_owned()),
        (b"name = 1\n\xff\xfe".to_vec(), binary(9, 2, "ff")),
        (b"\x1f\x8b\x08\x00".to_vec(), binary(1, 1, "8b")),
        (b"name = \"a\0b\"".to_vec(), binary(9, 1, "00")),
        (b"name: churn\nresources:\n".to_vec(), format!("1:1 this looks like YAML, and a job spec is TOML -- {toml}")),
        (b"# a\n---\na: 1\n".to_vec(), format!("2:1 this looks like YAML, and a job spec is TOML -- {toml}")),
        (b"{\"name\": \"churn\"}".to_vec(), format!("1:1 this looks like JSON, and a job spec is TOML -- {toml}")),
        (("a = ".to_owned() + &"[".repeat(500_000)).into(), too_deep(69)),
        (("a = ".to_owned() + &"{a=".repeat(300_000)).into(), too_deep(197)),
        (("a.".repeat(500_000) + "a=1").into(), too_deep(130)),
        (format!("[{}a]", "a.".repeat(500_000)).into(), too_deep(129)),
    ];
    for (bytes, expected) in cases {
        let shown = String::from_utf8_lossy(&bytes).chars().take(30).collect::<String>();
        assert_eq!(project.problems(&bytes, &[])?, [expected], "{shown}");
    }
    Ok(())
}

#[test]
fn a_byte_order_mark_and_crlf_are_fine_and_columns_are_right() -> TestResult {
    let project = Project::new()?;
    let text = format!("\u{feff}nmae = \"x\"\n{BASE}").replace('\n', "\r\n");
    assert_eq!(project.problems(&text, &[])?, ["1:1 unknown key `nmae` -- did you mean `name`?"]);
    let text = format!("{BASE}[limits]\nmax_rnu = 1\n").replace('\n', "\r\n");
    assert_eq!(project.problems(&text, &[])?, ["10:1 unknown key `max_rnu` in [limits] -- did you mean `max_run`?"]);
    Ok(())
}

#[test]
fn a_file_of_nothing_but_mistakes_stays_short() -> TestResult {
    let project = Project::new()?;
    let unknown: String = (0..40_000).fold(String::new(), |text, n| text + &format!("instance_typ{n} = 1\n"));
    let problems = project.problems(unknown, &[])?;
    assert_eq!(problems.len(), 101);
    assert_eq!(problems.last().map(String::as_str), Some("39902 more problems are not shown"));
    let duplicates = "name = 1\n".repeat(100_000);
    assert_eq!(project.problems(duplicates, &[])?.len(), 101);
    let broken = "= = =\n".repeat(150_000);
    assert_eq!(project.problems(broken, &[])?.len(), 101);
    Ok(())
}

#[test]
fn lists_without_end_are_answered() -> TestResult {
    let project = Project::new()?;
    let group = r#"{ name = "a", type = "ml.m5.x", count = 1 }, "#;
    for (text, expected) in [
        (format!("dependencies = [{}]", "'x', ".repeat(150_000)), "`dependencies` has 150000 entries"),
        (format!("[resources]\ninstance_groups = [{}]", group.repeat(20_000)), "`instance_groups` has 20000 entries"),
        ("[channels]\n".to_owned() + &numbered(" = 'x'\n"), "and at most 20 are allowed"),
        ("[metrics]\n".to_owned() + &numbered(" = '(((.){9}){99}){99}'\n"), "and at most 40 are allowed"),
        ("[environment]\n".to_owned() + &numbered(" = [1]\n"), "more problems are not shown"),
    ] {
        let text = if text.starts_with('d') { format!("[source]\n{text}") } else { text };
        let problems = project.problems(&text, &[])?;
        let is_shown = problems.iter().any(|problem| problem.contains(expected));
        assert!(is_shown, "{expected}: {:?}", problems.first());
    }
    Ok(())
}

/// As many lines as fit into a spec, each with a key of its own.
fn numbered(value: &str) -> String {
    let most = (1 << 20) / (value.len() + 7);
    (0..most).fold(String::new(), |text, n| text + &format!("k{n:05}") + value)
}

fn depth(table: &TreeTable) -> usize {
    1 + table.entries.iter().map(|entry| node_depth(&entry.node)).max().unwrap_or(0)
}

fn node_depth(node: &TreeNode) -> usize {
    match &node.value {
        Value::Table(table) => depth(table),
        Value::Array(items) => 1 + items.iter().map(node_depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Pieces of TOML, in any order: most of them wrong, some of them nearly right.
fn tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        "[[",
        "]]",
        ".",
        "a.a.a.a.a.a.a.a.a.a.",
        "=",
        ",",
        "\n",
        "\r\n",
        "\r",
        " ",
        "#",
        "\"",
        "'",
        "\"\"\"",
        "'''",
        "\\",
        "\\\"",
        "a",
        "name",
        "resources",
        "channels",
        "1",
        "-1.5e3",
        "0xff",
        "inf",
        "nan",
        "true",
        "2026-11-23",
        "\"x\"",
        "s3://b",
        "ü",
        "\u{feff}",
        "\t",
        "name = \"a\"\n",
        "[resources]\n",
        "[[a.b]]\n",
    ]);
    prop::collection::vec(token, 0..200).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_is_answered(text in prop_oneof![any::<String>(), tokens()], flag in prop_oneof![any::<String>(), tokens()]) {
        let project = Project::new().map_err(|error| TestCaseError::fail(error.to_string()))?;
        let flags = [super::Override::set(flag.clone()), super::Override::hyperparameter(flag)];
        let loaded = project.load(&text, &flags).map_err(|error| TestCaseError::fail(error.to_string()))?;
        if let Err(invalid) = loaded {
            for problem in &invalid.problems {
                if let Some(place) = &problem.place {
                    let source = invalid.sources.get(place.source).map(|source| source.text.as_str());
                    prop_assert!(source.is_some_and(|text| text.get(place.bytes.clone()).is_some()), "{problem:?}");
                }
            }
        }
    }

    #[test]
    fn no_tree_is_deep(text in tokens()) {
        let report = Report::default();
        if let Some(tree) = toml::document(&text, Wanted::JobSpec, &report) {
            prop_assert!(depth(&tree) <= 70);
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in any::<Vec<u8>>()) {
        let project = Project::new().map_err(|error| TestCaseError::fail(error.to_string()))?;
        let loaded = project.load(&bytes, &[]).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(loaded.is_err());
    }
}

#[test]
fn channels_that_are_no_folders_or_carry_the_code_are_refused() -> TestResult {
    let project = Project::new()?;
    let framework = BASE.to_owned();
    let container = "[container]\nimage = \"i:1\"\n[source]\nentry_point = \"train.py\"\n\
                     [resources]\ninstance_type = \"ml.m5.large\"\n";
    let bare = "[container]\nimage = \"i:1\"\n[resources]\ninstance_type = \"ml.m5.large\"\n";
    let isolated = format!("{BASE}[network]\nisolation = true\n");
    let code = "code = \"data\"";
    let refused = "the code of this job comes in a channel `code`, and there can't be two of that name";
    for (spec, channel, problem) in [
        (framework.as_str(), code, None),
        (bare, code, None),
        (&isolated, "train = \"data\"", None),
        (&isolated, code, Some(refused)),
        (&isolated, "code = { source = \"data\" }", Some(refused)),
        (container, code, Some(refused)),
        (&framework, "\"..\" = \"data\"", Some("the channel's name is `..`")),
        (&framework, "\".\" = \"data\"", Some("the channel's name is `.`")),
    ] {
        let problems = project.problems(format!("{spec}[channels]\n{channel}\n"), &[])?;
        assert_eq!(problems.len(), usize::from(problem.is_some()), "{channel}: {problems:?}");
        assert!(problems.iter().all(|it| it.contains(problem.unwrap_or_default())), "{channel}: {problems:?}");
    }
    Ok(())
}
